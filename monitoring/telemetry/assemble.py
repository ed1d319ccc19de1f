"""A batch of series becomes the facts of each GPU and bucket of a window."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleetledger.lib.buckets import BUCKET, Window, to_us
from monitoring.telemetry.energy import Counter
from monitoring.telemetry.integrate import BRIDGE_US, Bucket, Reading, integrate
from monitoring.telemetry.plain import PlainGpu
from monitoring.telemetry.sources.fields import board_watts
from monitoring.telemetry.sources.readings import Field, Series


@dataclass(frozen=True, slots=True)
class GpuTerms:
    """What is known of a GPU before its samples are read. `counter` and `counter_after` are its last
    (instant, microjoules) before the window and its first after it, as far as they were read already.
    """

    uuid: str
    model: str
    total_slices: int
    first_us: int
    until_us: int | None
    slices: Mapping[int, int]
    counter: tuple[int, int] | None = None
    counter_after: tuple[int, int] | None = None


@dataclass(slots=True)
class GpuBucket:
    """One GPU's bucket, read."""

    at: datetime
    uuid: str
    existence_us: int
    reading: Reading
    first_counter: tuple[int, int] | None = None
    last_counter: tuple[int, int] | None = None
    counted_until_us: int | None = None


def assemble(
    window: Window, terms: Sequence[GpuTerms], series: Sequence[Series], *, scrape_us: int, bridge_us: int = BRIDGE_US
) -> Iterator[tuple[GpuBucket, Counter]]:
    """Every GPU's every bucket within its existence, in order of GPU and time, with the GPU's counter."""
    by_uuid: dict[str, list[Series]] = defaultdict(list)
    for one in series:
        by_uuid[one.unit.uuid].append(one)
    for gpu in terms:
        rows = by_uuid.get(gpu.uuid, [])
        samples = counter_samples(rows, gpu)
        counter = Counter.read(samples, board_watts(gpu.model))
        held = [one for one in rows if one.field is not Field.ENERGY] or rows
        plain = PlainGpu.of(held) if not gpu.slices else None
        for span in window.steps(BUCKET):
            bucket = _bucket(gpu, span, 2 * scrape_us, bridge_us)
            if bucket is None:
                continue
            reading = plain.read(bucket, counter) if plain else integrate(bucket, gpu.uuid, _cut(held, bucket), counter)
            found = GpuBucket(span.start, gpu.uuid, bucket.length_us, reading)
            found.reading.rejected_samples += _rejected_steps(counter, bucket)
            _note_counter(found, bucket, samples, counter)
            yield found, counter


def counter_samples(rows: Sequence[Series], gpu: GpuTerms) -> list[tuple[int, int]]:
    """The counter's samples in microjoules, of the replica that has most of them, after the last one known before."""
    by_replica: dict[str, dict[int, int]] = defaultdict(dict)
    for row in rows:
        if row.field is Field.ENERGY:
            for at, value in zip(row.times, row.values, strict=True):
                if value == value:  # noqa: PLR0124 NaN is rejected
                    by_replica[row.replica].setdefault(at, round(value * 1000))  # mJ
    best = min(by_replica, key=lambda replica: (-len(by_replica[replica]), replica), default="")
    samples = sorted(by_replica[best].items())
    if gpu.counter is not None and (not samples or gpu.counter[0] < samples[0][0]):
        samples.insert(0, gpu.counter)
    if gpu.counter_after is not None and (not samples or gpu.counter_after[0] > samples[-1][0]):
        samples.append(gpu.counter_after)
    return samples


def _bucket(gpu: GpuTerms, span: Window, cap_us: int, bridge_us: int) -> Bucket | None:
    start = max(to_us(span.start), gpu.first_us)
    end = to_us(span.end) if gpu.until_us is None else min(to_us(span.end), gpu.until_us)
    return Bucket(start, end, cap_us, gpu.total_slices, gpu.slices, bridge_us) if start < end else None


def _cut(rows: Sequence[Series], bucket: Bucket) -> list[Series]:
    """What can matter to the bucket: its samples, those whose holds reach in, and those that bridge."""
    margin = bucket.bridge_us + bucket.cap_us
    cut = []
    for row in rows:
        start = bisect_left(row.times, bucket.start_us - margin)
        end = bisect_right(row.times, bucket.end_us + margin)
        if start < end:
            cut.append(
                Series(
                    row.unit,
                    row.profile,
                    row.field,
                    row.replica,
                    row.holder,
                    row.times[start:end],
                    row.values[start:end],
                )
            )
    return cut


def _note_counter(found: GpuBucket, bucket: Bucket, samples: Sequence[tuple[int, int]], counter: Counter) -> None:
    """The counter's first and last sample in the bucket, and until when steps have counted its energy."""
    low, high = bisect_left(samples, (bucket.start_us, 0)), bisect_left(samples, (bucket.end_us, 0))
    if low < high:
        found.first_counter, found.last_counter = samples[low], samples[high - 1]
    until = counter.counted_until(bucket.end_us)
    if until is not None and until > bucket.start_us:
        found.counted_until_us = until


def _rejected_steps(counter: Counter, bucket: Bucket) -> int:
    return sum(bucket.start_us < at <= bucket.end_us for at in counter.rejected_at)
