"""Our trees beside Alertmanager's own: amtool reads what we give it, and routes as we do."""

import json
import random
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleetledger.fleet import config
from monitoring.alerts import alertmanager_yaml, routing, trees
from tests.alerts.test_config import WHOLE

pytestmark = pytest.mark.realtime
SEED = 20261102
TREES, SETS_OF_LABELS = 10, 20
NAMES = ("severity", "team", "node")
VALUES = ("", "critical", "gpu-12", "xay", 'say "hi"', "back\\slash", "zwei größen")
EXPRESSIONS = (
    "crit.*",
    "(?i)CRITICAL|xay",
    "gpu",
    "gpu-\\d+",
    ".+",
    "",
    'say "hi"',
    "[^a]*",
    "zwei\\sgr.*",
    "back\\\\.*",
)
Document = Mapping[str, Any]


def amtool(*words: str) -> str:
    done = subprocess.run(["amtool", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def random_route(chance: random.Random, depth: int = 0) -> dict[str, Any]:
    route: dict[str, Any] = {"receiver": f"r{chance.randrange(1000)}"} if depth == 0 or chance.random() < 0.8 else {}
    if depth:
        route |= random_conditions(chance)
        route["continue"] = chance.random() < 0.4
    if depth < 3:
        route["routes"] = [random_route(chance, depth + 1) for _ in range(chance.randrange(1, 5))]
    return route


def random_conditions(chance: random.Random) -> dict[str, Any]:
    """Old and new matchers; now and then none at all, which matches everything."""
    found: dict[str, Any] = {}
    if chance.random() < 0.3:
        found["match"] = {chance.choice(NAMES): chance.choice(VALUES)}
    if chance.random() < 0.3:
        found["match_re"] = {chance.choice(NAMES): chance.choice(EXPRESSIONS)}
    if chance.random() < 0.3 or (not found and chance.random() < 0.9):
        found["matchers"] = [random_matcher(chance) for _ in range(chance.randrange(1, 3))]
    return found


def random_matcher(chance: random.Random) -> str:
    op = chance.choice(["=", "!=", "=~", "!~"])
    value = chance.choice(EXPRESSIONS if "~" in op else VALUES)
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    text = f'{chance.choice(NAMES)}{op}"{quoted}"'
    return chance.choice([text, "{" + text + "}", text.replace(op, f" {op} ", 1)])


def random_labels(chance: random.Random) -> dict[str, str]:
    names = chance.sample(NAMES, chance.randrange(len(NAMES) + 1))
    return {"alertname": "X"} | {name: value for name in names if (value := chance.choice(VALUES))}


def as_alertmanager_has_it(route: Document, file: Path) -> Path:
    names = sorted(set(_receivers(route)))
    file.write_text(yaml.safe_dump({"route": route, "receivers": [{"name": name} for name in names]}))
    return file


def _receivers(route: Document) -> Iterator[str]:
    if "receiver" in route:
        yield route["receiver"]
    for child in route.get("routes", ()):
        yield from _receivers(child)


def amtool_routes(file: Path, labels: Mapping[str, str]) -> list[str]:
    words = [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels.items()]
    return amtool("config", "routes", "test", f"--config.file={file}", *words).strip().split(",")


def ours(route: Document, labels: Mapping[str, str]) -> list[str]:
    return [found.receiver for found in routing.matched(routing.route_of(route), labels)]


def test_random_labels_take_the_routes_that_amtool_finds(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    cases = []
    for number in range(TREES):
        route = random_route(chance)
        file = as_alertmanager_has_it(route, tmp_path / f"{number}.yml")
        cases += [(route, file, random_labels(chance)) for _ in range(SETS_OF_LABELS)]
    with ThreadPoolExecutor(2) as pool:
        theirs = list(pool.map(lambda case: amtool_routes(case[1], case[2]), cases))
    found = [ours(route, labels) for route, _, labels in cases]
    differing = [
        (case[1].read_text(), case[2], a, b) for case, a, b in zip(cases, found, theirs, strict=True) if a != b
    ]
    assert differing == []
    assert len({tuple(receivers) for receivers in found}) > 30
    assert sum(len(receivers) > 1 for receivers in found) > 10


@pytest.mark.django_db
def test_the_whole_configuration_is_read_by_amtool_with_its_secrets_redacted(tmp_path: Path) -> None:
    config.apply([("fleet.yaml", WHOLE)])
    text = alertmanager_yaml.original(trees.tree_for(None))
    file = tmp_path / "original.yml"
    file.write_text(text)
    assert " - 2 inhibit rules\n - 3 receivers\n" in amtool("check-config", str(file))
    for secret in ("PAGERDUTY_KEY", "HOOK", "/run/secrets"):
        assert secret not in text
    pager = next(receiver for receiver in yaml.safe_load(text)["receivers"] if receiver["name"] == "pager")
    assert pager == {
        "name": "pager",
        "webhook_configs": [
            {"url": "https://<secret>/"},
            {"url": "https://hooks.example.org/<secret>", "max_alerts": 10, "send_resolved": False},
        ],
        "slack_configs": [{"api_url": "<secret>", "channel": "#gpu"}],
        "pagerduty_configs": [{"routing_key": "<secret>", "severity": "critical"}],
    }
    chance = random.Random(SEED)
    for _ in range(10):
        labels = random_labels(chance) | {"team": chance.choice(("vision", "x"))}
        assert amtool_routes(file, labels) == ours(trees.tree_for(None).document.route, labels)


@pytest.mark.django_db
def test_the_tree_that_nobody_applied_is_read_by_amtool(tmp_path: Path) -> None:
    file = tmp_path / "original.yml"
    file.write_text(alertmanager_yaml.original(trees.tree_for(None)))
    assert amtool_routes(file, {"alertname": "X"}) == ["default"]
