"""One alert in full: what each sender says, what happened, who was told with which answer, and how often before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from fleetledger.fleet.access import TeamScope
from monitoring.alerts import suppression
from monitoring.alerts.matchers import all_to_text, of_json
from monitoring.alerts.models import (
    Alert,
    Attempt,
    Destination,
    Episode,
    Event,
    EventKind,
    Maintenance,
    Report,
    Silence,
    Told,
)
from monitoring.alerts.reads import AlertRow, Kind, Wanted, found, to_rows, visible
from monitoring.alerts.suppression import Withheld

EVENTS_SHOWN = 200
EPISODES_SHOWN = 20
BIGINT = 2**63


@dataclass(frozen=True, slots=True)
class SenderWord:
    """What one sender last said. `state` is firing, unknown or resolved."""

    sender: str
    state: str
    started_at: datetime
    ends_at: datetime
    received_at: datetime
    times: int
    interval_s: float


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of the timeline: an event of the alert, or a try to tell somebody. `tone`: good, bad, warn, note, ""."""

    at: datetime
    kind: str
    words: str
    actor: str
    note: str
    tone: str
    message_id: int | None = None


@dataclass(frozen=True, slots=True)
class WasTold:
    """What one destination knows of the open or last episode, and what it answered last.

    `is_person`: an escalation paged the person of this user name, by a contact method.
    """

    receiver: str
    channel: str
    is_person: bool
    firing_queued_at: datetime
    firing_attempted_at: datetime | None
    firing_delivered_at: datetime | None
    resolved_queued_at: datetime | None
    resolved_delivered_at: datetime | None
    last_status: int | None
    last_answer: str
    last_error: str
    message_id: int | None

    @property
    def state(self) -> str:
        """delivered, refused or waiting."""
        if self.firing_delivered_at:
            return "delivered"
        return "refused" if self.last_error else "waiting"


@dataclass(frozen=True, slots=True)
class Holding:
    """Something that withholds the alert. `kind` is silence, maintenance or inhibition; `ref` leads to it."""

    kind: str
    ref: str
    words: str
    until: datetime | None
    by: str


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """One time that the alert fired, with the seconds until somebody acknowledged it and until its end."""

    id: int
    number: int
    started_at: datetime
    opened_at: datetime
    ended_at: datetime | None
    ended_by: str
    acknowledged_at: datetime | None
    acknowledged_by: str
    assigned_to: str

    @property
    def duration(self) -> timedelta | None:
        return self.ended_at - self.started_at if self.ended_at else None

    @property
    def until_acknowledged(self) -> timedelta | None:
        return self.acknowledged_at - self.opened_at if self.acknowledged_at else None


@dataclass(frozen=True, slots=True)
class AlertDetail:
    """Everything on one alert's page."""

    row: AlertRow
    senders: tuple[SenderWord, ...]
    holdings: tuple[Holding, ...]
    told: tuple[WasTold, ...]
    timeline: tuple[Happening, ...]
    episodes: tuple[EpisodeRow, ...]

    @property
    def runbook_url(self) -> str:
        """A web address or a page of ours, or empty: annotations are others' words."""
        url = self.row.annotations.get("runbook_url") or self.row.annotations.get("runbook") or ""
        is_ours = url.startswith("/") and not url.startswith(("//", "/\\"))
        return url if is_ours or url.startswith(("https://", "http://")) else ""


def alert(alert_id: int, *, teams: TeamScope, at: datetime) -> AlertDetail | None:
    """None where there is no such alert, or none for this reader."""
    rows = to_rows(found(Wanted(Kind.ALL), teams=teams).filter(pk=alert_id), at)
    if not rows:
        return None
    one = Alert.objects.get(pk=alert_id)
    episodes = tuple(_episode(each) for each in _episodes(alert_id))
    return AlertDetail(
        row=rows[0],
        senders=_senders(alert_id),
        holdings=_holdings(one, at) if rows[0].state != "resolved" else (),
        told=_told(episodes[0].id) if episodes else (),
        timeline=timeline(alert_id),
        episodes=episodes,
    )


def stored(alert_ids: Sequence[int], *, teams: TeamScope) -> tuple[Alert, ...]:
    """The alerts themselves that a reader may see, for acts on them."""
    known = [alert_id for alert_id in alert_ids if alert_id < BIGINT]
    return tuple(Alert.objects.filter(visible(teams), pk__in=known).select_related("team").order_by("pk"))


def timeline(alert_id: int) -> tuple[Happening, ...]:
    """Events and attempts, the latest first."""
    events = Event.objects.filter(alert=alert_id).order_by("-at", "-pk")[:EVENTS_SHOWN]
    tries = (
        Attempt.objects.filter(episodes__alert=alert_id)
        .select_related("message__destination")
        .order_by("-sending_at", "-pk")
        .distinct()[:EVENTS_SHOWN]
    )
    lines = [_of_event(event) for event in events if event.kind not in (EventKind.TOLD, EventKind.NOT_TOLD)]
    told = [_of_event(event) for event in events if event.kind in (EventKind.TOLD, EventKind.NOT_TOLD)]
    attempts = [_of_attempt(attempt) for attempt in tries]
    lines += attempts or told  # an attempt tells the same with its answer
    return tuple(islice(sorted(lines, key=lambda line: line.at, reverse=True), EVENTS_SHOWN))


def where(destination: Destination) -> str:
    """A destination as people know it: sre (Webhook)."""
    return f"{destination.receiver} ({destination.get_kind_display()})"


def _senders(alert_id: int) -> tuple[SenderWord, ...]:
    reports = Report.objects.filter(alert=alert_id).select_related("sender").order_by("-received_at")
    return tuple(
        SenderWord(
            sender=report.sender.key,
            state="resolved" if report.is_resolved else "unknown" if report.is_stale else "firing",
            started_at=report.starts_at,
            ends_at=report.ends_at,
            received_at=report.received_at,
            times=report.times,
            interval_s=report.sender.interval_s,
        )
        for report in reports
    )


def _holdings(one: Alert, at: datetime) -> tuple[Holding, ...]:
    withheld = suppression.withheld(one.team_id, [one], at).get(one.pk, suppression.NOTHING)
    return (*_silences(withheld), *_maintenance(withheld), *_inhibitions(one, withheld))


def _silences(withheld: Withheld) -> list[Holding]:
    rows = Silence.objects.filter(pk__in=withheld.silences).order_by("ends_at") if withheld.silences else ()
    return [
        Holding(
            "silence", str(row.pk), row.comment or all_to_text(map(of_json, row.matchers)), row.ends_at, row.created_by
        )
        for row in rows
    ]


def _maintenance(withheld: Withheld) -> list[Holding]:
    rows = Maintenance.objects.filter(pk__in=withheld.maintenance).order_by("ends_at") if withheld.maintenance else ()
    return [Holding("maintenance", str(row.pk), row.name, row.ends_at, row.created_by) for row in rows]


def _inhibitions(one: Alert, withheld: Withheld) -> list[Holding]:
    marks = withheld.inhibited_by
    rows = Alert.objects.filter(team=one.team, fingerprint__in=marks) if marks else ()
    return [Holding("inhibition", str(row.pk), row.name, None, "") for row in rows]


def _told(episode_id: int) -> tuple[WasTold, ...]:
    last = Attempt.objects.filter(episodes=episode_id).order_by("-sending_at")
    rows = (
        Told.objects.filter(episode=episode_id)
        .select_related("destination")
        .order_by("firing_queued_at", "destination__receiver")
    )
    answers: dict[int, Attempt] = {}
    for attempt in last.select_related("message"):
        answers.setdefault(attempt.message.destination_id, attempt)
    return tuple(_was_told(row, answers.get(row.destination_id)) for row in rows)


def _was_told(row: Told, last: Attempt | None) -> WasTold:
    is_refused = last is not None and last.finished_at is not None and not last.is_delivered
    return WasTold(
        receiver=row.destination.receiver,
        channel=row.destination.get_kind_display(),
        is_person=row.destination.contact_id is not None,
        firing_queued_at=row.firing_queued_at,
        firing_attempted_at=row.firing_attempted_at,
        firing_delivered_at=row.firing_delivered_at,
        resolved_queued_at=row.resolved_queued_at,
        resolved_delivered_at=row.resolved_delivered_at,
        last_status=last.status if last else None,
        last_answer=last.answer if last else "",
        last_error=last.answer or "no answer" if last and is_refused else "",
        message_id=last.message_id if last else None,
    )


def _episodes(alert_id: int) -> list[Episode]:
    rows = Episode.objects.filter(alert=alert_id).select_related("acknowledged_by", "assigned_to")
    return list(rows.order_by("-number")[:EPISODES_SHOWN])


def _episode(row: Episode) -> EpisodeRow:
    return EpisodeRow(
        id=row.pk,
        number=row.number,
        started_at=row.started_at,
        opened_at=row.opened_at,
        ended_at=row.ended_at,
        ended_by=row.get_ended_by_display() if row.ended_by else "",
        acknowledged_at=row.acknowledged_at,
        acknowledged_by=(row.acknowledged_by.first_name or row.acknowledged_by.username) if row.acknowledged_by else "",
        assigned_to=(row.assigned_to.first_name or row.assigned_to.username) if row.assigned_to else "",
    )


_TONES = {
    EventKind.FIRED: "bad",
    EventKind.RESOLVED: "good",
    EventKind.STALE: "unknown",
    EventKind.BACK: "bad",
    EventKind.FLAPPING: "warn",
    EventKind.ACKNOWLEDGED: "note",
    EventKind.ASSIGNED: "note",
    EventKind.NOT_TOLD: "bad",
}


def _of_event(event: Event) -> Happening:
    kind = EventKind(event.kind)
    return Happening(event.at, event.kind, str(kind.label), event.actor, event.note, _TONES.get(kind, ""))


def _of_attempt(attempt: Attempt) -> Happening:
    to = where(attempt.message.destination)
    if attempt.is_delivered:
        words, kind, tone = f"told {to}", "told", "good"
    elif attempt.finished_at is None:
        words, kind, tone = f"is being told to {to}", "telling", ""
    else:
        words, kind, tone = f"not taken by {to}", "not_told", "bad"
    has_status = attempt.status is None or attempt.answer.startswith(str(attempt.status))
    answer = attempt.answer if has_status else f"{attempt.status} {attempt.answer}".strip()
    return Happening(attempt.sending_at, kind, words, "", answer, tone, attempt.message_id)
