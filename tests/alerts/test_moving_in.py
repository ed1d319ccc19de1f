"""An alertmanager.yml becomes our configuration: the same routes by amtool's word, every key carried or named."""

import random
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from fleetledger.fleet import config
from fleetledger.fleet.models import Team
from monitoring.alerts import alertmanager_yaml, routing, trees
from monitoring.alerts.moving_in import Converted, convert
from tests.alerts.test_amtool import amtool, amtool_routes, random_labels, random_route

OURS = Path(__file__).with_name("alertmanager_200.yml")
SETS_OF_LABELS = 1000
TREES, SETS_OF_EACH_TREE = 50, 20
LABELS: dict[str, tuple[str, ...]] = {
    "alertname": ("Watchdog", "GpuHot", "DcgmGone", "XidError", "NodeDown", "BudgetLeft", "CostJump", "Other"),
    "severity": ("critical", "warning", "info", "none"),
    "team": ("vision", "speech", "audio", "nlp"),
    "service": ("postgres", "redis", "kafka", "nginx"),
    "job": ("blackbox", "node"),
    "instance": ("replica-1", "replica-x", "https://www.example.org/a", "http://shop.example.org", "h1"),
    "xid": ("48", "79", "13"),
    "cluster": ("lab", "prod"),
    "topic": ("orders", "test-1"),
    "amount": ("99999", "100000", "1234567"),
}
SECRET_WORDS = ("s3cret", "slacktoken", "visiontoken", "discordtoken", "telegramtoken", "11111111-2222", "u0123456789")


@pytest.fixture(scope="module")
def found() -> Converted:
    return convert(OURS.read_text())


def receivers(root: routing.Route, labels: dict[str, str]) -> list[str]:
    return [route.receiver for route in routing.matched(root, labels)]


def some_labels(dice: random.Random) -> dict[str, str]:
    """Few labels at a time, so that the deep branches are met as well as the shallow ones."""
    names = [name for name in LABELS if name == "alertname" or dice.random() < 0.45]
    return {name: dice.choice(LABELS[name]) for name in names}


@pytest.mark.realtime
@pytest.mark.django_db
def test_a_thousand_label_sets_reach_the_receivers_that_amtool_names(found: Converted, tmp_path: Path) -> None:
    assert len(OURS.read_text().splitlines()) >= 200
    amtool("check-config", str(OURS))
    config.apply([("moved.yaml", found.configuration)])
    applied = trees.tree_for(None)
    root = applied.route
    assert root == routing.route_of(yaml.safe_load(found.configuration)["route"])  # the same before and after
    status = tmp_path / "status.yml"
    status.write_text(alertmanager_yaml.original(applied))
    assert " - 3 inhibit rules\n - 19 receivers\n" in amtool("check-config", str(status))
    dice = random.Random(200)
    cases = [some_labels(dice) for _ in range(SETS_OF_LABELS)]
    with ThreadPoolExecutor(2) as pool:
        theirs = list(pool.map(lambda labels: amtool_routes(OURS, labels), cases))
    differing = [
        (labels, known) for labels, known in zip(cases, theirs, strict=True) if receivers(root, labels) != known
    ]
    assert differing == []
    taken = {route.path for labels in cases for route in routing.matched(root, labels)}
    assert {route.path for route in routing.every(root)} - taken == set()


@pytest.mark.realtime
def test_random_trees_route_as_before_they_were_carried(tmp_path: Path) -> None:
    dice = random.Random(2027)
    cases = []
    for number in range(TREES):
        route = random_route(dice)
        file = tmp_path / f"{number}.yml"
        file.write_text(yaml.safe_dump({"route": route, "receivers": [{"name": name} for name in _names(route)]}))
        moved = yaml.safe_load(convert(file.read_text()).configuration)
        cases += [(file, routing.route_of(moved["route"]), random_labels(dice)) for _ in range(SETS_OF_EACH_TREE)]
    with ThreadPoolExecutor(2) as pool:
        theirs = list(pool.map(lambda case: amtool_routes(case[0], case[2]), cases))
    ours = [receivers(root, labels) for _, root, labels in cases]
    assert [(case[0].read_text(), case[2]) for case, a, b in zip(cases, ours, theirs, strict=True) if a != b] == []
    assert len({tuple(found) for found in ours}) > 100


def _names(route: dict[str, Any]) -> list[str]:
    return sorted({name for name in _all_names(route) if name})


def _all_names(route: dict[str, Any]) -> Iterator[str]:
    yield route.get("receiver", "")
    for child in route.get("routes", ()):
        yield from _all_names(child)


def test_every_key_is_carried_or_named_with_its_line_and_reason(found: Converted) -> None:
    assert {(row.line, row.path): row.reason for row in found.not_carried if row.path.startswith(("g", "t", "i"))} == {
        (3, "global.resolve_timeout"): "Each sender says itself until when an alert fires; there is nothing to set.",
        (9, "global.smtp_hello"): "Fleetledger greets with the machine's own name.",
        (14, "global.http_config.follow_redirects"): "Fleetledger follows no redirects and speaks HTTP/1.1 here.",
        (16, "templates"): "Go templates: Fleetledger writes its own texts.",
        (105, "inhibit_rules[3]"): ("This rule is left out: without matchers on both sides it is about every alert."),
    }
    every_key_is_carried_or_named(OURS.read_text(), found)


def every_key_is_carried_or_named(text: str, found: Converted) -> None:
    named = [row.path for row in found.not_carried]
    for key in _keys(yaml.safe_load(text), ""):
        is_named = any(key == name or key.startswith((f"{name}.", f"{name}[")) for name in named)
        assert is_named != (key in found.carried), key


def _keys(value: Any, path: str) -> Iterator[str]:
    """The paths of all that holds a value of its own."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _keys(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _keys(item, f"{path}[{index}]")
    else:
        yield path


def test_a_key_that_nobody_knows_is_named_and_not_dropped() -> None:
    text = """\
route: {receiver: a, future: 1}
receivers: [{name: a, webhook_configs: [{url_file: /etc/hook, timeout: 3s}], future_configs: [{x: 1}]}]
tracing: {endpoint: x}
"""
    moved = convert(text)
    assert [(row.line, row.path) for row in moved.not_carried] == [
        (1, "route.future"),
        (2, "receivers[0].future_configs[0]"),
        (2, "receivers[0].webhook_configs[0].timeout"),
        (3, "tracing.endpoint"),
    ]
    assert yaml.safe_load(moved.configuration)["receivers"] == [
        {"name": "a", "webhook": [{"url": {"file": "/etc/hook"}}]}
    ]


def test_no_secret_stands_in_the_configuration_or_in_what_is_said_of_it(found: Converted) -> None:
    said = [found.configuration, *(row.reason for row in found.not_carried), *found.carried, *found.secrets]
    assert [word for word in SECRET_WORDS if any(word in text for text in said)] == []
    assert all(any(word in value for value in found.secrets.values()) for word in ("s3cret-mail", "discordtoken"))
    assert found.secrets["ALERTMANAGER_AUDIT_LOG_WEBHOOK_0_AUTHORIZATION"].startswith("Basic ")
    assert found.secrets["ALERTMANAGER_SPEECH_TELEGRAM_0_URL"] == (
        "tgram://123456789:telegramtokentelegramtokentelegramto/-1001234567890"
    )


def test_a_receiver_of_which_nothing_is_carried_is_named_as_silent(found: Converted) -> None:
    assert found.silent == ("website", "website-chat")


def test_defaults_that_differ_from_ours_are_written_out(found: Converted) -> None:
    moved = {item["name"]: item for item in yaml.safe_load(found.configuration)["receivers"]}
    assert moved["finance"]["email"] == [
        {
            "to": "finance@example.org",
            "from": "Alertmanager <alerts@example.org>",
            "smarthost": "mail.example.org:587",
            "auth_username": "alerts",
            "auth_password": {"env": "ALERTMANAGER_SMTP_AUTH_PASSWORD"},
            "require_tls": True,
            "send_resolved": False,
        }
    ]
    assert moved["audit-log"]["webhook"][0] == {
        "url": "https://audit.example.org/in",
        "headers": {"Authorization": {"env": "ALERTMANAGER_AUDIT_LOG_WEBHOOK_0_AUTHORIZATION"}},
        "max_alerts": 100,
        "ca_file": "/etc/ssl/own.pem",
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("receivers: []", "'route' is missing"),
        ("route: {receiver: a", "This is no YAML"),
        (
            "route: {receiver: b}\nreceivers: [{name: a}]",
            "alertmanager.yml:1: route.receiver: No receiver is called 'b'",
        ),
        ("route: {receiver: a, routes: {x: 1}}\nreceivers: [{name: a}]", "'routes' must be a list"),
        (
            "route: {receiver: a, routes: [{mute_time_intervals: [n]}]}\nreceivers: [{name: a}]",
            "time interval is called",
        ),
        ("route: &r {receiver: a, routes: [{<<: *r}]}\nreceivers: [{name: a}]", "too deep or too large"),
        ("route: {receiver: a, group_wait: soon}\nreceivers: [{name: a}]", "'group_wait' must be a duration"),
        ("route: {receiver: a}\nreceivers: [7]", "An entry of 'receivers' must be a mapping"),
        ("- 1", "must hold keys with values"),
    ],
)
def test_a_file_that_alertmanager_would_refuse_is_refused_with_its_line(text: str, words: str) -> None:
    with pytest.raises(config.ConfigError, match=words):
        convert(text)


def test_a_route_that_cannot_be_carried_is_left_out_and_said() -> None:
    text = """\
route:
  receiver: a
  routes:
    - receiver: a
      match_re: {x: '(?=lookahead)'}
"""
    moved = convert(text + "receivers: [{name: a}]\n")
    assert [(row.line, row.path) for row in moved.not_carried] == [(4, "route.routes[0]")]
    assert "left out" in moved.not_carried[0].reason


@pytest.mark.django_db
def test_the_command_applies_once_and_writes_secrets_for_their_owner_alone(tmp_path: Path) -> None:
    Team.objects.create(slug="acme", name="Acme")
    secrets = tmp_path / "secrets.env"
    said = StringIO()
    call_command("import-alertmanager", str(OURS), team="acme", secrets_file=str(secrets), stdout=said)
    acme = Team.objects.get(slug="acme")
    assert trees.tree_for(acme.pk).is_own
    assert trees.tree_for(None).version == 0
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert "ALERTMANAGER_SMTP_AUTH_PASSWORD=s3cret-mail-password\n" in secrets.read_text()
    assert not any(word in said.getvalue() for word in SECRET_WORDS)
    again = StringIO()
    call_command("import-alertmanager", str(OURS), team="acme", stdout=again)
    assert again.getvalue().splitlines()[-1] == "Done."
    assert not any(line.startswith(("+", "~", "-")) for line in again.getvalue().splitlines())


@pytest.mark.django_db
def test_the_command_only_looks_or_only_writes_where_it_is_told_so(tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    call_command("import-alertmanager", str(OURS), dry_run=True, stdout=StringIO())
    call_command("import-alertmanager", str(OURS), output=str(file), stdout=StringIO())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert trees.tree_for(None).version == 0
    assert config.apply([("ours.yaml", file.read_text())], dry_run=True).changes
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import-alertmanager", str(tmp_path / "none.yml"))
