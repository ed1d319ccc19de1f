"""The `fleetledger` command: finds or starts the servers that a command needs, then runs it."""

import os
import sys
from collections.abc import Callable, Iterable
from difflib import get_close_matches

from fleetledger.embedded import state as embedded_state

NEEDS_NOTHING = frozenset(
    {"help", "--help", "-h", "--version", "makemessages", "collectstatic", "spectacular", "demo-world", "rule-pack"}
)
CAN_DO_WITHOUT_TABLES = frozenset(
    {"migrate", "prepare", "showmigrations", "makemigrations", "check", "doctor", "restore", "shell", "dbshell"}
)
NEEDS_REDIS = frozenset({"worker", "beat", "web", "demo-seed", "doctor"})


def main(argv: list[str] | None = None) -> int:
    """Run one command; exit codes: 0 done, 1 refused or failed, 2 wrong usage."""
    arguments = sys.argv if argv is None else argv
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "fleetledger.settings")
    command = arguments[1] if len(arguments) > 1 else "help"
    try:
        part = _part(command)
        if part is not None:
            return part(arguments[2:])
        if command in NEEDS_NOTHING:
            return _django(arguments)
        return _with_servers(command, arguments)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 1


def _part(command: str) -> Callable[[list[str]], int] | None:
    from fleetledger.embedded import parts, up

    known: dict[str, Callable[[list[str]], int]] = {
        "up": up.main,
        "web": parts.web,
        "worker": parts.worker,
        "beat": parts.beat,
    }
    return known.get(command)


def _with_servers(command: str, arguments: list[str]) -> int:
    from fleetledger.embedded import session
    from fleetledger.embedded.errors import EmbeddedError

    is_own_database = not os.environ.get("DATABASE_URL")
    try:
        state = embedded_state.resolve(os.environ.get("FLEETLEDGER_STATE_DIR"))
        with session.environment(state, need_redis=command in NEEDS_REDIS) as settings:
            os.environ.update(settings)
            if is_own_database and command not in CAN_DO_WITHOUT_TABLES:
                _make_tables()
            return _django(arguments)
    except EmbeddedError as error:
        print(error, file=sys.stderr)  # noqa: T201 the command line's own voice
        return 1


def _make_tables() -> None:
    """The embedded database is nobody else's: its tables follow the product by themselves."""
    import django

    django.setup()
    from fleetledger.fleet import tables

    tables.bring_up_to_date()


def _django(arguments: list[str]) -> int:
    """Hand over to Django's commands, whose refusals become one sentence on stderr."""
    import django
    from django.core.management import execute_from_command_line, get_commands

    django.setup()
    command = arguments[1] if len(arguments) > 1 else "help"
    if command not in {"help", "version", *get_commands()} and not command.startswith("-"):
        print(_unknown(command, get_commands()), file=sys.stderr)  # noqa: T201 the command line's own voice
        return 2
    try:
        execute_from_command_line(arguments)
    except SystemExit as leaving:
        code = leaving.code
        return code if isinstance(code, int) else int(code is not None)
    return 0


def _unknown(command: str, known: Iterable[str]) -> str:
    close = get_close_matches(command, [*known, "up", "web", "worker", "beat"], n=1)
    meant = f" Did you mean '{close[0]}'?" if close else ""
    return f"No command is called '{command}'.{meant} See them with: fleetledger help."
