"""Reads what withholds on purpose as Alertmanager knows it: maintenance windows count as silences here.

An alert's `silencedBy` names both, so a client finds, shows and ends both.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from monitoring.alerts import clock, maintenance, silences
from monitoring.alerts.errors import NotFoundError
from monitoring.alerts.matchers import Matcher
from monitoring.alerts.models import Maintenance, Silence
from monitoring.alerts.silences import Status, has_matchers, order, status_at
from monitoring.alerts.tenants import Tenant


@dataclass(frozen=True, slots=True)
class Quiet:
    """A silence, or a maintenance window in its form."""

    id: str
    matchers: list[dict[str, Any]]
    starts_at: datetime
    ends_at: datetime
    updated_at: datetime
    created_by: str
    comment: str

    def status(self, now: datetime) -> Status:
        return status_at(self.starts_at, self.ends_at, now)


def listed(tenant: Tenant, filters: tuple[Matcher, ...]) -> tuple[Quiet, ...]:
    """In Alertmanager's order."""
    now = clock.now()
    found = (*map(of_silence, silences.listed(tenant)), *map(of_window, maintenance.listed(tenant)))
    chosen = [quiet for quiet in found if has_matchers(quiet.matchers, filters)]
    return tuple(sorted(chosen, key=lambda quiet: order(quiet.starts_at, quiet.ends_at, now)))


def one(tenant: Tenant, quiet_id: str) -> Quiet:
    """Raises NotFoundError, for another tenant's as well."""
    try:
        return of_silence(silences.one(tenant, quiet_id))
    except NotFoundError as unknown:
        try:
            return of_window(maintenance.one(tenant, quiet_id))
        except NotFoundError:
            raise unknown from None


def end(tenant: Tenant, quiet_id: str) -> None:
    """Raises NotFoundError."""
    try:
        silences.expire(tenant, quiet_id)
    except NotFoundError as unknown:
        try:
            maintenance.end(tenant, quiet_id)
        except NotFoundError:
            raise unknown from None


def of_silence(row: Silence) -> Quiet:
    return Quiet(str(row.pk), row.matchers, row.starts_at, row.ends_at, row.updated_at, row.created_by, row.comment)


def of_window(row: Maintenance) -> Quiet:
    comment = f"Maintenance: {row.name}. {row.comment}".strip()
    return Quiet(str(row.pk), row.matchers, row.starts_at, row.ends_at, row.starts_at, row.created_by, comment)
