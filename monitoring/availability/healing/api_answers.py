"""The shapes of the API's answers about hooks, runs and game days."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from monitoring.availability.healing.reads import GameDayDetail, GameDayRow, HookRow, RunDetail, RunLine, RunRow, Seen


@dataclass(frozen=True, slots=True)
class HookAnswer:
    """A hook. `team` null is the platform's own; `on` says what it is for."""

    name: str
    team: str | None
    on: str
    after_seconds: int
    needs_approval: bool
    most_per_hour: int
    dry_run: bool
    waiting: int
    runs: int

    @classmethod
    def of(cls, row: HookRow) -> "HookAnswer":
        return cls(
            row.name,
            row.team,
            row.on,
            row.after_s,
            row.needs_approval,
            row.most_per_hour,
            row.is_dry_run,
            row.waiting,
            row.runs,
        )


@dataclass(frozen=True, slots=True)
class RunAnswer:
    """A run. `state`: proposed, approved, refused, sent, succeeded, failed or expired."""

    id: int
    hook: str
    team: str | None
    state: str
    dry_run: bool
    about: str
    evidence: dict[str, Any]
    proposed_at: datetime
    decided_at: datetime | None
    decided_by: str
    sent_at: datetime | None
    told_at: datetime | None
    ended_at: datetime | None
    held_for: str
    result: str

    @classmethod
    def of(cls, row: RunRow) -> "RunAnswer":
        names = [item.name for item in fields(cls) if item.name != "dry_run"]
        return cls(dry_run=row.is_dry_run, **{name: getattr(row, name) for name in names})


@dataclass(frozen=True, slots=True)
class RunDetailAnswer:
    """A run with its history, from the beginning."""

    run: RunAnswer
    history: tuple[RunLine, ...]

    @classmethod
    def of(cls, found: RunDetail) -> "RunDetailAnswer":
        return cls(RunAnswer.of(found.row), found.lines)


@dataclass(frozen=True, slots=True)
class GameDayAnswer:
    """A game day. `state`: planned, running or ended; `outcome`: as_expected, otherwise, unclear, or empty."""

    id: int
    team: str | None
    title: str
    state: str
    fault: str
    expectation: str
    expected_state: str
    expected_within_seconds: int | None
    components: list[str]
    planned_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    outcome: str
    learned: str
    created_by: str

    @classmethod
    def of(cls, row: GameDayRow) -> "GameDayAnswer":
        renamed: dict[str, Any] = {
            "expected_within_seconds": row.expected_within_s,
            "components": list(row.components),
        }
        names = [item.name for item in fields(cls) if item.name not in renamed]
        return cls(**{name: getattr(row, name) for name in names}, **renamed)


@dataclass(frozen=True, slots=True)
class GameDayDetailAnswer:
    """With what was seen; `seen` says whether the expected state came in time."""

    game_day: GameDayAnswer
    seen: str
    evidence: tuple[Seen, ...]

    @classmethod
    def of(cls, found: GameDayDetail) -> "GameDayDetailAnswer":
        return cls(GameDayAnswer.of(found.row), found.seen, found.evidence)
