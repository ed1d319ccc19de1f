"""Where the card's histograms come from: whoever keeps profiles of windows registers; without one there is none."""

from dataclasses import dataclass
from typing import Protocol

MOVED = 5


@dataclass(frozen=True, slots=True)
class Bar:
    """A bucket with its share of the rows in the reference and in the window."""

    label: str
    reference_share: float
    window_share: float

    @property
    def moved(self) -> float:
        return self.window_share - self.reference_share


class Histograms(Protocol):
    """The buckets of a column in a report's window and its reference, in their order; empty where none are kept."""

    def __call__(self, report_id: int, column: str) -> tuple[Bar, ...]: ...


_known: list[Histograms] = []


def register(source: Histograms) -> None:
    _known[:] = [source]


def bars(report_id: int | None, column: str) -> tuple[Bar, ...]:
    return _known[0](report_id, column) if _known and report_id is not None and column else ()


def moved_most(found: tuple[Bar, ...]) -> tuple[Bar, ...]:
    """The buckets whose share changed most, the largest change first."""
    ordered = sorted(found, key=lambda bar: -abs(bar.moved))
    return tuple(bar for bar in ordered[:MOVED] if bar.moved)
