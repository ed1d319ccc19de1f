"""Takes objectives that are due, by one process at a time, and gives them back."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from monitoring.availability.models import Slo, SloState

LEASE = timedelta(seconds=120)
"""Longer than any counting may take; after it, whoever comes next takes it, and the late one writes nothing."""

_TAKE = """
UPDATE availability_slostate SET lease_until = %(until)s WHERE id IN (
    SELECT st.id FROM availability_slostate st JOIN availability_slo s ON s.id = st.slo_id
    WHERE s.removed_at IS NULL AND st.due_at <= %(now)s AND (st.lease_until IS NULL OR st.lease_until <= %(now)s)
    ORDER BY st.due_at, st.id LIMIT %(limit)s FOR UPDATE OF st SKIP LOCKED
) RETURNING slo_id
"""


@dataclass(frozen=True, slots=True)
class Claim:
    """An objective as it was when it was taken, for the instant `at`. The end of its lease is the fence.

    `is_whole`: every pair of windows is looked at, also those of days.
    """

    slo: Slo
    state: SloState
    at: datetime
    is_whole: bool = False


def take(now: datetime, at: datetime, limit: int) -> list[Claim]:
    """Up to `limit` objectives that are due the longest and that nobody holds."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"now": now, "until": now + LEASE, "limit": limit})
        ids = [pk for (pk,) in cursor.fetchall()]
    rows = Slo.objects.select_related("source", "component", "team", "state").filter(pk__in=ids).order_by("pk")
    return [Claim(row, row.state, at) for row in rows]


def take_one(slo: Slo, at: datetime) -> Claim:
    """A certain one, whoever holds it."""
    SloState.objects.filter(slo=slo).update(due_at=at, lease_until=at + LEASE)
    row = Slo.objects.select_related("source", "component", "team", "state").get(pk=slo.pk)
    return Claim(row, row.state, at, is_whole=True)


def held(claim: Claim) -> SloState | None:
    """Its state, locked until the transaction ends; None where it was changed, removed or taken by another."""
    rows = SloState.objects.select_for_update(of=("self",)).filter(pk=claim.state.pk, slo__removed_at=None)
    return rows.filter(lease_until=claim.state.lease_until).first()


def fail(claim: Claim, failure: str) -> None:
    """Note why it could not be counted; what was known stays."""
    rows = SloState.objects.filter(pk=claim.state.pk, lease_until=claim.state.lease_until)
    rows.update(failure=failure, lease_until=None, due_at=following(claim))


def following(claim: Claim) -> datetime:
    """The next instant of its grid: what was missed is not made up for."""
    interval = timedelta(seconds=claim.slo.interval_s)
    due_at = claim.state.due_at
    missed = (claim.at - due_at) // interval if claim.at > due_at else 0
    return due_at + (missed + 1) * interval
