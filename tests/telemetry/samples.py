"""Typed makers of samples for tests: series of one unit, with times in seconds after a fixed start."""

from collections.abc import Mapping, Sequence

from monitoring.telemetry.integrate import Bucket, Fact
from monitoring.telemetry.sources.readings import Field, Holder, Series, UnitKey

START_US = 1_795_395_600_000_000
SECOND_US = 1_000_000
UUID = "GPU-00000001-0000-0000-0000-000000000000"
ALICE = Holder("team-a", "train-0")
BOB = Holder("team-b", "serve-0")
NAN = float("nan")


def at(seconds: float) -> int:
    """An instant, in microseconds."""
    return START_US + round(seconds * SECOND_US)


def series(
    times: Sequence[float],
    values: Sequence[float] | float,
    *,
    field: Field = Field.GR_ACTIVE,
    holder: Holder | None = ALICE,
    replica: str = "",
    gi_id: int | None = None,
    profile: str = "",
) -> Series:
    """Samples at `times` (seconds after the start); one value stands for all."""
    numbers = [float(values)] * len(times) if isinstance(values, int | float) else [float(value) for value in values]
    return Series(UnitKey(UUID, gi_id), profile, field, replica, holder, [at(time) for time in times], numbers)


def bucket(start: float = 0, end: float = 300, *, cap: float = 60, slices: Mapping[int, int] | None = None) -> Bucket:
    return Bucket(at(start), at(end), round(cap * SECOND_US), 7, slices or {})


def every(step: float, start: float, end: float) -> list[float]:
    """start, start + step, … before end."""
    return [start + number * step for number in range(int(-(-(end - start) // step)))]


def accounted(facts: Sequence[Fact]) -> int:
    return sum(fact.allocated_us + fact.unallocated_us + fact.unknown_us for fact in facts)
