"""Maintenance windows: planned work on what matchers name. They withhold as silences do, and pages say why."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from monitoring.alerts import clock
from monitoring.alerts.errors import AlertsError, ConflictError, NotFoundError
from monitoring.alerts.models import Maintenance
from monitoring.alerts.silences import RETENTION, SilenceError, Status, status_at, stored
from monitoring.alerts.tenants import Tenant

_NAME_WIDTH = 200
WindowId = str | uuid.UUID


class MaintenanceError(AlertsError):
    """A window that cannot be made as asked."""


@dataclass(frozen=True, slots=True)
class Window:
    """What somebody plans. `matchers` as a silence has them."""

    name: str
    matchers: Sequence[dict[str, Any]]
    starts_at: datetime
    ends_at: datetime
    comment: str = ""


def status(window: Maintenance, now: datetime) -> Status:
    return status_at(window.starts_at, window.ends_at, now)


@transaction.atomic
def plan(tenant: Tenant, window: Window, created_by: str) -> Maintenance:
    """Make a window; a start that has passed becomes now. Raises MaintenanceError."""
    now = clock.now()
    made = Maintenance(team_id=tenant.team_id, created_by=created_by[:_NAME_WIDTH], starts_at=now)
    return _saved(made, window, max(window.starts_at, now), now)


@transaction.atomic
def change(tenant: Tenant, window_id: WindowId, window: Window) -> Maintenance:
    """Change a window that has not ended; the start of one in force stays. Raises as `plan` and `end` do."""
    now = clock.now()
    known = _locked(tenant, window_id)
    match status(known, now):
        case Status.EXPIRED:
            raise ConflictError(f"The maintenance '{known.name}' has ended. Plan a new one.")
        case Status.ACTIVE:
            return _saved(known, window, known.starts_at, now)
        case _:
            return _saved(known, window, max(window.starts_at, now), now)


@transaction.atomic
def end(tenant: Tenant, window_id: WindowId) -> None:
    """End a window now; one that has not begun is gone, one that has ended stays. Raises NotFoundError."""
    now = clock.now()
    known = _locked(tenant, window_id)
    if now <= known.starts_at:
        known.delete()
    elif now < known.ends_at:
        known.ends_at = now
        known.save(update_fields=["ends_at"])
    clock.ring()


def one(tenant: Tenant, window_id: WindowId) -> Maintenance:
    """Raises NotFoundError, for another tenant's as well."""
    found = _of(tenant).filter(pk=_as_uuid(window_id)).first()
    if found is None:
        raise _unknown(window_id)
    return found


def listed(tenant: Tenant) -> tuple[Maintenance, ...]:
    """Those in force and to come by their start, then those that ended lately."""
    now = clock.now()
    rows = _of(tenant).filter(ends_at__gt=now - RETENTION).order_by("starts_at", "pk")
    return tuple(sorted(rows, key=lambda window: window.ends_at <= now))


def _saved(row: Maintenance, window: Window, starts_at: datetime, now: datetime) -> Maintenance:
    if not window.name.strip() or len(window.name) > _NAME_WIDTH or "\x00" in window.name + window.comment:
        raise MaintenanceError(f"A maintenance needs a name of at most {_NAME_WIDTH} characters.")
    if window.ends_at <= max(starts_at, now):
        raise MaintenanceError("A maintenance ends after it starts, and in the future. Give a later end.")
    try:
        row.matchers = stored(list(window.matchers))
    except SilenceError as error:
        raise MaintenanceError(str(error).replace("silence", "maintenance")) from error
    row.name, row.comment, row.starts_at, row.ends_at = window.name, window.comment, starts_at, window.ends_at
    row.save()
    clock.ring()
    return row


def _of(tenant: Tenant) -> QuerySet[Maintenance]:
    return Maintenance.objects.filter(Q(team_id=tenant.team_id))


def _locked(tenant: Tenant, window_id: WindowId) -> Maintenance:
    found = _of(tenant).select_for_update().filter(pk=_as_uuid(window_id)).first()
    if found is None:
        raise _unknown(window_id)
    return found


def _as_uuid(window_id: WindowId) -> uuid.UUID:
    try:
        return uuid.UUID(str(window_id))
    except ValueError:
        raise _unknown(window_id) from None


def _unknown(window_id: WindowId) -> NotFoundError:
    return NotFoundError(f"No maintenance has the id '{str(window_id)[:64]}'.")
