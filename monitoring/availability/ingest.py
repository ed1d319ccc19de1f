"""The one writer of series, slots and facts: safe with samples that come twice, in any order, by several at once.

1. Lock the probes. 2. Give each sample to the series, and to the slot, that it belongs to; begin new series.
3. Read the intervals that the new slots touch, merge both, and write the difference. 4. Note each series' last slot.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import orjson
from django.db import transaction

from fleetledger.lib.buckets import from_us, to_us
from monitoring.availability import storage
from monitoring.availability.models import Evidence, FactChange, Probe, Series
from monitoring.availability.slots import SECOND_US, Seen, nominal, worse
from monitoring.availability.sources.answers import Answer, Labels, Sample
from monitoring.availability.storage import Slots

DETAIL_WIDTH = 500
FUTURE = timedelta(minutes=5)
"""Samples from further ahead are a wrong clock's and are left out."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one probe gave."""

    probe_id: int
    answer: Answer


@dataclass(frozen=True, slots=True)
class Kept:
    """What came of it: by component, the earliest instant at which something was written."""

    slots: int = 0
    earliest: Mapping[int, datetime] = field(default_factory=dict)

    def __add__(self, other: "Kept") -> "Kept":
        both = [*self.earliest.items(), *other.earliest.items()]
        earliest = {pk: min(at for one, at in both if one == pk) for pk in {pk for pk, _ in both}}
        return Kept(self.slots + other.slots, earliest)


def key_of(labels: Labels) -> str:
    """The identity of a series within its probe."""
    return hashlib.sha256(orjson.dumps(dict(labels), option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


def keep(found: Sequence[Found], now: datetime) -> Kept:
    """Write what probes gave; those that were removed meanwhile are left out."""
    with transaction.atomic():
        wanted = {item.probe_id: item for item in found}
        probes = Probe.objects.select_for_update(no_key=True).filter(pk__in=wanted, removed_at=None).order_by("pk")
        rows = [(probe, wanted[probe.pk].answer) for probe in probes]
        slots = _slots(rows, now)
        storage.write(slots.values())
        _end(rows)
        _keep_facts(rows, now)
    return _kept(slots.values(), {probe.pk: probe.component_id for probe, _ in rows})


def end(series_ids: Iterable[int], reason: str, at: datetime | None = None) -> int:
    """Expect no more of these series, from the end of their last slot or from `at`; gives how many."""
    ended = 0
    with transaction.atomic():
        for row in (
            Series.objects.select_for_update(no_key=True).filter(pk__in=series_ids, ended_at=None).order_by("pk")
        ):
            last = row.last_at + timedelta(seconds=row.interval_s)
            row.ended_at, row.end_reason = max(last, at or last), reason[:300]
            row.save(update_fields=["ended_at", "end_reason"])
            ended += 1
    return ended


def end_probes(probe_ids: Iterable[int], reason: str) -> int:
    """Expect no more of anything that these probes see."""
    return end(Series.objects.filter(probe__in=list(probe_ids), ended_at=None).values_list("pk", flat=True), reason)


Rows = Sequence[tuple[Probe, Answer]]


def _slots(rows: Rows, now: datetime) -> dict[int, Slots]:
    """The new slots of each series, by the series' id."""
    latest_us = to_us(now + FUTURE)
    lines = _lines(rows)
    found: dict[int, Slots] = {}
    for probe, answer in rows:
        for observation in answer.observations:
            line = lines[probe.pk, key_of(observation.labels)]
            for sample in sorted(observation.samples, key=lambda item: item.at_us):
                if sample.at_us <= latest_us:
                    _lay(line, probe, observation.labels, sample, found)
    return found


def _lines(rows: Rows) -> dict[tuple[int, str], list[Series]]:
    """All series of the keys that are seen, in order of time; one whose interval was changed has ended."""
    keys = {key_of(item.labels) for _, answer in rows for item in answer.observations}
    lines: dict[tuple[int, str], list[Series]] = defaultdict(list)
    intervals = {probe.pk: probe.interval_s for probe, _ in rows}
    for row in Series.objects.filter(probe__in=intervals, key__in=keys).order_by("first_at"):
        if row.ended_at is None and row.interval_s != intervals[row.probe_id]:
            end([row.pk], f"The interval is {intervals[row.probe_id]} s instead of {row.interval_s} s.")
            row.ended_at = row.last_at + timedelta(seconds=row.interval_s)
        lines[row.probe_id, row.key].append(row)
    return lines


def _lay(line: list[Series], probe: Probe, labels: Labels, sample: Sample, found: dict[int, Slots]) -> None:
    """Put a sample into its slot; of two in one slot the worse counts."""
    row = next((row for row in line if _takes(row, sample)), None)
    if row is None:
        row = _begun(probe, labels, sample)
        line.append(row)
    slots = found.setdefault(row.pk, Slots(row, {}))
    at = _nominal(row, sample)
    seen = Seen(sample.seen.state, sample.seen.detail[:DETAIL_WIDTH].replace("\0", ""))
    slots.seen[at] = worse(slots.seen[at], seen) if at in slots.seen else seen


def _takes(row: Series, sample: Sample) -> bool:
    return row.ended_at is None or _nominal(row, sample) < to_us(row.ended_at)


def _nominal(row: Series, sample: Sample) -> int:
    return nominal(to_us(row.first_at), row.interval_s * SECOND_US, sample.at_us)


def _begun(probe: Probe, labels: Labels, sample: Sample) -> Series:
    at = from_us(sample.at_us)
    return Series.objects.create(
        probe=probe,
        labels=dict(labels),
        key=key_of(labels),
        interval_s=probe.interval_s,
        first_at=at,
        last_at=at,
        state=sample.seen.state,
        detail=sample.seen.detail[:DETAIL_WIDTH].replace("\0", ""),
    )


def _end(rows: Rows) -> None:
    for probe, answer in rows:
        for item in answer.ended:
            known = Series.objects.filter(probe=probe, key=key_of(item.labels), ended_at=None)
            end(known.values_list("pk", flat=True), item.reason)


def _keep_facts(rows: Rows, now: datetime) -> None:
    facts = {
        (probe.component_id, fact.key[:64]): Evidence(
            component_id=probe.component_id,
            key=fact.key[:64],
            value=fact.value,
            text=fact.text[:300].replace("\0", ""),
            unit=fact.unit[:16],
            at=now,
            interval_s=probe.interval_s,
        )
        for probe, answer in rows
        for fact in answer.facts
    }
    _note_changes(facts, now)
    Evidence.objects.bulk_create(
        [facts[key] for key in sorted(facts)],
        update_conflicts=True,
        unique_fields=["component", "key"],
        update_fields=["value", "text", "unit", "at", "interval_s"],
    )


def _note_changes(facts: Mapping[tuple[int, str], Evidence], now: datetime) -> None:
    """Facts in words that became others: nobody is told by the last word alone that there was another before."""
    words = {key: row.text for key, row in facts.items() if row.text}
    if not words:
        return
    known = Evidence.objects.filter(component__in={pk for pk, _ in words}, key__in={key for _, key in words})
    FactChange.objects.bulk_create(
        FactChange(component_id=pk, key=key, at=now, before=text, after=words[pk, key])
        for pk, key, text in known.order_by("component_id", "key").values_list("component_id", "key", "text")
        if text and words.get((pk, key), text) != text
    )


def _kept(found: Iterable[Slots], component_of: Mapping[int, int]) -> Kept:
    earliest: dict[int, datetime] = {}
    total = 0
    for slots in found:
        total += len(slots.seen)
        component_id, first = component_of[slots.series.probe_id], from_us(min(slots.seen))
        earliest[component_id] = min(first, earliest.get(component_id, first))
    return Kept(total, earliest)
