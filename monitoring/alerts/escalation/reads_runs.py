"""What escalates, and what did: runs with their steps, the people they paged, and by which ways."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, QuerySet

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Window
from fleetledger.lib.keyset import Cut
from fleetledger.web import words
from monitoring.alerts.escalation.ladders import Rung, rungs
from monitoring.alerts.escalation.who import Directory, directory
from monitoring.alerts.models import Episode, MessageState, OutboxMessage, Page, Run, RunState, RunStep
from monitoring.alerts.reads import newest_first, visible

STEPS_SHOWN, PAGES_SHOWN, WAYS_SHOWN, ALERTS_SHOWN, OF_ALERT = 500, 1000, 3000, 50, 5
BIGINT = 2**63


@dataclass(frozen=True, slots=True)
class RunFilter:
    """`state` empty: all; `is_over` None: both. `alert_id`: whose episodes it is about."""

    state: str = ""
    escalation: str = ""
    alert_id: int | None = None
    is_over: bool | None = None
    window: Window | None = None


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run. `state`: active, acknowledged, resolved, exhausted; `step` of `steps` are done in this `round`.

    `due_at`: when the next step is to be done, `held_for` why it is put off; `sentence` says all of it.
    """

    id: int
    escalation: str
    team: str | None
    title: str
    alerts: int
    state: str
    state_words: str
    step: int
    steps: int
    round: int
    repeat: int
    started_at: datetime
    changed_at: datetime
    due_at: datetime | None
    held_for: str
    pages: int
    sentence: str

    @property
    def is_active(self) -> bool:
        return self.state == RunState.ACTIVE


@dataclass(frozen=True, slots=True)
class ByWay:
    """A page's message by one contact method. `state`: queued, sent, dead, withheld, superseded or dropped."""

    message_id: int
    channel: str
    label: str
    state: str
    state_words: str
    due_at: datetime
    finished_at: datetime | None
    last_error: str


@dataclass(frozen=True, slots=True)
class PageRow:
    """One person paged by one step. `problem`: why nobody could be told."""

    id: int
    username: str
    name: str
    at: datetime
    why: str
    quiet_until_at: datetime | None
    problem: str
    ways: tuple[ByWay, ...]

    @property
    def is_delivered(self) -> bool:
        return any(way.state == MessageState.SENT for way in self.ways)


@dataclass(frozen=True, slots=True)
class DoneStep:
    """A step that was done or passed over, in words, with whom it paged."""

    round: int
    step: int
    at: datetime
    words: str
    is_passed_over: bool
    pages: tuple[PageRow, ...]


@dataclass(frozen=True, slots=True)
class Escalated:
    """An alert that the run is about."""

    alert_id: int
    name: str
    severity: str
    acknowledged_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunDetail:
    """A run with what was done, in order, and the steps that are to come.

    `given`: pages of those to whom the alert was given, by no step. `told`: messages of steps that page no person.
    """

    row: RunRow
    done: tuple[DoneStep, ...]
    given: tuple[PageRow, ...]
    told: tuple[ByWay, ...]
    to_come: tuple[Rung, ...]
    alerts: tuple[Escalated, ...]

    @property
    def pages(self) -> tuple[PageRow, ...]:
        return (*(page for step in self.done for page in step.pages), *self.given)


def runs(wanted: RunFilter, cut: Cut, number: int | None, *, teams: TeamScope, at: datetime) -> list[RunRow]:
    """Up to limit + 1 beside the one of this number, the newest first."""
    return _run_rows(list(newest_first(_rows(wanted, teams), cut, number)), at)


def run(run_id: int, *, teams: TeamScope, at: datetime) -> RunDetail | None:
    """None where there is none, or none for this reader."""
    found = list(_rows(RunFilter(), teams).filter(pk=run_id)) if run_id < BIGINT else []
    details = _details(found, at)
    return details[0] if details else None


def of_alert(alert_id: int, *, teams: TeamScope, at: datetime) -> tuple[RunDetail, ...]:
    """The runs of an alert's open or last episode, the newest first, at most OF_ALERT."""
    last = Episode.objects.filter(alert=alert_id).order_by("-number").values("pk")[:1]
    found = _rows(RunFilter(), teams).filter(members__episode__in=last).order_by("-pk")[:OF_ALERT]
    return _details(list(found), at)


def _rows(wanted: RunFilter, teams: TeamScope) -> QuerySet[Run]:
    rows = Run.objects.filter(visible(teams)).select_related("escalation", "team", "group")
    if wanted.state:
        rows = rows.filter(state=wanted.state)
    if wanted.escalation:
        rows = rows.filter(escalation__name=wanted.escalation)
    if wanted.is_over is not None:
        rows = rows.exclude(state=RunState.ACTIVE) if wanted.is_over else rows.filter(state=RunState.ACTIVE)
    if wanted.window is not None:
        rows = rows.filter(started_at__gte=wanted.window.start, started_at__lt=wanted.window.end)
    if wanted.alert_id is not None:
        known = min(wanted.alert_id, BIGINT - 1)
        rows = rows.filter(pk__in=Run.objects.filter(members__episode__alert=known).values("pk"))
    return rows


def _run_rows(found: Sequence[Run], at: datetime) -> list[RunRow]:
    if not found:
        return []
    alerts = _counts(Run.objects.filter(pk__in=[row.pk for row in found]), "members")
    pages = _counts(Run.objects.filter(pk__in=[row.pk for row in found]), "pages")
    active = [row for row in found if row.state == RunState.ACTIVE]
    known = directory((row.steps for row in active), [row.team.slug if row.team else None for row in active], at)
    return [_run_row(row, alerts[row.pk], pages[row.pk], known, at) for row in found]


def _counts(rows: QuerySet[Run], field: str) -> dict[int, int]:
    return dict(rows.annotate(many=Count(field)).values_list("pk", "many"))


def _run_row(row: Run, alerts: int, pages: int, known: Directory, at: datetime) -> RunRow:
    state = RunState(row.state)
    return RunRow(
        id=row.pk,
        escalation=row.escalation.name,
        team=row.team.slug if row.team else None,
        title=", ".join(f"{value}" for _, value in sorted(row.group.labels.items())) or "All alerts",
        alerts=alerts,
        state=row.state,
        state_words=str(state.label),
        step=min(row.step, len(row.steps)),
        steps=len(row.steps),
        round=row.round,
        repeat=row.repeat,
        started_at=row.started_at,
        changed_at=row.changed_at,
        due_at=row.due_at,
        held_for=row.held_for,
        pages=pages,
        sentence=sentence(row, known, at),
    )


def sentence(row: Run, known: Directory, at: datetime) -> str:
    """Where a run stands, and what comes next unless somebody acknowledges."""
    total = len(row.steps)
    done = min(row.step, total)
    if row.state == RunState.ACKNOWLEDGED:
        return f"Stopped after step {done} of {total}: somebody acknowledged."
    if row.state == RunState.RESOLVED:
        return f"Stopped after step {done} of {total}: the alerts are over."
    if row.state == RunState.EXHAUSTED:
        return "All steps are done and nobody acknowledged."
    again = f" of round {row.round + 1}" if row.round else ""
    begun = f"Step {done} of {total}{again} done" if done else f"No step of {total}{again} done yet"
    if row.held_for:
        return f"{begun}; put off: {row.held_for}"
    return f"{begun}; {_next(row, known)} {_when(row.due_at, at)} unless somebody acknowledges."


def _next(row: Run, known: Directory) -> str:
    following = [rung for rung in rungs(row.steps)[row.step :] if not rung.is_wait]
    if not following:
        return "the steps begin again" if row.round - row.first_round < row.repeat else "it ends"
    rung = following[0]
    who = known.said(rung, row.team.slug if row.team else None)
    if rung.kind == "receiver":
        return f"the receiver {rung.target} is told"
    if rung.kind == "webhook":
        return "a webhook is called"
    if who:
        return f"{who} {'are' if ', ' in who else 'is'} paged"
    named = {"person": rung.target, "schedule": f"who is on call in {rung.target}", "team": f"the team {rung.target}"}
    return f"{named.get(rung.kind, 'everyone')} is paged"


def _when(due_at: datetime | None, at: datetime) -> str:
    if due_at is None or due_at <= at:
        return "now"
    return f"in {words.duration(due_at - at)}"


def _details(found: Sequence[Run], at: datetime) -> tuple[RunDetail, ...]:
    numbers = [row.pk for row in found]
    done, alerts = _done(numbers), _alerts(numbers)
    given = _pages(Page.objects.filter(run__in=numbers, done=None), "run_id")
    told = _ways(OutboxMessage.objects.filter(run__in=numbers, page=None), "run_id")
    return tuple(
        RunDetail(
            row=line,
            done=tuple(done.get(row.pk, ())),
            given=tuple(given.get(row.pk, ())),
            told=tuple(told.get(row.pk, ())),
            to_come=rungs(row.steps)[row.step :] if row.state == RunState.ACTIVE else (),
            alerts=tuple(alerts.get(row.pk, ())),
        )
        for row, line in zip(found, _run_rows(found, at), strict=True)
    )


def _done(numbers: Iterable[int]) -> Mapping[int, list[DoneStep]]:
    steps = list(RunStep.objects.filter(run__in=numbers).order_by("-at", "-pk")[:STEPS_SHOWN])[::-1]
    pages = _pages(Page.objects.filter(done__in=[step.pk for step in steps]), "done_id")
    found: dict[int, list[DoneStep]] = defaultdict(list)
    for step in steps:
        found[step.run_id].append(
            DoneStep(step.round, step.step, step.at, step.words, step.is_passed_over, tuple(pages.get(step.pk, ())))
        )
    return found


def _pages(wanted: QuerySet[Page], by: str) -> Mapping[int, list[PageRow]]:
    rows = list(wanted.select_related("person").order_by("at", "pk")[:PAGES_SHOWN])
    ways = _ways(OutboxMessage.objects.filter(page__in=[row.pk for row in rows]), "page_id")
    found: dict[int, list[PageRow]] = defaultdict(list)
    for row in rows:
        found[getattr(row, by)].append(
            PageRow(
                id=row.pk,
                username=row.person.username,
                name=row.person.first_name or row.person.username,
                at=row.at,
                why=row.why,
                quiet_until_at=row.quiet_until_at,
                problem=row.problem,
                ways=tuple(ways.get(row.pk, ())),
            )
        )
    return found


def _ways(wanted: QuerySet[OutboxMessage], by: str) -> Mapping[int, list[ByWay]]:
    found: dict[int, list[ByWay]] = defaultdict(list)
    rows = wanted.select_related("destination__contact").defer("body").order_by("due_at", "pk")
    for row in rows[:WAYS_SHOWN]:
        contact = row.destination.contact
        found[getattr(row, by)].append(
            ByWay(
                message_id=row.pk,
                channel=row.destination.get_kind_display(),
                label=contact.label if contact else row.destination.receiver,
                state=row.state,
                state_words=str(MessageState(row.state).label),
                due_at=row.due_at,
                finished_at=row.finished_at,
                last_error=row.last_error,
            )
        )
    return found


def _alerts(numbers: Iterable[int]) -> Mapping[int, list[Escalated]]:
    found: dict[int, list[Escalated]] = defaultdict(list)
    rows = Episode.objects.filter(escalated__run__in=numbers).order_by("pk")
    fields = ("escalated__run", "alert_id", "alert__name", "alert__severity", "acknowledged_at", "ended_at")
    for run_id, *rest in rows.values_list(*fields)[: ALERTS_SHOWN * OF_ALERT]:
        found[run_id].append(Escalated(*rest))
    return found
