"""Where things are kept, and who may look into them."""

import os
import socket
import stat
from pathlib import Path

import environ
import pytest

from fleetledger.embedded import account, ports, postgres_server, state
from fleetledger.embedded.account import Account
from fleetledger.embedded.errors import AlreadyRunningError, NoAccountError, PortInUseError, StateDirUnusableError
from fleetledger.embedded.locks import opened
from fleetledger.embedded.redis_server import url_of
from fleetledger.embedded.state import StateDir
from tests.embedded.running import free_port


@pytest.fixture
def nobody_named_a_place(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("FLEETLEDGER_STATE_DIR", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_the_place_asked_for_comes_first_then_the_named_one(nobody_named_a_place: pytest.MonkeyPatch) -> None:
    nobody_named_a_place.setenv("FLEETLEDGER_STATE_DIR", "/srv/named")
    assert [state.resolve("/srv/asked").root, state.resolve(None).root] == [Path("/srv/asked"), Path("/srv/named")]


def test_root_and_users_have_their_usual_places(nobody_named_a_place: pytest.MonkeyPatch) -> None:
    nobody_named_a_place.setattr(os, "geteuid", lambda: 0)
    assert state.resolve(None).root == Path("/var/lib/fleetledger")
    nobody_named_a_place.setattr(os, "geteuid", lambda: 1000)
    nobody_named_a_place.setenv("HOME", "/home/mira")
    assert state.resolve(None).root == Path("/home/mira/.local/state/fleetledger")
    nobody_named_a_place.setenv("XDG_STATE_HOME", "/home/mira/kept")
    assert state.resolve(None).root == Path("/home/mira/kept/fleetledger")


def test_the_key_is_made_once_and_read_by_its_owner_alone(tmp_path: Path) -> None:
    place = StateDir(tmp_path / "state")
    state.prepare(place)
    key = state.secret_key(place)
    assert (len(key), state.secret_key(place)) == (64, key)
    assert stat.S_IMODE(place.secret_key_file.stat().st_mode) == 0o600
    assert [path.name for path in place.root.iterdir() if path.is_file()] == ["secret-key"]


def test_of_two_keys_written_at_once_the_first_counts(tmp_path: Path) -> None:
    file = tmp_path / "key"
    state.write_secret(file, "first", replace=False)
    state.write_secret(file, "second", replace=False)
    assert file.read_text() == "first\n"


def test_what_cannot_be_a_state_directory_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(
        StateDirUnusableError, match=r"cannot be used \(Not a directory\): choose another one with --state-dir"
    ):
        state.prepare(StateDir(tmp_path / "file" / "state"))


def test_sockets_get_a_short_place_where_the_state_directory_is_long() -> None:
    short, long = StateDir(Path("/srv/fl")), StateDir(Path("/srv", "long" * 20))
    assert short.sockets("redis") == Path("/srv/fl/run/redis")
    assert short.sockets("redis", inside=False).parts[:2] == ("/", "tmp")
    assert len(os.fsencode(long.sockets("postgres"))) < 60
    assert long.sockets("postgres") != StateDir(Path("/srv", "long" * 21)).sockets("postgres")


def test_an_account_passes_where_the_mode_bits_let_it(tmp_path: Path) -> None:
    stranger = Account("stranger", 4711, 4711)
    assert stranger.can_enter(Path("/usr/bin"))
    tmp_path.chmod(0o700)
    assert not stranger.can_enter(tmp_path)
    owner = Account("owner", tmp_path.stat().st_uid, 4711)
    assert owner.can_enter(tmp_path)


def test_root_without_any_known_account_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(account, "CANDIDATES", ("no-such-account",))
    with pytest.raises(NoAccountError, match="run this as an ordinary user, or set DATABASE_URL"):
        account.of_database(tmp_path / "data")


def test_the_urls_are_read_by_the_settings_as_they_are_meant() -> None:
    url = "postgresql://fleetledger:p-_w@/fleetledger?host=%2Frun%2FMy%20Place"
    parsed = environ.Env.db_url_config(url)
    assert {name: parsed[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "OPTIONS")} == {
        "NAME": "fleetledger",
        "USER": "fleetledger",
        "PASSWORD": "p-_w",
        "HOST": "",
        "OPTIONS": {"host": "/run/My Place"},
    }
    assert url_of(Path("/run/My Place/redis.sock")) == "unix:///run/My%20Place/redis.sock?db=0"


def test_databases_that_no_state_directory_links_to_are_named(tmp_path: Path) -> None:
    apart = tmp_path / "apart"
    for name in ("kept", "forgotten", "replaced"):
        home, root = apart / name, tmp_path / f"state-of-{name}"
        home.mkdir(parents=True)
        (home / "state-directory").write_text(str(root))
        if name != "forgotten":
            root.mkdir()
            (root / "postgres").symlink_to(apart / "kept")
    assert postgres_server.left_behind(apart) == [apart / "forgotten", apart / "replaced"]
    assert postgres_server.left_behind(tmp_path / "nowhere") == []


def test_a_lock_is_shared_by_many_or_held_by_one(tmp_path: Path) -> None:
    with opened(tmp_path / "lock") as one, opened(tmp_path / "lock") as two, opened(tmp_path / "lock") as three:
        assert [one.try_shared(), two.try_shared(), three.try_exclusive()] == [True, True, False]
        one.release()
        two.release()
        assert [three.try_exclusive(), one.try_shared(), two.wait_shared(0.1)] == [True, False, False]
        three.note("4711")
        assert one.read_note() == "4711"


def test_a_port_stays_the_same_while_nobody_else_has_it(tmp_path: Path) -> None:
    noted = tmp_path / "port"
    usual = free_port()
    port = ports.remembered(noted, usual)
    assert (port, ports.remembered(noted, 1)) == (usual, usual)
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        assert ports.remembered(noted, usual) != port
        with pytest.raises(PortInUseError):
            ports.require_free("127.0.0.1", port)


def test_a_refused_second_start_names_the_first() -> None:
    assert str(AlreadyRunningError(Path("/srv/fl"), "")) == (
        "Fleetledger is already running on /srv/fl (process unknown): "
        "stop that one, or choose another one with --state-dir."
    )
