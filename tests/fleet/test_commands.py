"""The commands people type: what they print where, and how they end."""

import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import time_machine
from auditlog.models import LogEntry
from django.core.management import load_command_class

from fleetledger.fleet import tokens
from fleetledger.fleet.models import ApiToken, Team, User
from tests import world

pytestmark = pytest.mark.django_db
Run = Callable[..., tuple[int, str, str]]
PASSWORD = "a long enough one"


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command as the terminal does: its exit code, stdout and stderr."""

    def run(name: str, *words: str) -> tuple[int, str, str]:
        command = load_command_class("fleetledger.fleet", name)
        command.__dict__["_called_from_command_line"] = True
        code = 0
        try:
            options = vars(command.create_parser("fleetledger", name).parse_args(list(words)))
            command.execute(*options.pop("args", ()), **options)
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def secret_file(tmp_path: Path) -> str:
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD}\n")
    return str(path)


def test_a_user_is_made_with_a_password_from_a_file(run: Run, secret_file: str) -> None:
    code, out, err = run("user", "create", "mira", "--role", "lead", "--password-file", secret_file)
    assert (code, out, err) == (0, "mira can sign in, as lead.\n", "")
    assert User.objects.get().check_password(PASSWORD)


def test_a_password_comes_from_standard_input(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert run("user", "create", "mira", "--password-file", "-")[0] == 0
    assert User.objects.get().check_password(PASSWORD)


def test_a_password_is_asked_for_only_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    sentence = "There is no terminal to ask for the password. Give --password-file FILE, or - for stdin.\n"
    assert run("user", "create", "mira") == (1, "", sentence)


def test_a_member_named_in_the_configuration_gets_a_password(run: Run, secret_file: str, tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text("teams: [{slug: vision, members: [{user: mira}]}]")
    assert run("apply", str(file))[0] == 0
    assert run("user", "create", "mira", "--password-file", secret_file)[0] == 0
    code, out, _ = run("user", "list")
    assert (code, out) == (0, "mira                     viewer   vision (viewer)\n")


def test_users_are_listed_for_machines(run: Run) -> None:
    world.user("mira", email="mira@example.org")
    rows = json.loads(run("user", "list", "--json")[1])
    assert [(row["username"], row["has_password"], row["teams"]) for row in rows] == [("mira", True, {})]


def test_a_password_is_changed(run: Run, secret_file: str) -> None:
    world.user("mira")
    assert run("user", "password", "mira", "--password-file", secret_file) == (0, "mira has a new password.\n", "")
    assert User.objects.get().check_password(PASSWORD)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("user", "password", "ghost", "--password-file", "/nowhere"), "No user is called 'ghost'. Known: mira.\n"),
        (("user", "password", "mira", "--password-file", "/nowhere"), "The password's file /nowhere cannot be read"),
        (("user", "create", "mira", "--password-file", "/nowhere"), "The password's file /nowhere cannot be read"),
        (("token", "create", "--name", "n", "--scope", "all"), "'all' is no scope. Known: read, write, admin"),
        (("token", "create", "--name", "n", "--scope", "read", "--team", "x"), "No team is called 'x'."),
        (("token", "create", "--name", "n", "--scope", "read", "--expires-in", "soon"), "'soon' is no duration."),
        (("token", "revoke", "ghost"), "No live token is called 'ghost'."),
        (("apply", "/nowhere.yaml"), "/nowhere.yaml cannot be read: No such file or directory.\n"),
    ],
)
def test_a_refusal_is_one_sentence_on_stderr(run: Run, words: tuple[str, ...], sentence: str) -> None:
    world.user("mira")
    code, out, err = run(*words)
    assert (code, out) == (1, "")
    assert err.startswith(sentence)
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [("user",), ("user", "create"), ("user", "create", "a", "--role", "boss"), ("token", "create"), ("apply",)],
)
def test_wrong_usage_exits_2(run: Run, words: tuple[str, ...]) -> None:
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert "usage:" in err


def test_a_tokens_secret_is_all_that_stands_on_stdout(run: Run) -> None:
    team = world.team("vision")
    with time_machine.travel(datetime(2026, 11, 1, tzinfo=UTC), tick=False):
        words = ("--name", "ci", "--scope", "read:costs", "write", "--team", "vision", "--expires-in", "90d")
        code, out, err = run("token", "create", *words)
        assert (code, err) == (0, "")
        token = tokens.authenticate(out.removesuffix("\n"))
    assert (token.scopes, token.team, token.expires_at) == (
        ["read:costs", "write"],
        team,
        datetime(2027, 1, 30, tzinfo=UTC),
    )


def test_tokens_are_listed_without_their_secrets(run: Run) -> None:
    secret = world.token("grafana")
    prefix = ApiToken.objects.get().prefix
    assert run("token", "list")[1] == f"grafana                  fl_{prefix}_…  read\n"
    (row,) = json.loads(run("token", "list", "--json")[1])
    assert (row["name"], row["prefix"], row["scopes"], row["revoked_at"]) == ("grafana", prefix, ["read"], None)
    assert secret.split("_", 2)[2] not in run("token", "list", "--json")[1]


def test_a_token_is_revoked_by_name(run: Run) -> None:
    secret = world.token("grafana")
    assert run("token", "revoke", "grafana")[0] == 0
    with pytest.raises(tokens.TokenRefusedError):
        tokens.authenticate(secret)


def test_a_file_is_applied_then_has_nothing_to_change(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text("teams: [{slug: vision}]")
    assert run("apply", str(file)) == (0, "+ team vision\nDone: 1 added.\n", "")
    assert run("apply", str(file)) == (0, "Nothing to change.\n", "")
    assert LogEntry.objects.get_for_object(Team.objects.get()).get().additional_data == {
        "actor": f"fleetledger apply by {_me()}"
    }


def test_a_dry_run_says_that_it_is_one(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text("teams: [{slug: vision}]")
    assert run("apply", str(file), "--dry-run")[1] == "+ team vision\nNothing was changed: this was a dry run.\n"
    assert not Team.objects.exists()


def test_a_difference_is_there_for_machines(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text("teams: [{slug: vision}]")
    assert json.loads(run("apply", str(file), "--json")[1]) == {
        "changes": [{"kind": "added", "thing": "team", "name": "vision", "detail": ""}],
        "notes": [],
        "is_dry_run": False,
    }


def test_a_wrong_file_changes_nothing_and_exits_1(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text("teams: [{slug: vision}, {slag: speech}]")
    code, out, err = run("apply", str(file))
    assert (code, out) == (1, "")
    assert f"{file}:1: teams[1].slag: No key is called 'slag'. Did you mean 'slug'?" in err
    assert not Team.objects.exists()


def test_an_export_is_a_file_that_applies(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "fleet.yaml"
    file.write_text("teams: [{slug: vision}]\nownership: [{team: vision, from: 2026-01-01, match: {node: n.*}}]")
    run("apply", str(file))
    exported = run("export-config")[1]
    assert exported == (
        "# Fleetledger's configuration as it is stored. Apply it again with: fleetledger apply FILE\n"
        "teams:\n  - slug: vision\n    name: vision\n"
        "ownership:\n  - team: vision\n    from: 2026-01-01\n    match:\n      node: n.*\n"
    )
    file.write_text(exported)
    assert run("apply", str(file))[1] == "Nothing to change.\n"


def test_the_schema_is_printed(run: Run) -> None:
    assert json.loads(run("export-config", "--schema")[1])["title"] == "Fleetledger configuration"


def _me() -> str:
    import getpass

    return getpass.getuser()
