"""Rules in the configuration file: applied together, refused with file, line and key, written back as they were."""

import re

import pytest
import yaml
from django.db.models import QuerySet

from fleetledger.fleet import config
from monitoring.alerts.models import Alert, Heartbeat, Rule, RuleInstance
from monitoring.alerts.rules import defaults, evaluate, facts, pack
from tests import world as fleet
from tests.alerts import rules_world, world
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db
WHOLE = """\
teams: [{slug: vision}]
sources: [{name: prom1, kind: prometheus, url: "http://127.0.0.1:9090", cluster: c1}]
rules:
  - name: GpuIdle
    source: prom1
    expr: "avg_over_time(DCGM_FI_PROF_GR_ENGINE_ACTIVE[1h]) < 0.05"
    for: 1h
    keep_firing_for: 10m
    interval: 30s
    options: {limit: 200, waste: gpu}
    labels: {severity: warning, node: "{{ $labels.Hostname }}"}
    annotations: {summary: "{{ $value | humanizePercentage }} busy", runbook_url: "https://example.org/idle"}
  - {name: GpuIdle, team: vision, source: prom1, expr: up == 0, enabled: false}
  - {name: Idle, fact: idle_gpus, for: 1h, options: {window: 30m, by: team}, labels: {severity: info}}
  - {name: nightly-backup, heartbeat: {every: 1d, grace: 1h}, labels: {severity: critical}}
  - {name: exporter, team: vision, heartbeat: {every: 10m}}
"""


@pytest.fixture(autouse=True)
def _clock() -> None:
    world.set_clock()


def apply(text: str) -> config.Outcome:
    return config.apply([("fleet.yaml", text)])


def lines(text: str) -> list[str]:
    return [str(change) for change in apply(text).changes]


def mistakes(text: str) -> list[str]:
    with pytest.raises(config.ConfigError) as caught:
        apply(text)
    return str(caught.value).splitlines()


def refused(entry: str) -> str:
    """The one mistake of a rule, without file and line."""
    (mistake,) = mistakes(
        f'sources: [{{name: prom1, kind: prometheus, url: "http://127.0.0.1:9090"}}]\nrules:\n  - {entry}\n'
    )
    assert mistake.startswith("fleet.yaml:3: rules[0]")
    return mistake.removeprefix("fleet.yaml:3: rules[0]")


def own() -> QuerySet[Rule]:
    return Rule.objects.filter(is_ours=False)


def test_rules_are_brought_in_and_shown() -> None:
    shown = lines(WHOLE)[3:]
    times, idle = "for_s 0.0, keep_firing_for_s 0.0, interval_s 60.0", "fact idle_gpus, options {window: 30m, by: team}"
    hour = times.replace("0", "3600", 1)
    assert shown[0].startswith("+ rule GpuIdle: labels {severity: warning, node: {{ $labels.Hostname }}}")
    assert shown[1:] == [
        f"+ rule vision/GpuIdle: kind promql, source prom1, expr up == 0, {times}, is_enabled no, is_ours no",
        f"+ rule Idle: labels {{severity: info}}, kind fact, {idle}, {hour}, is_enabled yes, is_ours no",
        "+ heartbeat nightly-backup: labels {severity: critical}, interval_s 86400.0, grace_s 3600.0",
        "+ heartbeat vision/exporter: interval_s 600.0, grace_s 0.0",
    ]
    rule = Rule.objects.get(name="GpuIdle", team=None)
    assert (rule.for_s, rule.keep_firing_for_s, rule.interval_s) == (3600, 600, 30)
    assert rule.options == {"limit": 200, "waste": "gpu"}


def test_the_second_time_nothing_changes() -> None:
    apply(WHOLE)
    assert apply(WHOLE).changes == ()


def test_what_is_exported_applies_as_no_change() -> None:
    apply(WHOLE + "  - {pack: gpu, source: prom1, except: [GpuPowerCapped], interval: 2m, labels: {team: sre}}\n")
    defaults.ensure(world.START)
    exported = config.export()
    assert apply(exported).changes == ()
    assert yaml.safe_load(exported)["rules"] == [
        {"pack": "gpu", "source": "prom1", "except": ["GpuPowerCapped"], "interval": "2m", "labels": {"team": "sre"}},
        {
            "name": "GpuIdle",
            "team": "vision",
            "source": "prom1",
            "expr": "up == 0",
            "enabled": False,
        },
        yaml.safe_load(WHOLE)["rules"][0],
        yaml.safe_load(WHOLE)["rules"][2],
        {"name": "exporter", "team": "vision", "heartbeat": {"every": "10m"}},
        {"name": "nightly-backup", "heartbeat": {"every": "1d", "grace": "1h"}, "labels": {"severity": "critical"}},
    ]


def test_a_rule_that_is_taken_out_is_removed_and_what_fires_by_it_resolves() -> None:
    apply(WHOLE)
    rule = _firing("Idle")
    removed = ["- rule GpuIdle", "- rule Idle", "- rule vision/GpuIdle"]
    assert sorted(lines("rules: []")) == removed
    assert own().count() == 0
    assert Alert.objects.get(name=rule.name).state == "resolved"
    assert Heartbeat.objects.count() == 2


def test_a_rule_that_is_switched_off_resolves_what_fires_by_it() -> None:
    apply(WHOLE)
    _firing("Idle")
    apply(WHOLE.replace("{name: Idle,", "{name: Idle, enabled: false,"))
    assert Alert.objects.get(name="Idle").state == "resolved"
    assert RuleInstance.objects.count() == 0


def test_a_changed_rule_is_due_at_once_and_keeps_what_it_knows() -> None:
    apply(WHOLE)
    rule = _firing("Idle")
    Rule.objects.filter(pk=rule.pk).update(due_at=rules_world.at(600), lease_until=rules_world.at(700))
    assert lines(WHOLE.replace("window: 30m", "window: 1h")) == [
        "~ rule Idle: options {by: team, window: 30m} -> {window: 1h, by: team}"
    ]
    rule.refresh_from_db()
    assert (rule.due_at, rule.lease_until, rule.instances.count()) == (world.START, None, 1)


def test_a_rule_can_take_the_place_of_one_that_exists_by_itself() -> None:
    defaults.ensure(world.START)
    apply("rules: [{name: SenderSilent, fact: sender_silent, options: {after: 3h}, enabled: false}]")
    defaults.ensure(world.START)
    assert own().values_list("name", "is_enabled", "options").get() == ("SenderSilent", False, {"after": "3h"})
    apply("rules: []")
    defaults.ensure(world.START)
    assert (own().count(), Rule.objects.get(name="SenderSilent").is_enabled) == (0, True)


def test_a_pack_is_evaluated_on_a_source_under_its_alerts_own_names() -> None:
    apply(
        """
sources: [{name: prom1, kind: prometheus, url: "http://127.0.0.1:9090"}]
rules: [{pack: gpu, source: prom1, labels: {region: eu}}, {pack: fleetledger, source: prom1}]
"""
    )
    rules = Rule.objects.filter(is_ours=True)
    here = sum(not rule.is_for_elsewhere for name in pack.NAMES for rule in pack.rules(name))
    assert rules.count() == here
    rule = rules.get(name="GpuXidFatal/prom1")
    assert (rule.options["alert"], rule.labels) == ("GpuXidFatal", {"severity": "critical", "region": "eu"})
    assert "rate" not in rule.expr
    assert rules.get(name="GpuIdleButAllocated/prom1").options["waste"] == "value"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{name: A}", ": A rule has one of expr, fact, heartbeat, pack, and no other of them."),
        ("{name: A, expr: up, fact: x}", ": A rule has one of expr, fact, heartbeat, pack, and no other of them."),
        ("{expr: up, source: prom1}", ": 'name' is missing."),
        ("{name: A, expr: up}", ": 'source' is missing: name the Prometheus that is asked."),
        (
            "{name: A, expr: up, source: prom2}",
            ".source: No source of kind prometheus is called 'prom2'. Known: prom1.",
        ),
        ("{name: A, fact: idle_gpus, source: prom1}", ".source: 'source' has no meaning beside 'fact'. Take it out."),
        ("{name: A, heartbeat: {every: 5m}, for: 1m}", ".for: 'for' has no meaning beside 'heartbeat'. Take it out."),
        (
            "{name: A, heartbeat: {every: 5s}}",
            ".heartbeat.every: A heartbeat comes every 10 s at most. Give a longer interval.",
        ),
        ("{name: A, team: nobody, fact: idle_gpus}", ".team: No team is called 'nobody'. Add it under 'teams'."),
        (
            "{name: A, expr: up, source: prom1, interval: 1s}",
            ".interval: A rule is evaluated every 5 s at most. Give a longer interval.",
        ),
        (
            "{name: A, expr: up, source: prom1, options: {limit: 0}}",
            ".options.limit: '0' is no limit. Write a whole number from 1 on.",
        ),
        (
            "{name: A, expr: up, source: prom1, options: {below: 1}}",
            ".options.below: 'below: 1' is no option of an expression. Known: limit, and waste with gpu or value.",
        ),
        (
            "{name: A, fact: idle_gpus, options: {below: 5}}",
            ".options.below: '5' does not fit. Write a share from 0 to 1, such as 0.05.",
        ),
        (
            "{name: A, fact: idle_gpus, options: {windw: 1h}}",
            ".options.windw: No option is called 'windw' here. Known: below, by, held, measured, window.",
        ),
        (
            "{name: A, fact: idle_gpus, options: {window: 2d}}",
            ".options.window: A window for idle GPUs lasts from 10m to 1d.",
        ),
        (
            "{name: A, expr: up, source: prom1, labels: {alertname: B}}",
            ".labels.alertname: 'alertname' names no label that a rule can give. Take another name.",
        ),
        (
            "{name: A, expr: up, source: prom1, labels: {a-b: B}}",
            ".labels.a-b: 'a-b' names no label that a rule can give. Take another name.",
        ),
        ("{pack: cpu, source: prom1}", ".pack: No pack is called 'cpu'. Known: gpu, fleetledger."),
        (
            "{pack: gpu, source: prom1, except: [X]}",
            ".except[0]: The pack has no rule 'X'. See: fleetledger rule-pack --list.",
        ),
    ],
)
def test_a_wrong_rule_is_refused_with_the_fix(entry: str, said: str) -> None:
    assert refused(entry) == said
    assert own().count() == 0


def test_an_unknown_fact_is_refused_with_the_one_that_was_meant() -> None:
    said = refused("{name: A, fact: idle_gpu}")
    assert said.startswith(".fact: No fact is called 'idle_gpu'. Did you mean 'idle_gpus'? Known: ")


@pytest.mark.parametrize("where", ["labels", "annotations"])
def test_what_cannot_be_rendered_is_refused(where: str) -> None:
    said = refused(f"{{name: A, expr: up, source: prom1, {where}: {{x: \"{{{{ query 'up' }}}}\"}}}}")
    assert said.startswith(f".{where}.x: '{{{{ query 'up' }}}}' cannot be rendered. Write {{{{ $labels.NAME }}}}")


def test_a_name_stands_once_for_each_tenant() -> None:
    apply("teams: [{slug: vision}]")
    assert mistakes(
        """\
rules:
  - {name: A, fact: idle_gpus}
  - {name: A, fact: idle_gpus, team: vision}
  - {name: A, fact: source_behind}
"""
    ) == ["fleet.yaml:4: rules[2].name: The rule 'A' stands twice. Give one another name."]


def test_heartbeats_that_the_file_leaves_out_stay() -> None:
    apply(WHOLE)
    Heartbeat.objects.create(name="by-hand", interval_s=60, created_at=world.START)
    outcome = apply(WHOLE)
    assert outcome.changes == ()
    assert "Not named in the file, so left as it is: 1 of heartbeats (by-hand)." in outcome.notes


def _firing(name: str) -> Rule:
    """A rule of that name with one instance that fires."""
    rule = Rule.objects.get(name=name)
    team = fleet.team("audio")
    RuleInstance.objects.create(
        rule=rule, team=team, fingerprint="0" * 16, labels={"alertname": name}, active_at=world.START,
        fired_at=world.START,
    )  # fmt: skip
    standing = {(row.team_id, row.fingerprint): evaluate._instance(row) for row in rule.instances.all()}
    evaluate._report(rule, {}, standing)
    assert Alert.objects.get(name=name, team=team).state == "firing"
    return rule


def test_the_readmes_example_is_taken() -> None:
    readme = (ROOT / "README.md").read_text()
    (example,) = [block for block in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL) if block.startswith("rules:")]
    apply(f'sources: [{{name: prom1, kind: prometheus, url: "http://127.0.0.1:9090"}}]\n{example}')
    assert own().count() == 3
    assert Heartbeat.objects.get().name == "nightly-backup"
    named = re.findall(r"`(\w+)`", readme[readme.index("Facts: `idle_gpus`") :].split(";")[0])
    assert set(named) == set(facts.names())
