"""What a reader makes of a report: one file, its reports by window, and their scores."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

ALL_COLUMNS = "(all columns)"


class Kind(StrEnum):
    DRIFT = "drift"
    QUALITY = "quality"
    PERFORMANCE = "performance"
    ESTIMATE = "estimate"


@dataclass(frozen=True, slots=True)
class ReadScore:
    """A number for a column as the report gives it; what it does not say is None or unknown."""

    column: str
    kind: Kind
    method: str
    method_as_written: str
    value: float | None
    threshold: float | None
    direction: str
    is_drifted: bool | None
    threshold_assumed: bool = False
    threshold_low: float | None = None


@dataclass(frozen=True, slots=True)
class DataSet:
    """What a report says of all columns together."""

    share: float | None = None
    drift_share: float | None = None
    is_drifted: bool | None = None
    columns: int | None = None
    drifted_columns: int | None = None


@dataclass(frozen=True, slots=True)
class ReadReport:
    """What a file says of one window. `window` comes from the dates of its chunk; `made_at` is its own timestamp."""

    digest: str
    scores: tuple[ReadScore, ...]
    share: float | None
    drift_share: float | None
    is_drifted: bool | None
    columns: int
    drifted_columns: int
    window: tuple[datetime, datetime] | None = None
    made_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was understood. `generation` is a value of `drift.models.Generation`."""

    generation: str
    tool: str
    tool_version: str
    digest: str
    reports: tuple[ReadReport, ...]


def summed(
    digest: str,
    scores: tuple[ReadScore, ...],
    said: DataSet,
    *,
    window: tuple[datetime, datetime] | None = None,
    made_at: datetime | None = None,
    note: str = "",
) -> ReadReport:
    """A report with its counts: those that it gives, else those of its columns where each has a flag."""
    flags: dict[str, bool | None] = {}
    for score in scores:
        if score.kind is Kind.DRIFT and score.column != ALL_COLUMNS:
            flags[score.column] = _either(flags.get(score.column, False), score.is_drifted)
    drifted = sum(flag is True for flag in flags.values())
    columns = len(flags) if said.columns is None else said.columns
    counted = drifted if said.drifted_columns is None else said.drifted_columns
    share = said.share
    if share is None and columns and None not in flags.values():
        share = counted / columns
    return ReadReport(
        digest=digest,
        scores=scores,
        share=share,
        drift_share=said.drift_share,
        is_drifted=said.is_drifted,
        columns=columns,
        drifted_columns=counted,
        window=window,
        made_at=made_at,
        note=note,
    )


def _either(one: bool | None, other: bool | None) -> bool | None:  # noqa: FBT001 three-valued logic
    if one is True or other is True:
        return True
    return None if one is None or other is None else False
