"""The reports over a year of 100,000 episodes, against the same aggregates as plain SQL by hand."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Role
from fleetledger.lib.buckets import Window
from monitoring.alerts.learning import evidence
from monitoring.alerts.learning.asked import Asked
from tests import world
from tests.alerts import escalation_world, pages_world
from tests.alerts.world import START, set_clock

pytestmark = [pytest.mark.bench, pytest.mark.django_db]
NAMES, TEAMS, PEOPLE, PAGES, ROUNDS = 200, 20, 40, 20_000, 3
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
INSERT INTO alerts_page (done_id, run_id, person_id, at, told_at, why, problem)
SELECT NULL, %(run)s, %(person)s + n %% %(people)s, p.at, p.at + interval '5 s', '', ''
FROM generate_series(0, %(pages)s - 1) n
CROSS JOIN LATERAL (SELECT %(start)s - make_interval(secs => 60 + n * 1573) AS at) p;
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
# What names cost is left out wherever a number does: each floor is the least that gives the answer, not the plainest.
RULES = """
WITH of_alert AS MATERIALIZED (
    SELECT id, min(id) OVER (PARTITION BY name, team_id) AS rule FROM alerts_alert
), sent AS (
    SELECT rule, count(*) AS messages FROM (
        SELECT DISTINCT a.rule, t.message_id FROM alerts_attempt t JOIN alerts_attempt_episodes x ON x.attempt_id = t.id
        JOIN alerts_episode e ON e.id = x.episode_id JOIN of_alert a ON a.id = e.alert_id
        WHERE t.is_delivered AND e.opened_at >= %(from)s AND e.opened_at < %(start)s) once GROUP BY 1
), counted AS (
    SELECT rule, count(*) AS episodes, count(first_acknowledged_at) AS acknowledged,
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (ORDER BY extract(epoch FROM ended_at - opened_at)::float8),
        percentile_cont(ARRAY[0.5, 0.9]) WITHIN GROUP (
            ORDER BY extract(epoch FROM first_acknowledged_at - told_at)::float8),
        avg(ended_at - opened_at), avg(first_acknowledged_at - told_at),
        count(*) FILTER (WHERE first_acknowledged_at IS NULL AND assigned_to_id IS NULL AND v.episode_id IS NULL)
            AS unattended
    FROM alerts_episode e JOIN of_alert a ON a.id = e.alert_id LEFT JOIN (
        SELECT DISTINCT episode_id FROM alerts_event WHERE kind IN ('assigned', 'commented', 'withheld', 'flapping')
            AND kind IN ('assigned', 'commented')) v ON v.episode_id = e.id
    WHERE opened_at >= %(from)s AND opened_at < %(start)s GROUP BY 1
)
SELECT a.name, t.slug, c.episodes, c.unattended, s.messages, c.* FROM counted c JOIN alerts_alert a ON a.id = c.rule
LEFT JOIN fleet_team t ON t.id = a.team_id LEFT JOIN sent s USING (rule) ORDER BY c.episodes DESC, 1, 2 LIMIT 101
"""
PEOPLE_OF = """
WITH local AS (
    SELECT person_id, told_at AT TIME ZONE 'Europe/Berlin' AS at FROM alerts_page
    WHERE at >= %(from)s AND at < %(start)s AND told_at IS NOT NULL
), timed AS (
    SELECT *, extract(hour FROM at) AS hour, extract(isodow FROM at) AS day FROM local
), nights AS (
    SELECT person_id, night - row_number() OVER (PARTITION BY person_id ORDER BY night)::int AS began FROM (
        SELECT DISTINCT person_id, (at - interval '7 hours')::date AS night FROM timed WHERE hour >= 22 OR hour < 7) one
), sleepless AS (
    SELECT person_id, sum(many)::bigint AS nights, max(many) AS longest FROM (
        SELECT person_id, count(*) AS many FROM nights GROUP BY person_id, began) one GROUP BY 1
), counted AS (
    SELECT person_id, count(*) AS pages, count(*) FILTER (WHERE hour >= 22 OR hour < 7) AS at_night,
        count(*) FILTER (WHERE hour BETWEEN 7 AND 17 AND day < 6) AS by_day,
        count(*) FILTER (WHERE hour BETWEEN 18 AND 21 AND day < 6) AS in_the_evening FROM timed GROUP BY 1
)
SELECT u.username, c.pages, c.at_night, c.by_day, c.in_the_evening, s.nights, s.longest
FROM counted c JOIN sleepless s USING (person_id) JOIN fleet_user u ON u.id = c.person_id ORDER BY c.pages DESC, 1
"""
# Of each rule: its alerts and what was told by how long they lasted and how soon they were back, of the year and of
# ninety days; and where five began within a minute.
PASTS = """
WITH of_alert AS (
    SELECT id, min(id) OVER (PARTITION BY name, team_id) AS rule FROM alerts_alert
), placed AS MATERIALIZED (
    SELECT e.id, a.rule, e.opened_at, e.opened_at >= %(start)s - interval '90 days' AS is_long,
        width_bucket(e.ended_at - e.started_at, h.holds) AS place,
        width_bucket(coalesce(e.started_at - b.ended_at, '1 year'), h.holds) AS back,
        e.first_acknowledged_at IS NOT NULL OR e.assigned_to_id IS NOT NULL OR v.episode_id IS NOT NULL AS is_acted
    FROM alerts_episode e JOIN of_alert a ON a.id = e.alert_id
    LEFT JOIN alerts_episode b ON b.alert_id = e.alert_id AND b.number = e.number - 1
    LEFT JOIN (
        SELECT DISTINCT episode_id FROM alerts_event WHERE kind IN ('assigned', 'commented', 'withheld', 'flapping')
            AND kind IN ('assigned', 'commented')) v ON v.episode_id = e.id
    CROSS JOIN (SELECT '{1 min, 2 min, 5 min, 10 min, 15 min, 30 min, 1 hour}'::interval[] AS holds) h
    WHERE e.opened_at >= %(from)s AND e.opened_at < %(start)s
), counted AS (
    SELECT rule, sum(many)::bigint AS episodes, sum(many) FILTER (WHERE is_acted)::bigint AS acted,
        array_agg(ARRAY[place, back, is_acted::int, is_long::int, many]) AS kinds
    FROM (SELECT rule, place, back, is_acted, is_long, count(*) AS many FROM placed GROUP BY 1, 2, 3, 4, 5) one
    GROUP BY 1
), told AS (
    SELECT rule, sum(many)::bigint AS told, array_agg(ARRAY[place, back, is_long::int, many]) AS kinds FROM (
        SELECT rule, place, back, last_at >= %(start)s - interval '90 days' AS is_long, count(*) AS many FROM (
            SELECT min(p.rule) AS rule, max(p.place) AS place, max(p.back) AS back, max(p.opened_at) AS last_at
            FROM placed p JOIN alerts_attempt_episodes x ON x.episode_id = p.id
            JOIN alerts_attempt t ON t.id = x.attempt_id
            WHERE t.is_delivered GROUP BY t.message_id HAVING min(p.rule) = max(p.rule)) message
        GROUP BY 1, 2, 3, 4) kind GROUP BY 1
), bunched AS (
    SELECT DISTINCT rule FROM (
        SELECT rule, opened_at - lag(opened_at, 4) OVER (PARTITION BY rule ORDER BY opened_at) <= interval '1 minute'
            AS is_dense FROM placed) near WHERE is_dense
)
SELECT a.name, t.slug, c.episodes, coalesce(c.acted, 0), coalesce(o.told, 0), b.rule IS NOT NULL, c.kinds, o.kinds
FROM counted c JOIN alerts_alert a ON a.id = c.rule LEFT JOIN fleet_team t ON t.id = a.team_id
LEFT JOIN told o ON o.rule = c.rule LEFT JOIN bunched b ON b.rule = c.rule ORDER BY 1, 2
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
    run = escalation_world.run(escalation_world.escalation(), one)
    values: dict[str, Any] = {
        "team": teams[0].pk, "teams": TEAMS, "names": NAMES, "start": START, "destination": to.pk,
        "run": run.pk, "person": people[0].pk, "people": PEOPLE, "pages": PAGES,
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
    rules = [
        (row["name"], row["team"], row["episodes"], row["unattended"], row["messages"])
        for row in ask("rules")["results"]
    ]
    assert rules == [row[:5] for row in plain(RULES)[:100]]
    assert [row["id"] for row in ask("unattended")["results"]] == [row[0] for row in plain(UNATTENDED)[:100]]
    people = [
        tuple(row[name] for name in ("username", "pages", "at_night", "by_day", "in_the_evening", "interrupted_nights",
            "longest_sleepless"))
        for row in ask("people")["results"]
    ]  # fmt: skip
    assert people == plain(PEOPLE_OF)
    pasts = evidence.pasts(
        Asked(Window(VALUES["from"], START)), START - timedelta(days=90), teams=TeamScope(fleet=True)
    )
    found = [(one.rule.name, one.rule.team, one.episodes, one.acted, one.messages.told) for one in pasts]
    assert sorted(found) == [row[:5] for row in plain(PASTS)]
    compared("summary", lambda: ask("summary"), SUMMARY)
    compared("rules", lambda: ask("rules"), RULES)
    compared("unattended", lambda: ask("unattended"), UNATTENDED)
    compared("people", lambda: ask("people"), PEOPLE_OF)
    compared("suggestions", lambda: ask("suggestions"), PASTS)


def test_the_page_of_a_year_costs_a_few_statements(client: Client, django_assert_max_num_queries: Any) -> None:
    fill()
    client.force_login(world.user("ada", role=Role.ADMIN))
    with django_assert_max_num_queries(40):
        answer = client.get(f"/alerts/learning/?{YEAR}")
    assert answer.status_code == 200
    compared(
        "/alerts/learning/",
        lambda: client.get(f"/alerts/learning/?{YEAR}"),
        SUMMARY,
        RULES,
        UNATTENDED,
        PEOPLE_OF,
        PASTS,
    )
