"""The rule packs: valid for Prometheus, each rule tried in promtool's own tests, and explained in the product."""

import csv
import io
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from django.test import Client

from fleetledger import cli
from monitoring.alerts.rules import pack, runbooks
from monitoring.alerts.rules.errors import RuleError
from tests import prometheus, world

FOLDER = Path(__file__).with_name("pack")
RULES = Path(pack.__file__).parent
SEVERITIES = {"critical", "warning", "info", "none"}
ALL = [rule for name in pack.NAMES for rule in pack.rules(name)]


def promtool(*arguments: str) -> str:
    """What promtool says; empty where it is content."""
    done = subprocess.run([prometheus.PROMTOOL, *arguments], check=False, capture_output=True, text=True, timeout=120)
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("name", pack.NAMES)
def test_prometheus_takes_the_pack(name: str) -> None:
    assert promtool("check", "rules", str(RULES / f"{name}.yml")) == ""


@pytest.mark.parametrize("name", pack.NAMES)
def test_its_rules_fire_where_they_should_and_nowhere_else(name: str) -> None:
    assert promtool("test", "rules", str(FOLDER / f"{name}.test.yml")) == ""


@pytest.mark.parametrize("name", pack.NAMES)
def test_every_rule_is_seen_to_fire_and_not_to_fire(name: str) -> None:
    """In each test that makes a rule fire, an earlier instant has no alert at all, or another one."""
    tests = yaml.safe_load((FOLDER / f"{name}.test.yml").read_text())["tests"]
    fires: set[str] = set()
    rests: set[str] = set()
    for test in tests:
        instants = [_alert_names(check["exp_samples"], check["expr"]) for check in test["promql_expr_test"]]
        every = set[str]().union(*instants)
        fires |= every
        rests |= {alert for alert in every if any(alert not in instant for instant in instants)}
    names = {rule.name for rule in pack.rules(name)}
    assert fires == names
    assert names - rests <= pack.ELSEWHERE  # the Watchdog never rests


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_every_rule_says_how_bad_it_is_and_what_to_do(rule: pack.PackRule) -> None:
    assert rule.labels["severity"] in SEVERITIES
    assert set(rule.annotations) == {"summary", "description", "runbook_url"}
    assert rule.annotations["runbook_url"] == f"/help/runbooks/#{rule.name}"
    book = runbooks.named(rule.name)
    assert book is not None
    assert book.meaning
    assert book.steps


def test_every_runbook_is_of_something_that_alerts() -> None:
    assert {book.name for book in runbooks.every()} == {rule.name for rule in ALL} | runbooks.of_our_own()


def test_the_pack_can_point_at_runbooks_elsewhere() -> None:
    text = pack.text("gpu", "https://ledger.example.org/")
    assert 'runbook_url: "https://ledger.example.org/help/runbooks/#GpuXidFatal"' in text
    assert len(yaml.safe_load(text)["groups"]) == len(yaml.safe_load(pack.text("gpu"))["groups"])


def test_there_is_no_pack_of_another_name() -> None:
    with pytest.raises(RuleError, match=r"No pack is called 'cpu'\. Known: gpu, fleetledger\."):
        pack.text("cpu")


@pytest.mark.conformance
def test_a_field_that_dcgm_renamed_is_asked_for_by_both_names(shared_data: Path) -> None:
    with (shared_data / "dcgm" / "dcgm_field_aliases_4.6.0.csv").open() as file:
        renamed = {row[0]: row[1] for row in csv.reader(file)}
    for rule in pack.rules("gpu"):
        asked = set(re.findall(r"DCGM_FI_[A-Z0-9_]+", rule.expr))
        for old in asked & renamed.keys():
            assert renamed[old] in asked, f"{rule.name} asks for {old} alone"


def _alert_names(samples: list[dict[str, str]], expr: str) -> set[str]:
    named = {found for sample in samples for found in re.findall(r'alertname="(\w+)"', sample["labels"])}
    asked = set(re.findall(r'alertname="(\w+)"', expr))
    return named or (asked if samples else set())


def test_the_command_writes_a_pack_without_any_server() -> None:
    out = io.StringIO()
    call_command("rule-pack", "fleetledger", "--base-url", "https://ledger.example.org", stdout=out)
    assert out.getvalue() == pack.text("fleetledger", "https://ledger.example.org").rstrip("\n") + "\n"
    assert "rule-pack" in cli.NEEDS_NOTHING


def test_the_command_lists_every_rule_with_its_severity() -> None:
    out = io.StringIO()
    call_command("rule-pack", "--list", stdout=out)
    assert [line.split() for line in out.getvalue().splitlines()] == [
        [rule.pack, rule.name, rule.labels["severity"]] for rule in ALL
    ]


@pytest.mark.django_db
def test_the_page_explains_every_alert_at_its_anchor_and_gives_the_files() -> None:
    client = Client()
    client.force_login(world.user())
    page = client.get("/help/runbooks/").content.decode()
    for book in runbooks.every():
        assert f'<li id="{book.name}">' in page
    file = client.get("/alerts/rules/packs/gpu.yml")
    assert file.content.decode() == pack.text("gpu", settings.BASE_URL)
    assert file["Content-Disposition"] == 'attachment; filename="gpu.yml"'
    assert client.get("/alerts/rules/packs/cpu.yml").status_code == 404
    assert Client().get("/help/runbooks/").status_code == 302
