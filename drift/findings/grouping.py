"""One reading per root signal: columns that move together speak with one voice, that of the one furthest off."""

from collections.abc import Sequence
from dataclasses import dataclass

from drift.findings.readings import DATA_SET, Reading, Verdict


@dataclass(frozen=True, slots=True)
class RootReading:
    """`root` names the signal for ever (the group's first column); `leading` is the member that is furthest off now."""

    root: str
    leading: Reading
    members: tuple[Reading, ...]

    @property
    def drifted(self) -> tuple[str, ...]:
        return tuple(member.column for member in self.members if member.verdict is Verdict.DRIFTED)


def by_root(readings: Sequence[Reading], groups: Sequence[Sequence[str]]) -> tuple[RootReading, ...]:
    """Group readings by the groups of the reference; a column in none is its own root.

    While the data set as a whole drifts, its drifted columns are part of that finding and open none of their own.
    """
    root_of = {column: group[0] for group in groups for column in group}
    if any(reading.column == DATA_SET and reading.verdict is Verdict.DRIFTED for reading in readings):
        root_of |= {reading.column: DATA_SET for reading in readings if reading.verdict is Verdict.DRIFTED}
    members: dict[str, list[Reading]] = {}
    for reading in readings:
        members.setdefault(root_of.get(reading.column, reading.column), []).append(reading)
    return tuple(RootReading(root, max(held, key=_order), tuple(held)) for root, held in members.items())


def _order(reading: Reading) -> tuple[int, bool, float]:
    """An insufficient member hides no clean one, and no clean one hides a drifted one."""
    order = [Verdict.INSUFFICIENT, Verdict.CLEAN, Verdict.NEAR, Verdict.DRIFTED]
    return order.index(reading.verdict), reading.at_once, reading.excess
