"""Objectives in the configuration file: applied together, refused with line and key, written back as they were."""

import re
from decimal import Decimal

import pytest
import yaml

from fleetledger.fleet import config
from monitoring.availability.models import Slo, SloPoint, SloState, SloVerdict
from monitoring.availability.slo import alerts
from monitoring.availability.slo.counting import terms
from tests.alerts.world import START, set_clock
from tests.availability.slo_world import firing
from tests.conftest import ROOT

pytestmark = pytest.mark.django_db
HEAD = """\
teams: [{slug: vision}, {slug: audio}]
sources: [{name: prom1, kind: prometheus, url: "http://127.0.0.1:9090", cluster: c1}]
components: [{name: api, title: API, team: vision}, {name: ours}]
"""
WHOLE = f"""{HEAD}slos:
  - name: inference-api
    component: api
    objective: 99.9
    window: 30d
    good: 'http_requests_total{{code!~"5.."}}'
    total: http_requests_total
  - name: latency
    title: Answers within 300 ms
    description: Nine of ten are quick.
    team: audio
    objective: 90
    window: 4w
    source: prom1
    bad: "sum(rate(slow_total[{{{{.window}}}}]))"
    total: "sum(rate(all_total[ $window ]))"
    scrape_interval: 1m
    interval: 2m
    guard: {{min_events: 10, min_errors: 0}}
    alerting: false
    labels: {{tier: gold}}
    annotations: {{runbook_url: "https://example.org/slow"}}
  - {{name: uptime, component: ours, kind: time, objective: 99.5, window: 7d}}
"""


@pytest.fixture(autouse=True)
def _clock() -> None:
    set_clock()


def apply(text: str) -> config.Outcome:
    return config.apply([("fleet.yaml", text)])


def lines(text: str) -> list[str]:
    return [str(change) for change in apply(text).changes]


def refused(entry: str) -> str:
    """The one mistake of an objective, without file and line."""
    with pytest.raises(config.ConfigError) as caught:
        apply(f"{HEAD}slos:\n  - {entry}\n")
    (mistake,) = str(caught.value).splitlines()
    assert mistake.startswith("fleet.yaml:5: slos[0]")
    return mistake.removeprefix("fleet.yaml:5: slos[0]")


def test_objectives_are_brought_in_and_shown() -> None:
    shown = [line for line in lines(WHOLE) if line.startswith("+ slo ")]
    usual = "min_events 100, min_errors 5, interval_s 60, is_alerting yes"
    first, second, third = shown
    assert first == (
        f"+ slo inference-api: title inference-api, component api, team vision, objective 99.9, period_days 30, "
        f'kind events, {usual}, source prom1, expr http_requests_total{{code!~"5.."}}, counts_bad no, '
        "total http_requests_total"
    )
    assert second == (
        "+ slo latency: title Answers within 300 ms, description Nine of ten are quick., team audio, objective 90, "
        "period_days 28, kind events, min_events 10, min_errors 0, interval_s 120, is_alerting no, "
        "labels {tier: gold}, annotations {runbook_url: https://example.org/slow}, source prom1, "
        "expr sum(rate(slow_total[$window])), counts_bad yes, total sum(rate(all_total[$window])), "
        "scrape_interval_s 60"
    )
    assert third == (
        f"+ slo uptime: title uptime, component ours, objective 99.5, period_days 7, kind time, {usual}, counts_bad no"
    )
    assert terms(Slo.objects.get(name="inference-api")).allowed == Decimal("0.001")
    assert list(SloState.objects.values_list("due_at", flat=True)) == [START] * 3


def test_the_second_time_nothing_changes_and_what_is_exported_applies_as_no_change() -> None:
    apply(WHOLE)
    assert apply(WHOLE).changes == ()
    exported = config.export()
    assert apply(exported).changes == ()
    assert yaml.safe_load(exported)["slos"] == [
        {
            "name": "inference-api",
            "title": "inference-api",
            "team": "vision",
            "component": "api",
            "objective": 99.9,
            "window": "30d",
            "kind": "events",
            "source": "prom1",
            "good": 'http_requests_total{code!~"5.."}',
            "total": "http_requests_total",
        },
        {
            "name": "latency",
            "title": "Answers within 300 ms",
            "description": "Nine of ten are quick.",
            "team": "audio",
            "objective": 90,
            "window": "28d",
            "kind": "events",
            "source": "prom1",
            "bad": "sum(rate(slow_total[$window]))",
            "total": "sum(rate(all_total[$window]))",
            "scrape_interval": "1m",
            "interval": "2m",
            "guard": {"min_events": 10, "min_errors": 0},
            "alerting": False,
            "labels": {"tier": "gold"},
            "annotations": {"runbook_url": "https://example.org/slow"},
        },
        {
            "name": "uptime",
            "title": "uptime",
            "team": None,
            "component": "ours",
            "objective": 99.5,
            "window": "7d",
            "kind": "time",
        },
    ]


def test_one_that_is_taken_out_is_silent_keeps_its_past_and_comes_back_with_it() -> None:
    apply(WHOLE)
    slo = _burning("inference-api")
    assert firing() != []
    assert lines(f"{HEAD}slos: []")[0] == "- slo inference-api: what was counted of it stays"
    assert (firing(), SloVerdict.objects.count(), SloPoint.objects.count()) == ([], 0, 1)
    assert Slo.objects.filter(removed_at=None).count() == 0
    assert "+ slo inference-api: with its past" in lines(WHOLE)
    assert (Slo.objects.get(removed_at=None, name="inference-api").pk, SloPoint.objects.count()) == (slo.pk, 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("total: http_requests_total", "total: other_total"),
        ("good: 'http_requests_total{code!~\"5..\"}'", "bad: 'http_requests_total{code!~\"5..\"}'"),
    ],
)
def test_one_that_counts_something_else_begins_anew(before: str, after: str) -> None:
    apply(WHOLE)
    _burning("inference-api")
    assert before in WHOLE
    apply(WHOLE.replace(before, after))
    assert (firing(), SloVerdict.objects.count(), SloPoint.objects.count()) == ([], 0, 0)
    state = SloState.objects.get(slo__name="inference-api")
    assert (state.counted_until, state.since_at, state.bad, state.lease_until) == (None, None, 0, None)


def test_another_objective_keeps_what_was_counted_and_is_due_at_once() -> None:
    apply(WHOLE)
    slo = _burning("inference-api")
    SloState.objects.filter(slo=slo).update(due_at=START.replace(year=2027), lease_until=START.replace(year=2027))
    assert lines(WHOLE.replace("objective: 99.9\n", "objective: 99\n")) == [
        "~ slo inference-api: objective 99.900000 -> 99"
    ]
    assert (SloPoint.objects.count(), len(firing())) == (1, 1)
    assert SloState.objects.values_list("due_at", "lease_until").get(slo=slo) == (START, None)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("component: api\n", "component: api\n    team: audio\n"),
        ("window: 30d\n", "window: 30d\n    alerting: false\n"),
    ],
)
def test_another_team_or_no_alerting_ends_its_alerts(before: str, after: str) -> None:
    apply(WHOLE)
    _burning("inference-api")
    apply(WHOLE.replace(before, after, 1))
    assert firing() == []


def test_what_can_never_fire_is_noted() -> None:
    notes = apply(
        WHOLE.replace("alerting: false", "alerting: true").replace("objective: 90\n", "objective: 80\n")
    ).notes
    assert notes == ("'latency' allows so much to fail that nothing can exceed it over 1h, 6h.",)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            "{name: a, objective: 99.9, good: x}",
            ": Events are counted by 'total' and one of 'good' and 'bad'. Give both, or 'kind: time'.",
        ),
        (
            "{name: a, objective: 99.9, good: x, bad: y, total: z}",
            ": Events are counted by 'total' and one of 'good' and 'bad'. Give both, or 'kind: time'.",
        ),
        (
            "{name: a, objective: 99.9}",
            ": Events are counted by 'total' and one of 'good' and 'bad'. Give both, or 'kind: time'.",
        ),
        ("{name: a, objective: 99.9, kind: time}", ": 'component' is missing: time is counted by what its probes see."),
        (
            "{name: a, objective: 99.9, kind: time, component: api, total: x}",
            ".total: 'total' has no meaning where time is counted. Take it out.",
        ),
        (
            "{name: a, objective: 99.9, component: web, kind: time}",
            ".component: No component is called 'web'. Known: api, ours.",
        ),
        (
            "{name: a, objective: 99.9, team: nobody, good: x, total: y}",
            ".team: No team is called 'nobody'. Known: audio, vision.",
        ),
        (
            "{name: a, objective: 99.9, source: prom2, good: x, total: y}",
            ".source: No source of kind prometheus is called 'prom2'. Known: prom1.",
        ),
        (
            "{name: a, objective: 99.9, window: 31h, good: x, total: y}",
            ".window: A window lasts whole days, from 7d to 90d. Usual is 30d.",
        ),
        (
            "{name: a, objective: 99.9, window: 6d, good: x, total: y}",
            ".window: A window lasts whole days, from 7d to 90d. Usual is 30d.",
        ),
        (
            "{name: a, objective: 99.9, interval: 5s, good: x, total: y}",
            ".interval: It is evaluated every 15s to every 1h. Usual is 1m.",
        ),
        (
            "{name: a, objective: 99.99999999, good: x, total: y}",
            ".objective: Write it in percent, with at most 6 decimals, such as 99.95.",
        ),
        (
            "{name: a, objective: 99, labels: {severity: x}, good: x, total: y}",
            ".labels.severity: 'severity' names no label that an objective can give. Take another name.",
        ),
        (
            "{name: a, objective: 99, good: 'sum(rate(x[5m]))', total: y}",
            ".good: Write [$window] in place of [5m]: each window asks for a range of its own.",
        ),
        (
            "{name: a, objective: 99, good: 'sum(irate(x[$window]))', total: y}",
            ".good: irate() does not count over a window. Take increase() or rate() over [$window].",
        ),
        (
            "{name: a, objective: 99, good: 'rate(x[$window]) + increase(y[$window])', total: y}",
            ".good: It mixes rate() with increase(). Take one of them throughout.",
        ),
    ],
)
def test_a_wrong_objective_is_refused_with_the_fix(entry: str, said: str) -> None:
    assert refused(entry) == said
    assert Slo.objects.count() == 0


@pytest.mark.parametrize("objective", ["0", "100", "-1", "'99.9'", "true", ".nan", ".inf", "1e400"])
def test_an_objective_lies_between_0_and_100(objective: str) -> None:
    assert refused(f"{{name: a, objective: {objective}, good: x, total: y}}").startswith(".objective: ")


@pytest.mark.parametrize("text", ["a + b", "sum(x)", "5", 'x{a="[$window]"} or y', "x[$window]", "max(x[$window])"])
def test_what_counts_nothing_is_refused_with_both_forms(text: str) -> None:
    said = refused(f"{{name: a, objective: 99, good: {text!r}, total: y}}")
    assert said.startswith(".good: ")


def test_where_several_could_count_one_is_named() -> None:
    two = HEAD.replace(
        "cluster: c1}]", "cluster: c1}, {name: prom2, kind: prometheus, url: 'http://h:1', cluster: c1}]"
    )
    with pytest.raises(config.ConfigError) as caught:
        apply(f"{two}slos: [{{name: a, objective: 99, good: x, total: y}}]")
    assert str(caught.value).endswith(
        "slos[0]: 'source' is missing: name the Prometheus that counts. Known: prom1, prom2."
    )


def test_a_name_stands_once() -> None:
    one = "{name: uptime, objective: 99, good: x, total: y}"
    with pytest.raises(config.ConfigError) as caught:
        apply(f"{HEAD}slos:\n  - {one}\n  - {one}\n")
    assert str(caught.value) == (
        "fleet.yaml:6: slos[1].name: The objective 'uptime' stands twice. Give one another name."
    )


def _burning(name: str) -> Slo:
    """An objective of which something was counted, and that burns."""
    slo = Slo.objects.get(name=name)
    SloPoint.objects.create(
        slo=slo, at=START, until_at=START.replace(hour=13), objective=slo.objective, bad=1, total=2, covered_s=3600,
        expected_s=3600,
    )  # fmt: skip
    row = SloVerdict.objects.create(
        slo=slo, long_s=3600, short_s=300, severity="page", outcome="fires", at=START, fires=True, fired_at=START
    )
    alerts.report(slo, SloState.objects.get(slo=slo), [row], terms(slo))
    return slo


def test_the_readmes_example_is_taken() -> None:
    readme = (ROOT / "README.md").read_text()
    (example,) = [block for block in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL) if block.startswith("slos:")]
    apply(HEAD + example)
    assert list(Slo.objects.values_list("name", "kind")) == [
        ("api-uptime", "time"),
        ("fast-answers", "events"),
        ("inference-api", "events"),
    ]
