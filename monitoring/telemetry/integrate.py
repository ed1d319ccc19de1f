"""Samples of one GPU and one bucket become seconds that add up exactly: held, free and unknown, busy and measured."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from monitoring.telemetry.energy import Counter
from monitoring.telemetry.sources.readings import Field, Holder, Series, UnitKey

BRIDGE_US = 300_000_000
FREE = -1  # gi_id of what no slice covers
GAUGES = {Field.SM_ACTIVE: "sm", Field.TENSOR: "tensor", Field.DRAM: "dram", Field.FB_USED: "fb_used"}


@dataclass(frozen=True, slots=True)
class Bucket:
    """What one GPU is measured against: [start, end) in microseconds, cut to its existence, and its slices."""

    start_us: int
    end_us: int
    cap_us: int
    total_slices: int = 7
    slices: Mapping[int, int] = field(default_factory=dict)  # gi_id -> compute slices, of the instances known to exist
    bridge_us: int = BRIDGE_US

    @property
    def length_us(self) -> int:
        return self.end_us - self.start_us


@dataclass(slots=True)
class Fact:
    """One unit's bucket for one holder (None: nobody). Times are GPU-microseconds, that is share x time."""

    unit: UnitKey
    holder: Holder | None
    allocated_us: int = 0
    unallocated_us: int = 0
    unknown_us: int = 0
    observed_us: int = 0
    busy_us: int = 0
    measured_us: int = 0
    sm_us: int = 0
    sm_measured_us: int = 0
    tensor_us: int = 0
    tensor_measured_us: int = 0
    dram_us: int = 0
    dram_measured_us: int = 0
    fb_used_mib_us: int = 0
    fb_measured_us: int = 0
    energy_uj: int | None = None
    bridged_us: int = 0
    rejected_samples: int = 0
    estimated: bool = False


@dataclass(slots=True)
class Piece:
    """One hold, cut to the bucket, of one holder; `parts` holders share it equally."""

    start_us: int
    end_us: int
    at_us: int
    holder: Holder | None
    parts: int = 1
    is_bridged: bool = False

    @property
    def length_us(self) -> int:
        return self.end_us - self.start_us


@dataclass(slots=True)
class Reading:
    """What one GPU's bucket came to, with how it was read."""

    facts: list[Fact]
    observed_us: int
    replica: str
    rejected_samples: int


def integrate(bucket: Bucket, uuid: str, series: Sequence[Series], counter: Counter | None = None) -> Reading:
    """Facts of one GPU for one bucket; their allocated + unallocated + unknown is the bucket's length, exactly."""
    by_unit: dict[UnitKey, list[Series]] = defaultdict(list)
    for one in series:
        by_unit[one.unit].append(one)
    chosen = {unit: _replica(bucket, rows) for unit, rows in by_unit.items()}
    observed = _union(hold for replica in chosen.values() for hold in replica.holds)
    seen = {unit.gi_id: unit for unit in by_unit if unit.gi_id is not None}
    shares = _known_slices(bucket, seen)
    ledger = _Ledger(bucket, uuid, counter)
    if shares:
        for gi_id, slices in shares.items():
            unit = seen.get(gi_id, UnitKey(uuid, gi_id))
            ledger.add_unit(unit, Fraction(slices, bucket.total_slices), chosen.get(unit), observed)
        ledger.add_free(Fraction(bucket.total_slices - sum(shares.values()), bucket.total_slices), observed)
    else:
        ledger.add_unit(UnitKey(uuid, None), Fraction(1), chosen.get(UnitKey(uuid, None)), observed)
    ledger.add_unseen(observed, has_slices=bool(shares))
    replicas = sorted({replica.label for replica in chosen.values()})
    rejected = sum(replica.rejected for unit, replica in chosen.items() if not (shares and unit.gi_id is None))
    return Reading(ledger.settled(), _length(observed), ",".join(replicas), rejected)


@dataclass(slots=True)
class _Replica:
    """The one scraper that a unit's bucket is read from."""

    label: str
    holds: list[tuple[int, int]]
    pieces: list[Piece]
    values: dict[Holder | None, dict[Field, dict[int, float]]]
    rejected: int


def _replica(bucket: Bucket, rows: Sequence[Series]) -> _Replica:
    """The replica with the most observed time, ties by label; a hold carries on from that replica's own samples."""
    by_label: dict[str, list[Series]] = defaultdict(list)
    for row in rows:
        by_label[row.replica].append(row)
    best: tuple[int, str, list[tuple[int, int, int]]] | None = None
    for label in sorted(by_label):
        holds = _holds(bucket, by_label[label])
        seen = sum(end - start for start, end, _ in holds)
        if best is None or seen > best[0]:
            best = (seen, label, holds)
    assert best is not None  # noqa: S101 rows are never empty
    _, label, holds = best
    own = by_label[label]
    return _Replica(
        label=label,
        holds=[(start, end) for start, end, _ in holds],
        pieces=_pieces(own, holds, bucket.bridge_us),
        values=_values(own),
        rejected=_rejected(bucket, own),
    )


def _holds(bucket: Bucket, rows: Sequence[Series]) -> list[tuple[int, int, int]]:
    """(start, end, sample) of each sample's hold that touches the bucket, cut to it."""
    times = sorted({at for row in rows for at in row.times if bucket.start_us - bucket.cap_us < at < bucket.end_us})
    following = [*times[1:], math.inf][: len(times)]
    holds = []
    for at, after in zip(times, following, strict=True):
        start, end = max(at, bucket.start_us), min(after, at + bucket.cap_us, bucket.end_us)
        if start < end:
            holds.append((start, int(end), at))
    return holds


def _pieces(rows: Sequence[Series], holds: Sequence[tuple[int, int, int]], bridge_us: int) -> list[Piece]:
    """Each hold with who has it; labels that vanish for a moment between samples of the same holders are bridged."""
    present = _holders(rows)
    order = sorted(present)
    bridged = _bridged(order, present, bridge_us)
    pieces = []
    for start, end, at in holds:
        holders = bridged.get(at, present[at])
        if not holders:
            pieces.append(Piece(start, end, at, None))
        pieces.extend(Piece(start, end, at, holder, len(holders), at in bridged) for holder in sorted(holders))
    return pieces


def _holders(rows: Iterable[Series]) -> dict[int, frozenset[Holder]]:
    """Who holds the unit at each sample; a row without a holder counts only where no other row has one."""
    found: dict[int, set[Holder]] = {}
    for row in rows:
        for at in row.times:
            there = found.setdefault(at, set())
            if row.holder is not None:
                there.add(row.holder)
    return {at: frozenset(holders) for at, holders in found.items()}


def _bridged(
    order: Sequence[int], present: Mapping[int, frozenset[Holder]], bridge_us: int
) -> dict[int, frozenset[Holder]]:
    """Samples without labels that lie at most `bridge_us` apart between samples of the same holders."""
    bridged: dict[int, frozenset[Holder]] = {}
    before: int | None = None
    waiting: list[int] = []
    for at in order:
        if not present[at]:
            waiting.append(at)
            continue
        if waiting and before is not None and present[before] == present[at] and at - before <= bridge_us:
            bridged.update(dict.fromkeys(waiting, present[at]))
        before, waiting = at, []
    return bridged


def _values(rows: Iterable[Series]) -> dict[Holder | None, dict[Field, dict[int, float]]]:
    """Valid values by holder, field and instant."""
    values: dict[Holder | None, dict[Field, dict[int, float]]] = {}
    for row in rows:
        if row.field is not Field.ENERGY:
            valid = {at: value for at, value in zip(row.times, row.values, strict=True) if value == value}  # noqa: PLR0124 NaN is rejected
            values.setdefault(row.holder, {}).setdefault(row.field, {}).update(valid)
    return values


def _rejected(bucket: Bucket, rows: Iterable[Series]) -> int:
    return sum(
        value != value and bucket.start_us <= at < bucket.end_us  # noqa: PLR0124 NaN is rejected
        for row in rows
        for at, value in zip(row.times, row.values, strict=True)
    )


def _known_slices(bucket: Bucket, seen: Mapping[int, UnitKey]) -> dict[int, int]:
    """Slices that can exist together: those with samples first, then the known ones that still fit the GPU."""
    shares: dict[int, int] = {}
    room = bucket.total_slices
    for gi_id in sorted(bucket.slices, key=lambda known: (known not in seen, known)):
        if bucket.slices[gi_id] <= room:
            shares[gi_id] = bucket.slices[gi_id]
            room -= bucket.slices[gi_id]
    return shares


def _union(holds: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(holds):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _length(holds: Iterable[tuple[int, int]]) -> int:
    return sum(end - start for start, end in holds)


class _Ledger:
    """Exact weights of every (unit, holder), rounded once so that the GPU's bucket adds up."""

    def __init__(self, bucket: Bucket, uuid: str, counter: Counter | None) -> None:
        self._bucket = bucket
        self._uuid = uuid
        self._counter = counter if counter and counter.covers(bucket.start_us, bucket.end_us) else None
        self._energy: dict[tuple[UnitKey, Holder | None], Fraction] = defaultdict(Fraction)
        self._weights: dict[tuple[UnitKey, Holder | None, str], Fraction] = defaultdict(Fraction)
        self._sums: dict[tuple[UnitKey, Holder | None], dict[str, float]] = defaultdict(lambda: defaultdict(float))
        self._estimated: set[tuple[UnitKey, Holder | None]] = set()

    def add_unit(
        self, unit: UnitKey, share: Fraction, replica: _Replica | None, observed: Sequence[tuple[int, int]]
    ) -> None:
        """A unit's holds at its share; what the device was seen without it is unknown."""
        pieces = replica.pieces if replica else []
        for piece in pieces:
            weight = share * piece.length_us / piece.parts
            if self._counter:
                used = self._counter.within(piece.start_us, piece.end_us)
                self._energy[unit, piece.holder] += share * used / piece.parts
            self._weights[unit, piece.holder, "allocated" if piece.holder else "unallocated"] += weight
            if replica is not None:
                self._measure(unit, piece, float(share) / piece.parts, replica)
        held = replica.holds if replica else []
        missing = _length(observed) - _length(held)
        if missing:
            self._weights[unit, None, "unknown"] += share * missing

    def add_free(self, share: Fraction, observed: Sequence[tuple[int, int]]) -> None:
        """What no slice covers is unallocated while the device is seen."""
        if share:
            free = (UnitKey(self._uuid, FREE), None)
            self._weights[*free, "unallocated"] += share * _length(observed)
            if self._counter:
                self._energy[free] += share * sum(self._counter.within(*hold) for hold in observed)

    def add_unseen(self, observed: Sequence[tuple[int, int]], *, has_slices: bool) -> None:
        """Without any hold of the device everything is unknown."""
        unseen = self._bucket.length_us - _length(observed)
        if unseen:
            unit = UnitKey(self._uuid, FREE) if has_slices else UnitKey(self._uuid, None)
            self._weights[unit, None, "unknown"] += unseen

    def settled(self) -> list[Fact]:
        """Facts with whole microseconds: truncate, then one more for the largest fractions, ties by key."""
        whole = {key: math.floor(weight) for key, weight in self._weights.items()}
        left = self._bucket.length_us - sum(whole.values())
        by_fraction = sorted(self._weights, key=lambda key: (whole[key] - self._weights[key], _order(key)))
        for key in by_fraction[:left]:
            whole[key] += 1
        facts: dict[tuple[UnitKey, Holder | None], Fact] = {}
        for (unit, holder, kind), microseconds in whole.items():
            fact = facts.setdefault((unit, holder), Fact(unit, holder))
            setattr(fact, f"{kind}_us", getattr(fact, f"{kind}_us") + microseconds)
        self._settle_energy(facts)
        for (unit, holder), fact in facts.items():
            fact.observed_us = fact.allocated_us + fact.unallocated_us
            fact.estimated = (unit, holder) in self._estimated
            for name, value in self._sums.get((unit, holder), {}).items():
                setattr(fact, name, round(value))
        return [facts[key] for key in sorted(facts, key=lambda key: _order((*key, "")))]

    def _settle_energy(self, facts: dict[tuple[UnitKey, Holder | None], Fact]) -> None:
        """Whole microjoules to each; what was used in unknown time, with the crumbs, belongs to nobody."""
        if self._counter is None:
            return
        left = self._counter.within(self._bucket.start_us, self._bucket.end_us)
        for key, used in self._energy.items():
            facts[key].energy_uj = math.floor(used)
            left -= math.floor(used)
        nobody = [key for key in facts if key[1] is None]
        last = min(nobody or list(facts), key=lambda key: _order((*key, "")))
        facts[last].energy_uj = (facts[last].energy_uj or 0) + left

    def _measure(self, unit: UnitKey, piece: Piece, share: float, replica: _Replica) -> None:
        """Add what the sample at the piece's start said, weighted by its time and share."""
        sums = self._sums[unit, piece.holder]
        if piece.parts > 1:
            self._estimated.add((unit, piece.holder))
        weight = piece.length_us * share
        if piece.is_bridged:
            sums["bridged_us"] += weight
        values = replica.values.get(None if piece.is_bridged else piece.holder, {})
        activity = _activity(values, piece.at_us)
        if activity is not None:
            sums["measured_us"] += weight
            sums["busy_us"] += activity * weight
        for gauge, name in GAUGES.items():
            value = values.get(gauge, {}).get(piece.at_us)
            if value is not None:
                is_memory = gauge is Field.FB_USED
                weighed = piece.length_us / piece.parts if is_memory else weight
                sums["fb_measured_us" if is_memory else f"{name}_measured_us"] += weighed
                sums["fb_used_mib_us" if is_memory else f"{name}_us"] += value * weighed


def _activity(values: Mapping[Field, Mapping[int, float]], at_us: int) -> float | None:
    """0 to 1: field 1001 where present, else field 203 in percent."""
    active = values.get(Field.GR_ACTIVE, {}).get(at_us)
    if active is not None:
        return active
    util = values.get(Field.UTIL, {}).get(at_us)
    return None if util is None else util / 100


def _order(key: tuple[UnitKey, Holder | None, str]) -> tuple[str, int, bool, Holder, str]:
    unit, holder, kind = key
    gi_id = -2 if unit.gi_id is None else unit.gi_id
    return unit.uuid, gi_id, holder is None, holder or Holder("", ""), kind
