"""What people say about components: planned work, and that something is expected no more."""

from datetime import datetime, timedelta

from django.db import transaction

from monitoring.alerts import clock
from monitoring.availability import ingest
from monitoring.availability.errors import NotFoundError, PlanError
from monitoring.availability.models import Component, MaintenanceWindow, Probe, Series

LONGEST = timedelta(days=366)
MOST = 1_000


@transaction.atomic
def plan_work(
    component: Component, until_at: datetime, *, from_at: datetime | None, reason: str, by: str
) -> MaintenanceWindow:
    """Work from now, or from later on: what has been stays as it was seen. Raises PlanError."""
    now = clock.now()
    start = max(from_at or now, now)
    if until_at <= start:
        raise PlanError("Planned work ends after it starts, and in the future. Give a later end.")
    if until_at - start > LONGEST:
        raise PlanError("Planned work lasts a year at most. Give an earlier end.")
    if component.maintenance.filter(until_at__gt=now).count() >= MOST:
        raise PlanError(f"{MOST} windows are planned for this component already. End one first.")
    return MaintenanceWindow.objects.create(
        component=component, from_at=start, until_at=until_at, reason=reason[:300], created_by=by[:200], created_at=now
    )


@transaction.atomic
def end_work(component: Component, window_id: int) -> None:
    """End it now; what has not begun is gone, what has ended stays. Raises NotFoundError."""
    now = clock.now()
    row = component.maintenance.select_for_update().filter(pk=window_id).first()
    if row is None:
        raise NotFoundError(f"No planned work of '{component.name}' has the number {window_id}.")
    if now <= row.from_at:
        row.delete()
    elif now < row.until_at:
        row.until_at = now
        row.save(update_fields=["until_at"])


def end_series(component: Component, series_id: int, reason: str) -> None:
    """Say that something a probe has seen is gone on purpose: from its last slot on nothing is missed of it."""
    row = Series.objects.filter(pk=series_id, probe__component=component).first()
    if row is None:
        raise NotFoundError(f"No series of '{component.name}' has the number {series_id}.")
    ingest.end([row.pk], reason)


def beat(token: str) -> None:
    """Take a heartbeat's call in; one that was missed is looked at at once. Raises NotFoundError."""
    now = clock.now()
    rows = Probe.objects.filter(token=token, kind="heartbeat", removed_at=None)
    if not rows.update(beat_at=now):
        raise NotFoundError("No heartbeat has this address. Copy it again from the component's page.")
    rows.filter(due_at__gt=now, series__ended_at=None, series__state="down").update(due_at=now)
