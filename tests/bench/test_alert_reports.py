"""The reports over a year of 100,000 episodes, against the same aggregates as plain SQL by hand."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from fleetledger.fleet.models import Role
from tests import world
from tests.alerts import escalation_world, pages_world
from tests.alerts.world import START, set_clock

pytestmark = [pytest.mark.bench, pytest.mark.django_db]
EPISODES, NAMES, TEAMS, PEOPLE, ROUNDS = 100_000, 200, 20, 40, 3
YEAR = f"from={START - timedelta(days=365):%Y-%m-%dT%H:%M:%SZ}&to={START:%Y-%m-%dT%H:%M:%SZ}"

FILL = """
INSERT INTO alerts_alert (team_id, fingerprint, name, severity, labels, annotations, generator_url, state, starts_at,
    ended_at, changed_at)
SELECT %(team)s + n %% %(teams)s, lpad(to_hex(n), 16, '0'), 'Alert' || n %% %(names)s,
    (ARRAY['critical', 'warning', 'warning', 'info'])[1 + n %% 4],
    jsonb_build_object('alertname', 'Alert' || n %% %(names)s, 'node', 'gpu-' || n), '{}', '', 'resolved',
    %(start)s, %(start)s, %(start)s
FROM generate_series(1, 10000) n;
INSERT INTO alerts_episode (alert_id, number, started_at, opened_at, ended_at, ended_by, told_at, first_acknowledged_at,
    is_withheld)
SELECT a.id, k, o.at, o.at, o.at + make_interval(secs => 30 + (a.id * 7919 + k * 104729) %% 7000), 'sender',
    CASE WHEN (a.id + k) %% 10 < 8 THEN o.at + interval '20 s' END,
    CASE WHEN (a.id + k) %% 10 < 4 THEN o.at + make_interval(secs => 40 + (a.id * 31 + k) %% 900) END, false
FROM alerts_alert a CROSS JOIN generate_series(1, 10) k
CROSS JOIN LATERAL (SELECT %(start)s - make_interval(secs => (a.id * 3001 + k * 3100007) %% 31536000) AS at) o
WHERE a.name LIKE 'Alert%%';
INSERT INTO alerts_event (team_id, alert_id, episode_id, at, kind, actor, note)
SELECT a.team_id, a.id, e.id, v.at, v.kind, '', '' FROM alerts_episode e JOIN alerts_alert a ON a.id = e.alert_id
CROSS JOIN LATERAL (VALUES ('fired', e.opened_at), ('resolved', e.ended_at), ('acknowledged', e.first_acknowledged_at))
    v(kind, at) WHERE v.at IS NOT NULL;
INSERT INTO alerts_outboxmessage (team_id, destination_id, group_id, kind, dedupe_key, key, body, created_at, due_at,
    state, finished_at, fence, tries, last_error)
SELECT NULL, %(destination)s, NULL, 'firing', 'bench-' || e.id, gen_random_uuid(), '{}', e.told_at, e.told_at, 'sent',
    e.told_at, 1, 1, '' FROM alerts_episode e WHERE e.told_at IS NOT NULL;
INSERT INTO alerts_attempt (message_id, fence, sending_at, finished_at, is_delivered, status, answer)
SELECT id, 1, created_at, created_at, true, 200, '' FROM alerts_outboxmessage WHERE dedupe_key LIKE 'bench-%%';
INSERT INTO alerts_attempt_episodes (attempt_id, episode_id)
SELECT t.id, substr(m.dedupe_key, 7)::bigint FROM alerts_attempt t JOIN alerts_outboxmessage m ON m.id = t.message_id;
INSERT INTO alerts_page (done_id, run_id, person_id, at, why, problem)
SELECT %(done)s, %(run)s, %(person)s + n, %(start)s - make_interval(hours => n), '', ''
FROM generate_series(0, %(people)s - 1) n;
ANALYZE
"""
TIMES = """
SELECT count(*), count(e.told_at), count(e.first_acknowledged_at), count(e.ended_at),
    percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM e.ended_at - e.opened_at)::float8),
    percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY CASE WHEN e.first_acknowledged_at >= e.told_at
        THEN extract(epoch FROM e.first_acknowledged_at - e.told_at)::float8 END),
    avg(e.ended_at - e.opened_at), avg(e.first_acknowledged_at - e.told_at)
FROM alerts_episode e JOIN alerts_alert a ON a.id = e.alert_id LEFT JOIN fleet_team t ON t.id = a.team_id
WHERE e.opened_at >= %(from)s AND e.opened_at < %(start)s
"""
SUMMARY = TIMES + "GROUP BY GROUPING SETS ((), (a.severity), (t.slug)) ORDER BY 1 DESC"
RULES = """
SELECT a.name, t.slug, count(*), count(e.first_acknowledged_at),
    percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM e.ended_at - e.opened_at)::float8),
    percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM e.first_acknowledged_at - e.told_at)),
    avg(e.ended_at - e.opened_at), avg(e.first_acknowledged_at - e.told_at), count(DISTINCT d.message_id),
    count(*) FILTER (WHERE e.first_acknowledged_at IS NULL AND e.assigned_to_id IS NULL AND v.episode_id IS NULL)
FROM alerts_episode e JOIN alerts_alert a ON a.id = e.alert_id LEFT JOIN fleet_team t ON t.id = a.team_id
LEFT JOIN (SELECT DISTINCT episode_id FROM alerts_event WHERE kind IN ('acknowledged', 'assigned', 'commented')) v
    ON v.episode_id = e.id
LEFT JOIN (SELECT DISTINCT x.episode_id, t.message_id FROM alerts_attempt t
    JOIN alerts_attempt_episodes x ON x.attempt_id = t.id WHERE t.is_delivered) d ON d.episode_id = e.id
WHERE e.opened_at >= %(from)s AND e.opened_at < %(start)s GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2 LIMIT 101
"""
UNATTENDED = """
SELECT e.id FROM alerts_episode e JOIN alerts_alert a ON a.id = e.alert_id
WHERE e.opened_at >= %(from)s AND e.opened_at < %(start)s AND e.first_acknowledged_at IS NULL
    AND e.assigned_to_id IS NULL AND e.ended_by <> 'person' AND e.ended_at IS NOT NULL
    AND NOT EXISTS (SELECT FROM alerts_event v WHERE v.episode_id = e.id
        AND v.kind IN ('acknowledged', 'assigned', 'commented'))
ORDER BY e.id DESC LIMIT 101
"""
VALUES = {"from": START - timedelta(days=365), "start": START}


def fill() -> None:
    """10,000 alerts of 200 names and 20 teams with ten episodes each, most of them told, and some pages."""
    set_clock()
    teams = [world.team(f"bench-{number}") for number in range(TEAMS)]
    people = [world.user(f"person-{number}", time_zone="Europe/Berlin") for number in range(PEOPLE)]
    to = pages_world.destination()
    one = pages_world.alert("Paged", since=START - timedelta(days=400))
    done = escalation_world.step(escalation_world.run(escalation_world.escalation(), one))
    values: dict[str, Any] = {
        "team": teams[0].pk, "teams": TEAMS, "names": NAMES, "start": START, "destination": to.pk, "done": done.pk,
        "run": done.run_id, "person": people[0].pk, "people": PEOPLE,
    }  # fmt: skip
    with connection.cursor() as cursor:
        for statement in FILL.split(";"):
            cursor.execute(statement, values)


def plain(sql: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, VALUES)
        return list(cursor.fetchall())


def compared(name: str, ask: Callable[[], object], *floor: str) -> None:
    """Print the best of some rounds of each, in turn."""
    whole, bare = [], []
    for _again in range(ROUNDS):
        cache.clear()
        whole.append(_took(ask))
        bare.append(sum(_took(lambda sql=sql: plain(sql)) for sql in floor))  # type: ignore[misc]
    ratio = min(whole) / (4 * min(bare) + 10)
    print(f"\n{name}: {min(whole):.0f} ms, SQL {min(bare):.0f} ms, {ratio:.2f} x (4 x SQL + 10 ms)")


def _took(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return 1000 * (time.perf_counter() - began)


def test_reports_of_a_year_agree_with_plain_sql(client: Client) -> None:
    fill()
    headers = world.bearer(world.token(scopes=("write",)))

    def ask(name: str) -> Any:
        return client.get(f"/api/v1/alert-reports/{name}?{YEAR}", headers=headers).json()

    now = ask("summary")["now"]
    (episodes, told, acknowledged, _ended, lasted, taken, *_means) = plain(TIMES)[0]
    assert (now["episodes"], now["told"], now["acknowledged"]) == (episodes, told, acknowledged)
    assert [now["to_resolve"]["median_s"], now["to_resolve"]["p90_s"]] == pytest.approx(lasted)
    assert [now["to_acknowledge"]["median_s"], now["to_acknowledge"]["p90_s"]] == pytest.approx(taken)
    rules = [(row["name"], row["team"], row["episodes"], row["unattended"]) for row in ask("rules")["results"]]
    assert rules == [(row[0], row[1], row[2], row[-1]) for row in plain(RULES)[:100]]
    assert [row["id"] for row in ask("unattended")["results"]] == [row[0] for row in plain(UNATTENDED)[:100]]
    compared("summary", lambda: ask("summary"), SUMMARY)
    compared("rules", lambda: ask("rules"), RULES)
    compared("unattended", lambda: ask("unattended"), UNATTENDED)
    compared("people", lambda: ask("people"), "SELECT person_id, count(*) FROM alerts_page GROUP BY 1")
    compared("suggestions", lambda: ask("suggestions"), RULES)


def test_the_page_of_a_year_costs_a_few_statements(client: Client, django_assert_max_num_queries: Any) -> None:
    fill()
    client.force_login(world.user("ada", role=Role.ADMIN))
    with django_assert_max_num_queries(40):
        answer = client.get(f"/alerts/learning/?{YEAR}")
    assert answer.status_code == 200
    compared("/alerts/learning/", lambda: client.get(f"/alerts/learning/?{YEAR}"), SUMMARY, RULES, UNATTENDED)
