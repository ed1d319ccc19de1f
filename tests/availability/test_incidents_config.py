"""The section `incidents` of the configuration file: applied, exported, refused in words."""

import pytest

from fleetledger.fleet import config
from monitoring.availability.models import IncidentRule
from tests import world as fleet
from tests.alerts import world as alerts

pytestmark = pytest.mark.django_db
FILE = """\
incidents:
  - name: critical
    match: {severity: critical}
    matchers: ['node=~"gpu-.*"']
    group_by: [alertname, cluster]
    severity: sev1
    resolve_after: 1h
    public: true
  - {name: vision, team: vision, match: {severity: page}}
"""


@pytest.fixture(autouse=True)
def _vision() -> None:
    alerts.set_clock()
    fleet.team("vision")


def apply(text: str) -> list[str]:
    return [str(change) for change in config.apply([("fleet.yaml", text)]).changes]


def refused(rule: str) -> list[str]:
    with pytest.raises(config.ConfigError) as caught:
        apply(f"incidents:\n  - {rule}\n")
    return [line.removeprefix("fleet.yaml:2: incidents[0]") for line in str(caught.value).splitlines()]


def test_rules_are_brought_in_once_and_written_back_as_no_change() -> None:
    assert apply(FILE) == [
        '+ incident rule critical: node=~"gpu-.*", severity="critical"',
        '+ incident rule vision: severity="page"',
    ]
    assert apply(FILE) == []
    assert apply(config.export()) == []
    row = IncidentRule.objects.get(name="critical")
    assert (row.severity, row.group_by, row.resolve_after_s, row.is_public) == (
        "sev1",
        ["alertname", "cluster"],
        3600,
        True,
    )


def test_what_the_file_leaves_out_is_removed_and_may_come_back() -> None:
    apply(FILE)
    assert apply("incidents: [{name: critical, match: {severity: critical}}]") == [
        "~ incident rule critical: matchers, group by, severity, resolve after, is public",
        "- incident rule vision",
    ]
    assert apply(FILE)[1] == "~ incident rule vision: again"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("{name: a}", ": This rule would open an incident for every alert. Name labels under 'match'."),
        ("{name: a, matchers: ['x']}", ".matchers[0]: 'x' is no matcher."),
        ("{name: a, match: {b: c}, team: none}", ".team: No team is called 'none'. Known: vision."),
        ("{name: a, match: {b: c}, severity: bad}", ".severity: "),
        ("{name: a, match: {'b-c': d}}", ".match"),
        ('{name: a, match: {b: "\\0"}}', ".match.b: "),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(rule: str, words: str) -> None:
    assert refused(rule)[0].startswith(words)
