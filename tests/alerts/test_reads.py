"""What pages and the API read of open alerts: filtered, counted and grouped by the database, within one's teams."""

from datetime import timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from fleetledger.fleet.access import TeamScope
from monitoring.alerts import reads, reads_groups
from monitoring.alerts.matchers import parse_all
from monitoring.alerts.models import Alert, AlertState
from monitoring.alerts.reads import Kind, Wanted
from monitoring.alerts.reads_groups import GroupBy
from tests import world
from tests.alerts import pages_world
from tests.alerts.world import START

pytestmark = pytest.mark.django_db
ALL = TeamScope.everything()


@pytest.fixture
def some() -> None:
    vision = world.team("vision", name="Vision")
    ada = world.user("ada")
    pages_world.alert("GpuIdle", team=vision, node="n1", cluster="c1")
    pages_world.alert("GpuIdle", team=vision, node="n2", cluster="c1", state=AlertState.STALE)
    pages_world.alert("Xid", team=vision, severity="critical", node="n3", cluster="c2", episode={"is_withheld": True})
    taken = {"acknowledged_at": START, "acknowledged_by": ada, "assigned_to": ada}
    pages_world.alert("Full", node="n4", episode=taken)
    pages_world.alert("Old", team=vision, state=AlertState.RESOLVED)


def _names(wanted: Wanted, teams: TeamScope = ALL) -> list[str]:
    return [f"{row.name}/{row.labels.get('node', '')}" for row in reads.alerts(wanted, teams=teams, at=START)]


@pytest.mark.usefixtures("some")
def test_the_open_ones_come_worst_first_and_then_by_age() -> None:
    assert _names(Wanted()) == ["Xid/n3", "GpuIdle/n1", "GpuIdle/n2", "Full/n4"]


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (Kind.FIRING, ["Xid/n3", "GpuIdle/n1", "Full/n4"]),
        (Kind.UNKNOWN, ["GpuIdle/n2"]),
        (Kind.ACKNOWLEDGED, ["Full/n4"]),
        (Kind.WITHHELD, ["Xid/n3"]),
        (Kind.RESOLVED, ["Old/"]),
    ],
)
def test_a_kind_is_a_part_of_them(kind: Kind, names: list[str]) -> None:
    assert _names(Wanted(kind)) == names


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("matchers", "names"),
    [
        ('alertname="GpuIdle"', ["GpuIdle/n1", "GpuIdle/n2"]),
        ('node!="n1"', ["Xid/n3", "GpuIdle/n2", "Full/n4"]),
        ('node=~"n[12]"', ["GpuIdle/n1", "GpuIdle/n2"]),
        ('node=~"n"', []),
        ('cluster!~"c.*"', ["Full/n4"]),
        ('cluster=""', ["Full/n4"]),
        ('cluster!=""', ["Xid/n3", "GpuIdle/n1", "GpuIdle/n2"]),
        ('cluster="c1",node=~"n2|n3"', ["GpuIdle/n2"]),
    ],
)
def test_matchers_mean_in_the_database_what_they_mean_in_a_route(matchers: str, names: list[str]) -> None:
    parsed = parse_all(matchers)
    assert _names(Wanted(matchers=parsed)) == names
    expected = {alert.pk for alert in Alert.objects.exclude(state="resolved") if _matches(parsed, alert)}
    assert {row.id for row in reads.alerts(Wanted(matchers=parsed), teams=ALL, at=START)} == expected


def _matches(matchers: tuple[object, ...], alert: Alert) -> bool:
    return all(matcher.matches(alert.labels) for matcher in matchers)  # type: ignore[attr-defined]


@pytest.mark.usefixtures("some")
def test_counts_say_what_is_open_and_how_much_of_it_is_what() -> None:
    assert reads.counts(Wanted(Kind.UNKNOWN), teams=ALL) == reads.Counts(
        open=4, firing=3, unknown=1, acknowledged=1, withheld=1, pending=0
    )


@pytest.mark.usefixtures("some")
def test_a_team_sees_its_own_and_not_the_platforms() -> None:
    scope = TeamScope(fleet=False, team_ids=frozenset({world.team("speech").pk}))
    assert _names(Wanted(), scope) == []
    assert reads.counts(Wanted(), teams=scope) == reads.Counts()
    assert reads_groups.groups(Wanted(), GroupBy.ALERTNAME, teams=scope, at=START).total == 0
    assert reads.severities(teams=scope) == ()
    assert reads.heard(teams=scope).sender_at is None


@pytest.mark.usefixtures("some")
def test_the_row_says_who_has_it() -> None:
    (row,) = reads.alerts(Wanted(Kind.ACKNOWLEDGED), teams=ALL, at=START)
    assert (row.team, row.team_name, row.state) == (None, "Platform", "firing")
    assert (row.acknowledged_at, row.acknowledged_by, row.assigned_to) == (START, "ada", "ada")
    assert (row.summary, row.is_flapping) == ("Full of n4", False)


def test_flapping_ends_with_its_time() -> None:
    made = pages_world.alert()
    Alert.objects.filter(pk=made.pk).update(flapping_until=START)
    shown = [reads.alerts(Wanted(), teams=ALL, at=START + timedelta(seconds=one))[0].is_flapping for one in (-1, 0)]
    assert shown == [True, False]


@pytest.mark.usefixtures("some")
@pytest.mark.parametrize(
    ("by", "keys"),
    [
        (GroupBy.ALERTNAME, [("Xid", 1), ("GpuIdle", 2), ("Full", 1)]),
        (GroupBy.TEAM, [("vision", 3), ("platform", 1)]),
        (GroupBy.SEVERITY, [("critical", 1), ("warning", 3)]),
        (GroupBy.CLUSTER, [("c2", 1), ("c1", 2), ("", 1)]),
    ],
)
def test_groups_come_worst_first(by: GroupBy, keys: list[tuple[str, int]]) -> None:
    found = reads_groups.groups(Wanted(), by, teams=ALL, at=START)
    assert [(group.key, group.count) for group in found.groups] == keys
    assert [len(group.alerts) for group in found.groups] == [count for _, count in keys]


def test_a_large_group_shows_its_first_and_how_many_more(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(8):
        pages_world.alert(node=f"n{number}")
    with django_assert_num_queries(3):
        (group,) = reads_groups.groups(Wanted(), GroupBy.ALERTNAME, teams=ALL, at=START).groups
    assert (group.count, len(group.alerts), group.more) == (8, 5, 3)
