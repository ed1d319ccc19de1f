"""Keeps what exporters and NVML said at each scrape, so that windows of them can be read like Prometheus'."""

import zlib
from datetime import datetime, timedelta

import orjson

from fleetledger.fleet.models import Source
from fleetledger.lib.buckets import from_us, to_us
from monitoring.telemetry.models import Scrape
from monitoring.telemetry.sources.readings import Batch, Device, Field, Holder, Series, UnitKey

KEPT = timedelta(days=3)


class KeptScrapes:
    """Reads a source's kept scrapes."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def pull(self, start_us: int, end_us: int, *, before_us: int, after_us: int) -> Batch:
        """All series of the scrapes in [start - before, end + after)."""
        batch = Batch()
        series: dict[tuple[UnitKey, str, Field, Holder | None], Series] = {}
        kept = Scrape.objects.filter(
            source=self._source, at__gte=from_us(start_us - before_us), at__lt=from_us(end_us + after_us)
        ).order_by("at")
        for at, content in kept.values_list("at", "content").iterator(chunk_size=200):
            _add(batch, series, to_us(at), orjson.loads(zlib.decompress(bytes(content))))
        batch.series = list(series.values())
        return batch


def keep(source: Source, at: datetime, batch: Batch) -> None:
    """Store one scrape once; a second one of the same instant changes nothing."""
    content = {
        "devices": [[one.uuid, one.model, one.node, one.device_index] for one in batch.devices.values()],
        "nodes": batch.nodes,
        "series": [_packed(one) for one in batch.series if one.times],
    }
    packed = zlib.compress(orjson.dumps(content), 6)
    Scrape.objects.get_or_create(source=source, at=at, defaults={"content": packed})


def drop_before(at: datetime) -> int:
    """Forget scrapes whose facts are final; gives how many."""
    return Scrape.objects.filter(at__lt=at - KEPT).delete()[0]


def _packed(one: Series) -> list[object]:
    holder = None if one.holder is None else [getattr(one.holder, name) for name in Holder.__slots__]
    value = one.values[-1]
    return [one.unit.uuid, one.unit.gi_id, one.profile, one.field.value, holder, value if value == value else None]  # noqa: PLR0124 NaN


def _add(
    batch: Batch,
    series: dict[tuple[UnitKey, str, Field, Holder | None], Series],
    at_us: int,
    content: dict[str, list[list[object]]],
) -> None:
    for words in content["devices"]:
        device = Device(*(str(word) for word in words))
        batch.devices[device.uuid] = device
    for uuid, gi_id, profile, name, holder, value in content["series"]:
        unit = UnitKey(str(uuid), gi_id if isinstance(gi_id, int) else None)
        who = Holder(*(str(word) for word in holder)) if isinstance(holder, list) else None
        key = (unit, str(profile), Field(str(name)), who)
        if key not in series:
            series[key] = Series(unit, str(profile), Field(str(name)), "", who, [], [])
        series[key].times.append(at_us)
        series[key].values.append(value if isinstance(value, int | float) else float("nan"))
