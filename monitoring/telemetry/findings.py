"""What a batch says beside time: XID errors as changes, and activity that cannot be right."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from monitoring.telemetry.sources.fields import IDLE_SHARE, board_watts
from monitoring.telemetry.sources.readings import Batch, Device, Field, Series


def xid_changes(batch: Batch, start_us: int, end_us: int) -> Iterator[tuple[str, int, int]]:
    """(UUID, instant, code) of each change to an error within [start, end). The standing code is sticky: no event."""
    for uuid, samples in _by_uuid(batch, Field.XID).items():
        before: float | None = None
        for at, code in sorted(samples.items()):
            if before is not None and code not in (before, 0) and start_us <= at < end_us:
                yield uuid, at, int(code)
            before = code


def suspect_activity(batch: Batch) -> Iterator[str]:
    """A sentence for each GPU whose activity reads 0 throughout while its board draws power well above idle."""
    power = _by_uuid(batch, Field.POWER)
    for uuid, active in sorted(_by_uuid(batch, Field.GR_ACTIVE).items()):
        drawn = power.get(uuid)
        if drawn and not any(active.values()) and _at_work(uuid, drawn, batch.devices):
            yield (
                f"{uuid} reads an activity of 0 (field 1001) while it draws power well above idle: "
                "its utilisation is not to be trusted. Restart the node's DCGM."
            )


def _at_work(uuid: str, drawn: Mapping[int, float], devices: Mapping[str, Device]) -> bool:
    device = devices.get(uuid)
    limit = board_watts(device.model if device else "")
    return min(drawn.values()) > IDLE_SHARE * limit


def _by_uuid(batch: Batch, field: Field) -> dict[str, dict[int, float]]:
    """The valid samples of a field by GPU; of several rows at one instant (slices, replicas) the largest."""
    found: dict[str, dict[int, float]] = defaultdict(dict)
    for row in _rows(batch, field):
        samples = found[row.unit.uuid]
        for at, value in zip(row.times, row.values, strict=True):
            if value == value:  # noqa: PLR0124 NaN is rejected
                samples[at] = max(value, samples.get(at, value))
    return {uuid: samples for uuid, samples in found.items() if samples}


def _rows(batch: Batch, field: Field) -> list[Series]:
    return [row for row in batch.series if row.field is field]
