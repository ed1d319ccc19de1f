"""Hooks, their runs and game days as pages and the API show them, within the reader's teams."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.keyset import Cut
from monitoring.alerts.matchers import all_to_text, parse
from monitoring.alerts.reads import newest_first, of_team, visible
from monitoring.availability.healing import gamedays
from monitoring.availability.healing.errors import NoSuchGameDayError, NoSuchRunError
from monitoring.availability.models import GameDay, HealingHook, HealingRun, HealingState, Outcome

MOST_HOOKS = 1000


@dataclass(frozen=True, slots=True)
class HookRow:
    """A hook. `on`: what it is for, in words; the address that it calls is for its administrators."""

    id: int
    name: str
    team: str | None
    team_name: str
    on: str
    after_s: int
    needs_approval: bool
    most_per_hour: int
    is_dry_run: bool
    waiting: int
    runs: int


@dataclass(frozen=True, slots=True)
class RunRow:
    """One time that a hook was to be called."""

    id: int
    hook: str
    team: str | None
    team_name: str
    state: str
    state_words: str
    is_dry_run: bool
    evidence: dict[str, Any]
    proposed_at: datetime
    decided_at: datetime | None
    decided_by: str
    sent_at: datetime | None
    told_at: datetime | None
    ended_at: datetime | None
    held_for: str
    result: str
    alert_id: int | None

    @property
    def about(self) -> str:
        """What it was for, in a few words."""
        if "component" in self.evidence:
            return f"{self.evidence['component']} is {self.evidence.get('state', '')}"
        return str(self.evidence.get("alert", ""))


@dataclass(frozen=True, slots=True)
class RunLine:
    at: datetime
    text: str
    actor: str


@dataclass(frozen=True, slots=True)
class RunDetail:
    row: RunRow
    lines: tuple[RunLine, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """Something that happened during a game day."""

    at: datetime
    text: str
    tone: str


@dataclass(frozen=True, slots=True)
class GameDayRow:
    """A game day. `state`: planned, running or ended."""

    id: int
    team: str | None
    team_name: str
    title: str
    fault: str
    expectation: str
    expected_state: str
    expected_within_s: int | None
    components: tuple[str, ...]
    planned_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    outcome: str
    outcome_words: str
    learned: str
    created_by: str

    @property
    def state(self) -> str:
        if self.started_at is None:
            return "planned"
        return "running" if self.ended_at is None else "ended"


@dataclass(frozen=True, slots=True)
class GameDayDetail:
    """With what was seen; `seen` says whether the expected state came in time."""

    row: GameDayRow
    evidence: tuple[Seen, ...]
    seen: str


def hooks(*, teams: TeamScope) -> tuple[HookRow, ...]:
    """Those in force, by name."""
    rows = HealingHook.objects.filter(visible(teams), removed_at=None).select_related("team", "component")
    counted = rows.annotate(
        waiting=Count("runs", filter=Q(runs__state=HealingState.PROPOSED)), many=Count("runs")
    ).order_by("name")[:MOST_HOOKS]
    return tuple(_hook(row) for row in counted)


def runs(cut: Cut, number: int | None, *, teams: TeamScope, state: str = "", team: str = "") -> list[RunRow]:
    """Up to limit + 1 beside the one of this number, the newest first."""
    return [_run(row) for row in newest_first(_runs(teams, state, team), cut, number)]


def waiting(*, teams: TeamScope) -> list[RunRow]:
    """What waits for a person, the oldest first."""
    rows = _runs(teams, HealingState.PROPOSED.value, "").order_by("pk")
    return [_run(row) for row in rows[:100]]


def stored_run(run_id: int, *, teams: TeamScope) -> HealingRun:
    """Raises NoSuchRunError."""
    row = _runs(teams, "", "").filter(pk=run_id).first()
    if row is None:
        raise NoSuchRunError(run_id)
    return row


def run(run_id: int, *, teams: TeamScope) -> RunDetail:
    """Raises NoSuchRunError."""
    row = stored_run(run_id, teams=teams)
    lines = row.entries.order_by("at", "pk").values_list("at", "text", "actor")
    return RunDetail(_run(row), tuple(RunLine(*line) for line in lines))


def game_days(cut: Cut, number: int | None, *, teams: TeamScope, team: str = "") -> list[GameDayRow]:
    rows = _game_days(teams).filter(of_team(team))
    return [_game_day(row) for row in newest_first(rows, cut, number)]


def stored_game_day(game_day_id: int, *, teams: TeamScope) -> GameDay:
    """Raises NoSuchGameDayError."""
    row = _game_days(teams).filter(pk=game_day_id).first()
    if row is None:
        raise NoSuchGameDayError(game_day_id)
    return row


def game_day(game_day_id: int, *, teams: TeamScope, at: datetime) -> GameDayDetail:
    """What is kept of one that has ended; what is seen until now of one that runs. Raises NoSuchGameDayError."""
    row = stored_game_day(game_day_id, teams=teams)
    until = row.ended_at or at
    found = row.evidence if row.ended_at else gamedays.evidence(row, until)
    evidence = tuple(Seen(datetime.fromisoformat(one["at"]), one["text"], one["tone"]) for one in found)
    return GameDayDetail(_game_day(row), evidence, gamedays.seen(row, until))


def _runs(teams: TeamScope, state: str, team: str) -> QuerySet[HealingRun]:
    rows = HealingRun.objects.filter(visible(teams, "hook__team"), of_team(team, "hook__team"))
    if state:
        rows = rows.filter(state=state)
    return rows.select_related("hook__team", "hook__component", "episode")


def _game_days(teams: TeamScope) -> QuerySet[GameDay]:
    return GameDay.objects.filter(visible(teams)).select_related("team").prefetch_related("components")


def _hook(row: Any) -> HookRow:
    states = " or ".join(row.states)
    on = f"{row.component.title} is {states}" if row.component else all_to_text(map(parse, row.matchers))
    return HookRow(
        id=row.pk,
        name=row.name,
        team=row.team.slug if row.team else None,
        team_name=row.team.name if row.team else "Platform",
        on=on,
        after_s=row.after_s,
        needs_approval=row.needs_approval,
        most_per_hour=row.most_per_hour,
        is_dry_run=row.is_dry_run,
        waiting=row.waiting,
        runs=row.many,
    )


def _run(row: HealingRun) -> RunRow:
    team = row.hook.team
    return RunRow(
        id=row.pk,
        hook=row.hook.name,
        team=team.slug if team else None,
        team_name=team.name if team else "Platform",
        state=row.state,
        state_words=str(HealingState(row.state).label),
        is_dry_run=row.is_dry_run,
        evidence=row.evidence,
        proposed_at=row.proposed_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        sent_at=row.sent_at,
        told_at=row.told_at,
        ended_at=row.ended_at,
        held_for=row.held_for,
        result=row.result,
        alert_id=row.episode.alert_id if row.episode else None,
    )


def _game_day(row: GameDay) -> GameDayRow:
    return GameDayRow(
        id=row.pk,
        team=row.team.slug if row.team else None,
        team_name=row.team.name if row.team else "Platform",
        title=row.title,
        fault=row.fault,
        expectation=row.expectation,
        expected_state=row.expected_state,
        expected_within_s=row.expected_within_s,
        components=tuple(component.name for component in row.components.all()),
        planned_at=row.planned_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        outcome=row.outcome,
        outcome_words=str(Outcome(row.outcome).label) if row.outcome else "",
        learned=row.learned,
        created_by=row.created_by,
    )
