"""The reports as flat tables: one line each, durations in seconds."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any

from fleetledger.web import words
from fleetledger.web.downloads import Cell
from monitoring.alerts.learning.noise import RuleNoise
from monitoring.alerts.learning.times import COUNTS, Part, Summary, Times

Lines = tuple[Sequence[str], Iterable[Sequence[Cell]]]
TIMES_HEADER = (
    *COUNTS,
    "measured_to_acknowledge", "median_to_acknowledge_s", "mean_to_acknowledge_s", "p90_to_acknowledge_s",
    "measured_to_resolve", "median_to_resolve_s", "mean_to_resolve_s", "p90_to_resolve_s",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A noisy rule on one line; durations in seconds, shares of 1. None: nothing to measure."""

    name: str
    team: str | None
    episodes: int
    share: float
    messages: int
    pages: int
    acknowledged_share: float
    unattended: int
    unattended_share: float
    flapping: int
    told: int
    acknowledged: int
    acknowledged_untold: int
    ended_unacknowledged: int
    open_unacknowledged: int
    withheld: int
    never_told: int
    still_open: int
    ended_withheld: int
    ended_before_heard: int
    measured_to_acknowledge: int
    median_to_acknowledge_s: float | None
    mean_to_acknowledge_s: float | None
    p90_to_acknowledge_s: float | None
    measured_to_resolve: int
    median_to_resolve_s: float | None
    mean_to_resolve_s: float | None
    p90_to_resolve_s: float | None

    @classmethod
    def of(cls, row: RuleNoise) -> "RuleLine":
        known: dict[str, Any] = dict(zip(TIMES_HEADER, _times(row.times), strict=True))
        known |= {item.name: getattr(row, item.name) for item in fields(row) if item.name != "times"}
        line: RuleLine = cls(*(known[item.name] for item in fields(cls)))
        return line


def parts(summary: Summary) -> Lines:
    """The whole, the period before, then by severity and by team."""
    header = ("by", "name", *TIMES_HEADER)
    whole = (("all", Part("", summary.now)), ("before", Part("", summary.before)))
    named = [("severity", part) for part in summary.severities] + [("team", part) for part in summary.teams]
    return header, ((by, part.name, *_times(part.times)) for by, part in (*whole, *named))


def rules(found: Iterable[RuleNoise]) -> Lines:
    return plain(RuleLine, map(RuleLine.of, found))


def plain(shape: type[Any], found: Iterable[Any]) -> Lines:
    """A dataclass's fields as columns."""
    header = tuple(item.name for item in fields(shape))
    return header, _cells(header, found)


def span(seconds: float | None) -> str:
    """As people say it; a dash where there is nothing to measure."""
    return words.NOTHING if seconds is None else words.duration(timedelta(seconds=seconds))


def _cells(header: Sequence[str], found: Iterable[Any]) -> Iterator[list[Cell]]:
    for row in found:
        yield [getattr(row, name) for name in header]


def _times(known: Times) -> tuple[Cell, ...]:
    taken, lasted = known.to_acknowledge, known.to_resolve
    return (
        *(getattr(known, name) for name in COUNTS),
        taken.measured, taken.median_s, taken.mean_s, taken.p90_s,
        lasted.measured, lasted.median_s, lasted.mean_s, lasted.p90_s,
    )  # fmt: skip
