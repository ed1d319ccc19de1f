"""Takes probes that are due, by one process at a time, and notes what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from monitoring.availability.models import Probe, ProbeKind
from monitoring.availability.tiles import SHORTEST_S

LEASE = timedelta(seconds=90)
"""Longer than any asking may take; after it, whoever comes next takes the probe."""
RANGED = frozenset({ProbeKind.PROMQL, ProbeKind.KUBERNETES})
"""Kinds whose samples somebody else keeps: they are asked twice an interval, so that the last one is seen early."""
LONGEST_S = 60

_TAKE = """
UPDATE availability_probe SET lease_until = %(until)s, asked_at = %(now)s WHERE id IN (
    SELECT id FROM availability_probe
    WHERE removed_at IS NULL AND kind <> 'self' AND due_at <= %(now)s
      AND (lease_until IS NULL OR lease_until <= %(now)s)
    ORDER BY due_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
) RETURNING id
"""
_RELEASE = """
UPDATE availability_probe p SET lease_until = NULL, due_at = w.due_at, failure = w.failure,
    detail = CASE WHEN w.failure = '' THEN w.detail ELSE p.detail END,
    answered_at = CASE WHEN w.failure = '' THEN %(now)s ELSE p.answered_at END,
    read_until_at = coalesce(w.read_until, p.read_until_at)
FROM unnest(%(ids)s::bigint[], %(dues)s::timestamptz[], %(failures)s::text[], %(details)s::text[],
    %(untils)s::timestamptz[]) AS w(id, due_at, failure, detail, read_until)
WHERE p.id = w.id AND p.lease_until = %(lease)s
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """A probe as it was when it was taken. `at`: the instant of its grid for which it is asked."""

    probe: Probe
    at: datetime

    @property
    def next_due(self) -> datetime:
        return self.at + timedelta(seconds=period_s(self.probe))


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a claim. `is_behind`: there is more to read, at once."""

    claim: Claim
    failure: str = ""
    detail: str = ""
    read_until: datetime | None = None
    is_behind: bool = False


def take(now: datetime, limit: int) -> list[Claim]:
    """Up to `limit` probes that are due the longest and that nobody holds."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"now": now, "until": now + LEASE, "limit": limit})
        ids = [pk for (pk,) in cursor.fetchall()]
    rows = Probe.objects.select_related("source", "component").filter(pk__in=ids).order_by("due_at", "pk")
    return [Claim(row, grid(row, now)) for row in rows]


def release(done: Sequence[Done], now: datetime, lease: datetime) -> None:
    """Give probes back, each for its next instant; what was missed in between is not asked again."""
    if not done:
        return
    values: dict[str, Any] = {
        "now": now,
        "lease": lease,
        "ids": [item.claim.probe.pk for item in done],
        "dues": [now if item.is_behind else item.claim.next_due for item in done],
        "failures": [item.failure for item in done],
        "details": [item.detail for item in done],
        "untils": [item.read_until for item in done],
    }
    with connection.cursor() as cursor:
        cursor.execute(_RELEASE, values)


def period_s(probe: Probe) -> int:
    if probe.kind in RANGED:
        return min(max(probe.interval_s // 2, SHORTEST_S), LONGEST_S)
    return max(probe.interval_s, 1)


def grid(probe: Probe, now: datetime) -> datetime:
    """The last instant of the probe's grid that has come."""
    period = timedelta(seconds=period_s(probe))
    return probe.due_at + (max(now - probe.due_at, timedelta()) // period) * period
