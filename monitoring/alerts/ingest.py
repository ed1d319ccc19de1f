"""Takes reports of alerts in: what is only repeated costs one statement, what changes goes through its states.

The one writer of senders and reports. A report is one sender's word on one alert.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson
import psycopg.errors
from django.db import OperationalError, connection, transaction
from django.db.models import Q

from fleetledger.fleet.models import ApiToken
from monitoring.alerts import clock, senders, states
from monitoring.alerts.labels import ALERT_NAME, MAX_NAME, fingerprint
from monitoring.alerts.models import Alert, AlertState
from monitoring.alerts.sources.posted import Posted
from monitoring.alerts.tenants import Tenant

FOREVER = datetime(9999, 1, 1, tzinfo=UTC)  # of a report that holds until its sender says otherwise

# OFFSET 0 holds the plan to one look-up by key for each posted alert, whatever the planner knows of the tables.
_REPEAT = """
WITH posted AS MATERIALIZED (
  SELECT * FROM jsonb_to_recordset(%(posted)s::jsonb) AS p(fingerprint text, ends_at timestamptz, annotations jsonb)
), known AS MATERIALIZED (
  SELECT r.id, r.received_at, p.ends_at, p.fingerprint
  FROM posted p
  CROSS JOIN LATERAL (
    SELECT a.id, a.state, a.annotations FROM alerts_alert a
    WHERE {of_tenant} AND a.fingerprint = p.fingerprint OFFSET 0
  ) a
  CROSS JOIN LATERAL (
    SELECT r.id, r.received_at, r.is_resolved, r.is_stale FROM alerts_report r
    WHERE r.alert_id = a.id AND r.sender_id = %(sender)s OFFSET 0
  ) r
  WHERE a.state = 'firing' AND NOT r.is_resolved AND NOT r.is_stale AND p.ends_at > %(now)s
    AND a.annotations = p.annotations
), repeated AS (
  UPDATE alerts_report r SET ends_at = k.ends_at, received_at = %(now)s, times = r.times + 1
  FROM known k WHERE r.id = k.id AND NOT r.is_resolved AND NOT r.is_stale
  RETURNING k.fingerprint, k.received_at
)
SELECT fingerprint, received_at FROM repeated
"""
_NEW_ALERTS = """
INSERT INTO alerts_alert
  (team_id, fingerprint, name, severity, labels, annotations, generator_url, state, starts_at, ended_at, changed_at)
SELECT %(team)s, f, n, v, l, a, g, 'resolved', %(now)s, %(now)s, %(now)s
FROM unnest(%(fingerprints)s::text[], %(names)s::text[], %(severities)s::text[], %(labels)s::jsonb[],
            %(annotations)s::jsonb[], %(urls)s::text[]) AS t(f, n, v, l, a, g)
ORDER BY f
ON CONFLICT (team_id, fingerprint) DO NOTHING
"""
_REPORTS = """
INSERT INTO alerts_report AS r (sender_id, alert_id, starts_at, ends_at, received_at, times, is_resolved, is_stale)
SELECT %(sender)s, i, s, e, %(now)s, 1, e <= %(now)s, false
FROM unnest(%(alerts)s::bigint[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) AS t(i, s, e)
ON CONFLICT (alert_id, sender_id) DO UPDATE SET
  starts_at = CASE WHEN r.is_resolved AND excluded.starts_at > r.ends_at THEN excluded.starts_at
              ELSE least(r.starts_at, excluded.starts_at) END,
  ends_at = excluded.ends_at,
  received_at = excluded.received_at,
  times = CASE WHEN r.is_resolved AND NOT excluded.is_resolved THEN 1 ELSE r.times + 1 END,
  is_resolved = excluded.is_resolved,
  is_stale = false
"""


@dataclass(frozen=True, slots=True)
class _Row:
    """A posted alert with everything that a statement needs of it."""

    fingerprint: str
    posted: Posted
    starts_at: datetime
    ends_at: datetime


def receive(tenant: Tenant, sender_key: str, posted: Sequence[Posted], *, token: ApiToken | None = None) -> None:
    """Take one sender's reports, in their order; the same fingerprint may stand in them twice.

    1. Reports that repeat what is known are renewed in one statement; nobody waits for the disk.
    2. The others are stored, and each alert's state is settled from what all its senders say.
    """
    for tries_left in (2, 1, 0):
        try:
            return _receive(tenant, sender_key, posted, token)
        except OperationalError as error:  # a batch must not be lost: its sender may not repeat it
            is_deadlock = isinstance(error.__cause__, psycopg.errors.DeadlockDetected)
            if not is_deadlock or not tries_left or connection.in_atomic_block:
                raise
    return None


def _receive(tenant: Tenant, sender_key: str, posted: Sequence[Posted], token: ApiToken | None) -> None:
    with transaction.atomic():
        sender = senders.seen(tenant.team_id, sender_key, token)
        rows = [_row(item, sender.now) for item in posted]
        turns = [_take(tenant, sender, turn) for turn in _turns(rows)]
        if any(turns):
            clock.ring()
        else:
            _do_not_wait_for_disk()


def _take(tenant: Tenant, sender: senders.Seen, rows: list[_Row]) -> bool:
    """Whether these rows, of different alerts, said anything new."""
    changed = _without_repeats(tenant, sender, rows)
    if changed:
        states.settle(_store(tenant, sender, changed), sender.now)
    return bool(changed)


def _row(posted: Posted, now: datetime) -> _Row:
    ends_at = posted.ends_at or FOREVER
    return _Row(
        fingerprint=fingerprint(posted.labels),
        posted=posted,
        starts_at=posted.starts_at or min(now, ends_at),
        ends_at=ends_at,
    )


def _turns(rows: Sequence[_Row]) -> list[list[_Row]]:
    """The rows in as few turns as hold no fingerprint twice; a later row of the same one comes in a later turn.

    One that says the same as the one before it says nothing.
    """
    turns: list[dict[str, _Row]] = []
    counts: dict[str, int] = {}
    last: dict[str, _Row] = {}
    for row in rows:
        if last.get(row.fingerprint) == row:
            continue
        last[row.fingerprint] = row
        number = counts.get(row.fingerprint, 0)
        counts[row.fingerprint] = number + 1
        if number == len(turns):
            turns.append({})
        turns[number][row.fingerprint] = row
    return [sorted(turn.values(), key=lambda row: row.fingerprint) for turn in turns]


def _without_repeats(tenant: Tenant, sender: senders.Seen, rows: list[_Row]) -> list[_Row]:
    """Renew the reports that say nothing new; gives the rows that do."""
    values = {
        "team": tenant.team_id,
        "sender": sender.sender_id,
        "now": sender.now,
        "posted": orjson.dumps(
            [
                {"fingerprint": row.fingerprint, "ends_at": row.ends_at, "annotations": row.posted.annotations}
                for row in rows
            ]
        ).decode(),
    }
    with connection.cursor() as cursor:
        # IS NOT DISTINCT FROM, which would do for both, uses no index
        cursor.execute(
            _REPEAT.format(of_tenant="a.team_id IS NULL" if tenant.team_id is None else "a.team_id = %(team)s"), values
        )
        repeated: dict[str, datetime] = dict(cursor.fetchall())
    gaps: list[timedelta] = [sender.now - received_at for received_at in repeated.values()]
    senders.learn(sender, gaps)
    return [row for row in rows if row.fingerprint not in repeated]


def _do_not_wait_for_disk() -> None:
    """A repetition that a crash of the database forgets comes again within a minute: its commit need not wait."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")


def _store(tenant: Tenant, sender: senders.Seen, rows: list[_Row]) -> list[Alert]:
    """Keep what the rows report; gives their alerts, locked."""
    with connection.cursor() as cursor:
        cursor.execute(
            _NEW_ALERTS,
            {
                "team": tenant.team_id,
                "now": sender.now,
                "fingerprints": [row.fingerprint for row in rows],
                "names": [row.posted.labels.get(ALERT_NAME, "")[:MAX_NAME] for row in rows],
                "severities": [row.posted.labels.get("severity", "")[:64] for row in rows],
                "labels": [orjson.dumps(row.posted.labels).decode() for row in rows],
                "annotations": [orjson.dumps(row.posted.annotations).decode() for row in rows],
                "urls": [row.posted.generator_url for row in rows],
            },
        )
        alerts = _alerts(tenant, rows)
        by_fingerprint = {alert.fingerprint: alert for alert in alerts}
        _renew_words(by_fingerprint, rows)
        cursor.execute(
            _REPORTS,
            {
                "sender": sender.sender_id,
                "now": sender.now,
                "alerts": [by_fingerprint[row.fingerprint].pk for row in rows],
                "starts": [row.starts_at for row in rows],
                "ends": [row.ends_at for row in rows],
            },
        )
    return alerts


def _alerts(tenant: Tenant, rows: list[_Row]) -> list[Alert]:
    """The rows' alerts, locked, always in one order."""
    found = Alert.objects.select_for_update(no_key=True).filter(
        Q(team_id=tenant.team_id), fingerprint__in=[row.fingerprint for row in rows]
    )
    return list(found.order_by("fingerprint"))


def _renew_words(known: dict[str, Alert], rows: list[_Row]) -> None:
    """The newest annotations win; a resolved alert that is told as resolved once more keeps those it had."""
    renewed = []
    for row in rows:
        alert = known[row.fingerprint]
        is_over = row.posted.ends_at is not None and alert.state == AlertState.RESOLVED and not row.posted.annotations
        if alert.annotations != row.posted.annotations and not is_over:
            alert.annotations, alert.generator_url = row.posted.annotations, row.posted.generator_url
            renewed.append(alert)
    if renewed:
        Alert.objects.bulk_update(renewed, ["annotations", "generator_url"])
