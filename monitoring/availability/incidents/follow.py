"""Keeps incidents in step with alerts: opens them, fills their timelines, and ends those that are over.

1. A rule's alert opens an incident, or joins the one of its key that is not resolved.
2. When all of its alerts have ended, it is mitigated by itself; when one fires again, it is open again.
3. Mitigated and quiet for the rule's `resolve_after_s`, it is resolved; a person may do each of these earlier.
"""

from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F

from fleetledger.web.words import plural
from monitoring.availability.incidents import opening, timeline
from monitoring.availability.models import EntryKind, Incident, IncidentAlert, IncidentState

KEY = "availability.incidents"
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext(%s))"


@transaction.atomic
def follow(now: datetime) -> str:
    """One process at a time; any may do it twice."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [KEY])
        if not (cursor.fetchone() or (False,))[0]:
            return "Somebody else follows the incidents."
    taken = opening.open_from_alerts(now)
    live = Incident.objects.select_for_update(of=("self",)).exclude(state=IncidentState.RESOLVED)
    rows = list(live.select_related("rule").order_by("pk"))
    lines = sum(_bring(row, now) for row in rows)
    return f"{plural(taken, 'alert')} taken in, {plural(lines, 'line')} written for {plural(len(rows), 'incident')}."


def _bring(incident: Incident, now: datetime) -> int:
    _note_ends(incident)
    lines = timeline.fill(incident, now)
    if incident.key:
        _move(incident, now)
    return lines


def _note_ends(incident: Incident) -> None:
    ended = IncidentAlert.objects.filter(incident=incident, ended_at=None, episode__ended_at__isnull=False)
    for pk, at in list(ended.values_list("pk", F("episode__ended_at"))):
        IncidentAlert.objects.filter(pk=pk).update(ended_at=at)


def _move(incident: Incident, now: datetime) -> None:
    """By itself, where all alerts have ended."""
    still = IncidentAlert.objects.filter(incident=incident, ended_at=None, episode__isnull=False).exists()
    quiet_at = None if still else incident.quiet_at or now
    if quiet_at != incident.quiet_at:
        incident.quiet_at = quiet_at
        incident.save(update_fields=["quiet_at"])
    if quiet_at is None:
        return
    if incident.state == IncidentState.OPEN:
        _mitigate(incident, now)
    after_s = incident.rule.resolve_after_s if incident.rule else None
    if after_s is not None and quiet_at + timedelta(seconds=after_s) <= now:
        incident.state, incident.resolved_at = IncidentState.RESOLVED, now
        incident.save(update_fields=["state", "resolved_at"])
        timeline.write(incident, EntryKind.STATE, "Resolved: no alert came back", at=now, tone="good")


def _mitigate(incident: Incident, now: datetime) -> None:
    incident.state, incident.mitigated_at = IncidentState.MITIGATED, max(now, incident.opened_at)
    incident.save(update_fields=["state", "mitigated_at"])
    timeline.write(incident, EntryKind.STATE, "Mitigated: every alert has resolved", at=now, tone="note")
