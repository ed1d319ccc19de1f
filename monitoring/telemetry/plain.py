"""The quick road for the plain case: a whole GPU with one holder, one replica and one clock for all its samples."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

from monitoring.telemetry.energy import Counter
from monitoring.telemetry.integrate import GAUGES, Bucket, Fact, Reading
from monitoring.telemetry.sources.readings import Field, Holder, Series, UnitKey


@dataclass(frozen=True, slots=True)
class PlainGpu:
    """A window's samples of such a GPU. `flawed` names the fields with rejected values."""

    unit: UnitKey
    holder: Holder | None
    replica: str
    times: list[int]
    values: dict[Field, list[float]]
    flawed: frozenset[Field]

    @classmethod
    def of(cls, rows: Sequence[Series]) -> "PlainGpu | None":
        """The plain form of all of a GPU's rows but those of its energy counter; None where they are not plain."""
        if not rows:
            return None
        first = rows[0]
        if first.unit.gi_id is not None:
            return None
        values: dict[Field, list[float]] = {}
        for row in rows:
            same = row.unit == first.unit and row.holder == first.holder and row.replica == first.replica
            if not same or row.field in values or row.times != first.times:
                return None
            values[row.field] = row.values
        flawed = frozenset(name for name, numbers in values.items() if any(map(_is_rejected, numbers)))
        return cls(first.unit, first.holder, first.replica, first.times, values, flawed)

    def read(self, bucket: Bucket, counter: Counter) -> Reading:
        """What `integrate` gives for the same samples, to the microsecond."""
        low = bisect_right(self.times, bucket.start_us - bucket.cap_us)
        high = bisect_left(self.times, bucket.end_us)
        ends, weights = _holds(self.times[low:high], bucket)
        observed = sum(weights)
        held = Fact(self.unit, self.holder)
        if self.holder is None:
            held.unallocated_us = held.observed_us = observed
        else:
            held.allocated_us = held.observed_us = observed
        if observed:
            self._measure(held, slice(low, high), weights)
        facts = [held] if observed else []
        if observed < bucket.length_us:
            if self.holder is not None or not observed:
                facts.append(Fact(self.unit, None))
            facts[-1].unknown_us = bucket.length_us - observed
        if counter.covers(bucket.start_us, bucket.end_us):
            _share_energy(facts, ends, weights, bucket, counter)
        return Reading(facts, observed, self._replica_near(bucket), self._rejected(bucket, high))

    def _measure(self, held: Fact, part: slice, weights: list[int]) -> None:
        active, valid = self._activity(part)
        held.busy_us, held.measured_us = _weigh(active, weights, valid)
        for field, name in GAUGES.items():
            if field in self.values:
                gauge = self.values[field][part]
                valid = [not _is_rejected(value) for value in gauge] if field in self.flawed else None
                added, measured = _weigh(gauge, weights, valid)
                is_memory = field is Field.FB_USED
                setattr(held, "fb_used_mib_us" if is_memory else f"{name}_us", added)
                setattr(held, "fb_measured_us" if is_memory else f"{name}_measured_us", measured)

    def _activity(self, part: slice) -> tuple[list[float], list[bool] | None]:
        """Field 1001, else field 203 in shares, with which of them are valid (None: all)."""
        active = self.values.get(Field.GR_ACTIVE)
        util = self.values.get(Field.UTIL)
        if active is not None and Field.GR_ACTIVE not in self.flawed:
            return active[part], None
        shares = [value / 100 for value in util[part]] if util is not None else []
        if active is None:
            best = shares
        elif util is None:
            best = active[part]
        else:
            best = [other if _is_rejected(value) else value for value, other in zip(active[part], shares, strict=True)]
        return best, [not _is_rejected(value) for value in best]

    def _replica_near(self, bucket: Bucket) -> str:
        margin = bucket.bridge_us + bucket.cap_us
        near = bisect_left(self.times, bucket.start_us - margin)
        return self.replica if near < len(self.times) and self.times[near] <= bucket.end_us + margin else ""

    def _rejected(self, bucket: Bucket, high: int) -> int:
        if not self.flawed:
            return 0
        low = bisect_left(self.times, bucket.start_us)
        return sum(_is_rejected(value) for name in self.flawed for value in self.values[name][low:high])


def _holds(times: list[int], bucket: Bucket) -> tuple[list[int], list[int]]:
    """Where each sample's hold ends, and how long it lasts within the bucket."""
    cap, start, end = bucket.cap_us, bucket.start_us, bucket.end_us
    following = [*times[1:], end]
    ends = [min(after, at + cap, end) for at, after in zip(times, following, strict=False)]
    weights = [max(0, until - max(at, start)) for at, until in zip(times, ends, strict=True)]
    return ends, weights


def _weigh(values: list[float], weights: list[int], valid: list[bool] | None) -> tuple[int, int]:
    """Sum of value x time and of time, over the valid values."""
    if valid is not None:
        kept = [(value, weight) for value, weight, is_valid in zip(values, weights, valid, strict=False) if is_valid]
        values, weights = [value for value, _ in kept], [weight for _, weight in kept]
    return round(sum(map(mul, values, weights))), sum(weights)


def _share_energy(facts: list[Fact], ends: list[int], weights: list[int], bucket: Bucket, counter: Counter) -> None:
    """The holder's holds to the holder; the rest, where there is unknown time, to nobody."""
    whole = counter.within(bucket.start_us, bucket.end_us)
    if len(facts) == 1:
        facts[0].energy_uj = whole
        return
    used, start, end = 0, 0, 0
    for until, weight in zip(ends, weights, strict=True):
        if weight and until - weight != end:
            used += counter.within(start, end)
            start = until - weight
        end = until if weight else end
    facts[0].energy_uj = used + counter.within(start, end)
    facts[1].energy_uj = whole - facts[0].energy_uj


def _is_rejected(value: float) -> bool:
    return value != value  # noqa: PLR0124 NaN is what was rejected
