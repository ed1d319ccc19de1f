"""Settles what an alert is from what its senders say: firing while any says so, unknown while one fell silent.

1. Firing while a report holds that neither ended nor fell silent.
2. Resolved as soon as a live sender ended this episode, whatever a silent one had said.
3. Else unknown (`stale`) while a report's time ran out without its sender having said a word.
4. Else resolved. Firing again is a new episode.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Count, Max

from monitoring.alerts import grouping
from monitoring.alerts.escalation import runs
from monitoring.alerts.models import Alert, AlertState, EndedBy, Episode, Event, EventKind, Report

FLAPPING_CHANGES = 4
FLAPPING_WINDOW = timedelta(minutes=15)
_CHANGED = """
UPDATE alerts_alert a
SET state = u.state, starts_at = u.starts_at, ended_at = u.ended_at, changed_at = u.changed_at,
    flapping_until = u.flapping_until
FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
  AS u(id, state, starts_at, ended_at, changed_at, flapping_until)
WHERE a.id = u.id
"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`at`: when the episode started (firing), fell silent (stale) or ended (resolved)."""

    state: AlertState
    at: datetime


def verdict(reports: Sequence[Report], episode_started_at: datetime | None, now: datetime) -> Verdict:
    """What these reports of one alert amount to; `episode_started_at` is that of the open episode."""
    firing = [report.starts_at for report in reports if not report.is_resolved and not report.is_stale]
    if firing:
        return Verdict(AlertState.FIRING, min(firing))
    since = episode_started_at
    ended = [report.ends_at for report in reports if report.is_resolved and (since is None or report.ends_at >= since)]
    silent = [report.ends_at for report in reports if report.is_stale]
    if silent and not ended:
        return Verdict(AlertState.STALE, max(silent))
    return Verdict(AlertState.RESOLVED, min(max(ended, default=now), now))


def settle(alerts: Sequence[Alert], now: datetime, *, ended_by: EndedBy = EndedBy.SENDER) -> None:
    """Bring alerts, locked by the caller, to what their reports say; writes episodes, events and groups."""
    reports = _reports(alerts)
    episodes = _open_episodes(alerts)
    writer = _Writer(now, ended_by)
    for alert in alerts:
        episode = episodes.get(alert.pk)
        found = verdict(reports[alert.pk], episode.started_at if episode else None, now)
        writer.move(alert, episode, found)
    writer.write(reports)


class _Writer:
    """Collects what changes, so that many alerts cost as many statements as one."""

    def __init__(self, now: datetime, ended_by: EndedBy) -> None:
        self._now = now
        self._ended_by = ended_by
        self._started: list[tuple[Alert, datetime]] = []
        self._ended: list[Episode] = []
        self._changed: list[Alert] = []
        self._events: list[Event] = []
        self._resolved_still: list[Alert] = []

    def move(self, alert: Alert, episode: Episode | None, found: Verdict) -> None:
        before = alert.state
        if before == found.state:
            if found.state == AlertState.RESOLVED:
                self._resolved_still.append(alert)
            elif episode is not None and found.state == AlertState.FIRING and found.at < alert.starts_at:
                self._move_start(alert, episode, found.at)
            return
        alert.state, alert.changed_at = found.state, self._now
        self._changed.append(alert)
        if found.state == AlertState.RESOLVED:
            self._end(alert, episode, found.at)
        elif before == AlertState.RESOLVED:
            alert.starts_at, alert.ended_at = found.at, None
            self._started.append((alert, found.at))
        else:
            kind = EventKind.STALE if found.state == AlertState.STALE else EventKind.BACK
            self._note(alert, kind, episode)

    def write(self, reports: Mapping[int, Sequence[Report]]) -> None:
        self._record_unheard(reports)
        self._start_episodes()
        Episode.objects.bulk_update(self._ended, ["ended_at", "ended_by"])
        if self._ended:
            runs.stop_resolved(self._ended, self._now)
        Event.objects.bulk_create(self._events)
        self._see_flapping()
        self._store_changed()
        started = [alert for alert, _ in self._started]
        if started:
            grouping.join(started, self._now)

    def _store_changed(self) -> None:
        """One plain statement: Django's bulk_update takes longer to write its own than the database to run it."""
        rows = self._changed
        with connection.cursor() as cursor:
            cursor.execute(
                _CHANGED,
                [
                    [alert.pk for alert in rows],
                    [str(alert.state) for alert in rows],
                    [alert.starts_at for alert in rows],
                    [alert.ended_at for alert in rows],
                    [alert.changed_at for alert in rows],
                    [alert.flapping_until for alert in rows],
                ],
            )

    def _move_start(self, alert: Alert, episode: Episode, at: datetime) -> None:
        """Overlapping reports keep the earliest start."""
        alert.starts_at = episode.started_at = at
        episode.save(update_fields=["started_at"])
        self._changed.append(alert)

    def _end(self, alert: Alert, episode: Episode | None, at: datetime) -> None:
        alert.ended_at = at
        if episode is not None:
            episode.ended_at, episode.ended_by = at, self._ended_by
            self._ended.append(episode)
        self._note(alert, EventKind.RESOLVED, episode, str(self._ended_by.label))

    def _start_episodes(self) -> None:
        alerts = [alert for alert, _ in self._started]
        numbers = _last_numbers(alerts)
        made = Episode.objects.bulk_create(
            Episode(alert=alert, number=numbers.get(alert.pk, 0) + 1, started_at=at, opened_at=self._now)
            for alert, at in self._started
        )
        for episode in made:
            self._note(episode.alert, EventKind.FIRED, episode)

    def _record_unheard(self, reports: Mapping[int, Sequence[Report]]) -> None:
        """An alert that began and ended before we heard of it has its episode too, told to nobody."""
        last = _last_episodes(self._resolved_still)
        made = []
        for alert in self._resolved_still:
            known = last.get(alert.pk)
            for report in reports[alert.pk]:
                if known is None or (known.ended_at is not None and report.starts_at > known.ended_at):
                    number = known.number + 1 if known else 1
                    known = self._unheard(alert, report, number)
                    made.append(known)
        for episode in Episode.objects.bulk_create(made):
            self._note(episode.alert, EventKind.FIRED, episode)
            self._note(episode.alert, EventKind.QUIET, episode)

    def _unheard(self, alert: Alert, report: Report, number: int) -> Episode:
        ends_at = min(report.ends_at, self._now)
        alert.starts_at, alert.ended_at = report.starts_at, ends_at
        self._changed.append(alert)
        return Episode(
            alert=alert,
            number=number,
            started_at=report.starts_at,
            opened_at=self._now,
            ended_at=ends_at,
            ended_by=EndedBy.SENDER,
        )

    def _see_flapping(self) -> None:
        """Four changes within a quarter of an hour: the alert flaps until a quarter without one."""
        since = self._now - FLAPPING_WINDOW
        changes = (
            Event.objects.filter(alert__in=self._changed, at__gt=since, kind__in=[EventKind.FIRED, EventKind.RESOLVED])
            .values_list("alert_id")
            .annotate(changes=Count("id"))
            .filter(changes__gte=FLAPPING_CHANGES)
        )
        flapping = dict(changes) if self._changed else {}
        news = []
        for alert in self._changed:
            if alert.pk in flapping:
                if alert.flapping_until is None or alert.flapping_until <= self._now:
                    news.append(self._event(alert, EventKind.FLAPPING, None, f"{flapping[alert.pk]} changes"))
                alert.flapping_until = self._now + FLAPPING_WINDOW
        Event.objects.bulk_create(news)

    def _note(self, alert: Alert, kind: EventKind, episode: Episode | None, note: str = "") -> None:
        self._events.append(self._event(alert, kind, episode, note))

    def _event(self, alert: Alert, kind: EventKind, episode: Episode | None, note: str) -> Event:
        return Event(team_id=alert.team_id, alert=alert, episode=episode, at=self._now, kind=kind, note=note)


def _reports(alerts: Iterable[Alert]) -> Mapping[int, list[Report]]:
    found: dict[int, list[Report]] = defaultdict(list)
    for report in Report.objects.filter(alert__in=alerts):
        found[report.alert_id].append(report)
    return found


def _open_episodes(alerts: Iterable[Alert]) -> dict[int, Episode]:
    return {episode.alert_id: episode for episode in Episode.objects.filter(alert__in=alerts, ended_at__isnull=True)}


def _last_numbers(alerts: Sequence[Alert]) -> dict[int, int]:
    if not alerts:
        return {}
    return dict(Episode.objects.filter(alert__in=alerts).values_list("alert_id").annotate(last=Max("number")))


def _last_episodes(alerts: Sequence[Alert]) -> dict[int, Episode]:
    if not alerts:
        return {}
    found = Episode.objects.filter(alert__in=alerts).order_by("alert_id", "-number").distinct("alert_id")
    return {episode.alert_id: episode for episode in found}
