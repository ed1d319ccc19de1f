"""PostgreSQL 18 from its wheel: on a socket in a private directory, passwords by SCRAM, no TCP."""

import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path
from typing import IO
from urllib.parse import quote

from fleetledger.embedded import account, launch, wheels
from fleetledger.embedded.errors import ServerFailedError
from fleetledger.embedded.server import wait_for_leftover
from fleetledger.embedded.state import StateDir, passable_directory, private_directory, write_secret

APART = Path("/var/lib/fleetledger-postgres")  # for root, where the database's account cannot enter the state directory
BELONGS_TO = "state-directory"  # in a home below APART: which state directory links to it
SUPERUSER = "postgres"
ROLE = DATABASE = "fleetledger"
# written into postgresql.conf once, for whoever wants to change them
FIRST_SETTINGS = {
    "shared_buffers": "256MB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "random_page_cost": "1.1",
    "log_checkpoints": "off",
    "logging_collector": "off",
}
_ROLE_SQL = """
SELECT 'CREATE ROLE {role} LOGIN CREATEDB' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') \\gexec
ALTER ROLE {role} PASSWORD '{password}';
SELECT 'CREATE DATABASE {role} OWNER {role}' WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{role}') \\gexec
REVOKE CONNECT ON DATABASE {role} FROM PUBLIC;
"""


class PostgresServer:
    """The database of one state directory."""

    title = "PostgreSQL"
    start_seconds = 120.0
    # fast, then immediate (recovers at the next start), then by force
    stop_steps = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0))

    def __init__(self, state: StateDir) -> None:
        self._state = state
        self._link = state.root / "postgres"
        self._account = account.of_database(self._link / "data")
        self._inside = self._account.can_enter(state.root)
        self._home = self._link if self._inside else self._place_apart()
        self._data = self._home / "data"
        self._sockets = state.sockets("postgres", inside=self._inside)
        self._programs = wheels.postgres_bin()

    def prepare(self) -> None:
        passable_directory(self._home)
        private_directory(self._sockets, self._account.owner)
        if not self._account.can_enter(self._programs):
            self._programs = wheels.copy_postgres(self._home / "software")
        if not self._data.exists():
            self._make_cluster()

    def start(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        wait_for_leftover(self._noted_pid(), "postgres")
        (self._data / "postmaster.pid").unlink(missing_ok=True)
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self._sockets),
            "unix_socket_permissions": "0700",
            "log_timezone": "UTC",
            "timezone": "UTC",
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        return launch.start(
            [str(self._programs / "postgres"), "-D", str(self._data), *arguments],
            death_signal=signal.SIGINT,
            output=log,
            account=self._account,
            environment=_plain_environment(),
            folder=self._home,
        )

    def is_ready(self, pid: int) -> bool:
        """Whether the server that we started says that it takes connections."""
        lines = self._pid_lines()
        return len(lines) > 7 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004 its 8th line

    def settle(self) -> None:
        """Make the role without special rights that the product works under, with its database, on the first start."""
        if self._password_file.exists():
            return
        password = secrets.token_urlsafe(32)
        _, said = self._psql(_ROLE_SQL.format(role=ROLE, password=password))
        if said.strip():
            raise ServerFailedError(self.title, said.strip().splitlines()[0], self._state.logs / "postgres.log")
        write_secret(self._password_file, password)

    def url(self) -> str:
        """A URL that libpq and Django's settings both read: the socket's directory stands in the query."""
        password = self._password_file.read_text(encoding="ascii").strip()
        return f"postgresql://{ROLE}:{password}@/{DATABASE}?host={quote(str(self._sockets), safe='')}"

    @property
    def _password_file(self) -> Path:
        return self._home / "password"

    @property
    def _superuser_file(self) -> Path:
        return self._home / "superuser-password"

    def _place_apart(self) -> Path:
        """A directory that the account can enter; the state directory holds a link to it."""
        if self._link.is_symlink() and self._link.resolve().is_dir():
            return self._link.resolve()
        self._link.unlink(missing_ok=True)
        home = APART / secrets.token_hex(8)
        passable_directory(APART)
        passable_directory(home)
        (home / BELONGS_TO).write_text(str(self._state.root), encoding="utf-8")
        self._link.symlink_to(home)
        return home

    def _make_cluster(self) -> None:
        """Run initdb under another name first: a broken first start is never taken for a database."""
        draft = self._home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        private_directory(draft, self._account.owner)
        secret = secrets.token_urlsafe(32)
        password_file = draft.with_name("initial-password")
        password_file.unlink(missing_ok=True)
        write_secret(password_file, secret)
        os.chown(password_file, *self._account.owner)
        command = [str(self._programs / "initdb"), "-D", str(draft), "-U", SUPERUSER, f"--pwfile={password_file}"]
        command += [
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
        ]
        command += [part for name, value in FIRST_SETTINGS.items() for part in ("-c", f"{name}={value}")]
        try:
            status, said = launch.run(
                command, account=self._account, environment=_plain_environment(), folder=self._home, seconds=120
            )
        finally:
            password_file.unlink(missing_ok=True)
        if status:
            raise ServerFailedError(self.title, _last_line(said), self._state.logs / "postgres.log")
        write_secret(self._superuser_file, secret)
        draft.rename(self._data)

    def _psql(self, script: str) -> tuple[int, str]:
        secret = self._superuser_file.read_text(encoding="ascii").strip()
        command = [
            str(wheels.postgres_bin() / "psql"),
            "-X",
            "-q",
            "-h",
            str(self._sockets),
            "-U",
            SUPERUSER,
            "-d",
            "postgres",
        ]
        done = subprocess.run(
            [*command, "-v", "ON_ERROR_STOP=1"],
            input=script.encode(),
            env=_plain_environment() | {"PGPASSWORD": secret},
            capture_output=True,
            timeout=60,
            check=False,
        )
        return done.returncode, (done.stdout + done.stderr).decode(errors="replace")

    def _pid_lines(self) -> list[str]:
        try:
            return (self._data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []

    def _noted_pid(self) -> int | None:
        lines = self._pid_lines()
        return int(lines[0]) if lines and lines[0].strip().isdigit() else None


def left_behind(apart: Path = APART) -> list[Path]:
    """Databases that lie apart and whose state directory is gone or has another one by now, in order."""
    homes = [note.parent for note in sorted(apart.glob(f"*/{BELONGS_TO}"))]
    return [home for home in homes if _link_to(home).resolve() != home.resolve()]


def _link_to(home: Path) -> Path:
    return Path((home / BELONGS_TO).read_text(encoding="utf-8")) / "postgres"


def _plain_environment() -> dict[str, str]:
    """The environment without the caller's own PG* settings, in a locale that exists everywhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))} | {
        "LC_ALL": "C"
    }


def _last_line(said: str) -> str:
    lines = [
        line for line in said.splitlines() if "error" in line.lower() or "fatal" in line.lower()
    ] or said.strip().splitlines()
    return lines[-1].strip() if lines else "it said nothing"
