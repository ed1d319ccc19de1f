"""The list of alerts, one alert and the history against their bare SQL: 10,000 open alerts and as many episodes."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client

from fleetledger.fleet.models import Role
from monitoring.alerts.labels import fingerprint
from monitoring.alerts.models import Alert, Episode
from tests import world
from tests.alerts.world import START, set_clock
from tests.bench.filled_month import measure

pytestmark = [pytest.mark.bench, pytest.mark.django_db]
ALERTS, NAMES, TEAMS = 10_000, 200, 20
WORDS = ("critical", "warning", "warning", "info")


def fill() -> int:
    """10,000 open alerts of 200 names and 20 teams; gives the number of one."""
    teams = [world.team(f"bench-{number}") for number in range(TEAMS)]
    made = Alert.objects.bulk_create(_alert(number, teams[number % TEAMS].pk) for number in range(ALERTS))
    Episode.objects.bulk_create(
        Episode(alert=alert, number=1, started_at=alert.starts_at, opened_at=alert.starts_at) for alert in made
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE alerts_alert, alerts_episode")  # as autovacuum does: other tests left empty pages
    return made[0].pk


def _alert(number: int, team_id: int) -> Alert:
    severity = WORDS[number % len(WORDS)]
    labels = {
        "alertname": f"Alert{number % NAMES:03d}",
        "severity": severity,
        "cluster": f"c{number % 8}",
        "node": f"gpu-{number // 8:04d}",
        "gpu": str(number % 8),
        "n": str(number),
    }
    since = START - timedelta(seconds=number)
    return Alert(
        team_id=team_id,
        fingerprint=fingerprint(labels),
        name=labels["alertname"],
        severity=severity,
        labels=labels,
        annotations={
            "summary": f"GPU {number % 8} of {labels['node']} needs somebody",
            "impact_gpu_hours_per_day": "24",
        },
        state="stale" if number % 50 == 0 else "firing",
        starts_at=since,
        changed_at=since,
    )


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?group=cluster",
        "?group=none",
        "?group=none&sort=-since&page=150",
        '?q=node%3D~"gpu-00.*"',
        "?q=needs",
        "?only=Alert000",
    ],
)
def test_ten_thousand_alerts_are_paged_by_the_database(query: str, client: Client) -> None:
    set_clock()
    fill()
    client.force_login(world.user("ada", role=Role.ADMIN))
    answer = client.get(f"/alerts/{query}")
    measured = measure(lambda: client.get(f"/alerts/{query}"))
    print(measured.line(f"/alerts/{query}"))
    assert answer.status_code == 200
    assert measured.statements < 30


@pytest.mark.parametrize("page", ["/alerts/{}/", "/alerts/history/?from=2026-10-01&to=2026-11-03", "/alerts/silences/"])
def test_other_pages_cost_few_queries(page: str, client: Client) -> None:
    set_clock()
    path = page.format(fill())
    client.force_login(world.user("ada", role=Role.ADMIN))
    answer = client.get(path)
    measured = measure(lambda: client.get(path))
    print(measured.line(page))
    assert answer.status_code == 200
    assert measured.statements < 35


def test_the_api_pages_them_too(client: Client) -> None:
    set_clock()
    fill()
    headers = world.bearer(world.token())
    measured = measure(lambda: client.get("/api/v1/alerts?limit=1000", headers=headers))
    print(measured.line("GET alerts?limit=1000"))
    assert measured.statements < 15
