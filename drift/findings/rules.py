"""The numbers that decide what becomes a finding, with the defaults of the product."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from drift.measures.robust.scoring import FLOOR, MIN_ROWS


@dataclass(frozen=True, slots=True)
class Rules:
    """Of one model. `thresholds` are a person's own floors by column; noise at a window's size still widens them.

    Opens on `opens_on` of the last `out_of` windows, closes after `clean_needed` windows in a row whose effect is below
    `near` x threshold. A root that opens for the `flaps`-th time within `flap_windows` needs `clean_when_flapping`.
    """

    q: float = 0.01
    floor: float = FLOOR
    min_rows: int = MIN_ROWS
    thresholds: Mapping[str, float] = field(default_factory=dict)
    opens_on: int = 3
    out_of: int = 5
    clean_needed: int = 5
    near: float = 0.8
    flaps: int = 3
    flap_windows: int = 40
    clean_when_flapping: int = 15

    def floor_of(self, column: str) -> float:
        return self.thresholds.get(column, self.floor)
