"""What our commands share: a refusal is one sentence on stderr and exit code 1, and changes are signed."""

import getpass
import sys
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.db import InterfaceError, OperationalError, ProgrammingError
from psycopg.errors import UndefinedTable

from fleetledger.fleet import audit
from fleetledger.fleet.errors import FleetError


class SentenceCommand(BaseCommand):
    """Subclasses write `act`; what it returns goes to stdout."""

    requires_system_checks: list[str] = []
    refusals: tuple[type[Exception], ...] = (FleetError,)

    def act(self, options: dict[str, Any]) -> str:
        raise NotImplementedError

    def handle(self, *_args: object, **options: Any) -> None:
        try:
            with audit.acting(f"fleetledger {self.name} by {_operator()}"):
                text = self.act(options)
        except self.refusals as error:
            raise CommandError(str(error)) from error
        except ProgrammingError as error:
            if not isinstance(error.__cause__, UndefinedTable):
                raise
            raise CommandError("The database has not this version's tables. Run: fleetledger migrate.") from error
        except (OperationalError, InterfaceError) as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(f"The database does not answer ({reason}). Run: fleetledger doctor.") from error
        if text:
            self.stdout.write(text)

    def execute(self, *args: Any, **options: Any) -> str | None:
        """As Django; from the command line the sentence stands alone, without the name of a class."""
        try:
            return super().execute(*args, **options)
        except CommandError as error:
            if not getattr(self, "_called_from_command_line", False):
                raise
            self.stderr.write(str(error))
            sys.exit(error.returncode)

    @property
    def name(self) -> str:
        return type(self).__module__.rpartition(".")[2]


def text_of(name: str) -> str:
    """The text of a file, or of standard input for -; raises CommandError."""
    try:
        return sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{name} is not UTF-8. Save it as UTF-8.") from error


def as_json(value: Any) -> str:
    """Machine-readable results, indented for people who look anyway."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z, default=str).decode()


def _operator() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "an account without a name"
