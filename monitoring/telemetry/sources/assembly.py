"""Puts raw label sets and numbers together into one batch: units, holders, our own units, what cannot be true."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import nan

from monitoring.telemetry.sources.fields import BY_NAME, IDLE_SHARE, INFO_NAMES, PERCENT, bad_positions, board_watts
from monitoring.telemetry.sources.labels import LabelOptions, Subject, subject, writes_exported
from monitoring.telemetry.sources.readings import Batch, Device, Field, Holder, Rejected, Series, UnitKey

Key = tuple[UnitKey, str, Field, str, Holder | None]


@dataclass(slots=True)
class _Part:
    name: str
    labels: Mapping[str, str]
    times: list[int]
    values: list[float]


@dataclass(slots=True)
class Assembly:
    """Collects the series of one answer; `renamed_jobs` outlives it, so that a scrape job is judged once."""

    options: LabelOptions
    renamed_jobs: set[str] = field(default_factory=set)
    util_is_share: bool | None = None
    batch: Batch = field(default_factory=Batch)
    _parts: list[_Part] = field(default_factory=list)
    _models: dict[str, Device] = field(default_factory=dict)

    def add(self, name: str, labels: Mapping[str, str], times: list[int], values: list[float]) -> None:
        """Take one series: times ascending in microseconds, values as they were on the wire."""
        if writes_exported(labels):
            self.renamed_jobs.add(labels.get("job", ""))
        if name in INFO_NAMES:
            self._name_device(labels)
        elif times and name in BY_NAME:
            self._parts.append(_Part(name, labels, times, values))

    def finish(self) -> Batch:
        """Merge, screen and name everything taken so far."""
        merged: dict[Key, Series] = {}
        unnamed: Counter[str] = Counter()
        for part in self._parts:
            found = subject(part.labels, self.options, renamed=self._is_renamed(part.labels))
            if found is None:
                unnamed[part.name] += 1
                continue
            self._meet(found.device)
            _merge(merged, found, part)
        for name, count in sorted(unnamed.items()):
            self.batch.notes.append(f"{count} series of {name} name no GPU (no UUID label) and were left out.")
        self.batch.series = [merged[key] for key in sorted(merged, key=_order)]
        self._rescale()
        for series in self.batch.series:
            self._screen(series)
        return self.batch

    def has_ambiguous_util(self) -> bool:
        """Whether every GPU_UTIL seen is at most 1 and not all are 0: percent or shares, the numbers do not say."""
        values = [value for part in self._parts if _is_percent_field(part.name) for value in part.values]
        return any(0 < value <= 1 for value in values) and not any(1 < value <= PERCENT for value in values)

    def _is_renamed(self, labels: Mapping[str, str]) -> bool:
        return labels.get("job", "") in self.renamed_jobs

    def _name_device(self, labels: Mapping[str, str]) -> None:
        found = subject(labels, self.options, renamed=True)
        if found:
            self._models[found.unit.uuid] = found.device

    def _meet(self, device: Device) -> None:
        """Keep what is known of a device, from whichever series says it."""
        known = self.batch.devices.get(device.uuid, device)
        info = self._models.get(device.uuid, device)
        if known is device and info is device and device.uuid in self.batch.devices:
            return
        self.batch.devices[device.uuid] = replace(
            known,
            model=known.model or device.model or info.model,
            node=known.node or device.node or info.node,
            device_index=known.device_index or device.device_index or info.device_index,
        )

    def _screen(self, series: Series) -> None:
        for at in bad_positions(series.field, series.values):
            self.batch.rejected.append(Rejected(series.unit, series.field, series.times[at], series.values[at]))
            series.values[at] = nan

    def _rescale(self) -> None:
        """Bring a GPU_UTIL that some pipeline scaled to 0-1 back to percent, and say so."""
        ours = [series for series in self.batch.series if series.field is Field.UTIL]
        if self.util_is_share is None:
            self.util_is_share = self._looks_like_share(ours)
        if not (self.util_is_share and ours):
            return
        for series in ours:
            series.values = [value * PERCENT for value in series.values]
        self.batch.notes.append("GPU_UTIL arrives as a share of 0-1 here, not as percent: it was multiplied by 100.")

    def _looks_like_share(self, ours: Sequence[Series]) -> bool:
        """A fraction cannot come from field 203, which counts whole percents; the boards must be at work as well."""
        values = [value for series in ours for value in series.values if 0 <= value <= PERCENT]
        if not values or max(values) > 1 or not any(0 < value < 1 for value in values):
            return False
        return any(_at_work(series, self.batch.devices) for series in self.batch.series)


def _at_work(series: Series, devices: Mapping[str, Device]) -> bool:
    if series.field is not Field.POWER:
        return False
    limit = board_watts(devices[series.unit.uuid].model)
    return any(IDLE_SHARE * limit < value <= limit for value in series.values)


def _is_percent_field(name: str) -> bool:
    return BY_NAME[name] == (Field.UTIL, 1.0)


def _merge(merged: dict[Key, Series], found: Subject, part: _Part) -> None:
    """Label sets that differ only in what is no identity become one series; the first sample at a time stays."""
    name, factor = BY_NAME[part.name]
    key = (found.unit, found.profile, name, found.replica, found.holder)
    values = part.values if factor == 1.0 else [value * factor for value in part.values]
    known = merged.get(key)
    if known is None:
        merged[key] = Series(found.unit, found.profile, name, found.replica, found.holder, part.times, values)
    elif part.times[0] > known.times[-1]:
        known.times = [*known.times, *part.times]
        known.values = [*known.values, *values]
    else:
        both = dict(zip(part.times, values, strict=True)) | dict(zip(known.times, known.values, strict=True))
        known.times = sorted(both)
        known.values = [both[at] for at in known.times]


def _order(key: Key) -> tuple[UnitKey, str, Field, str, tuple[str, ...]]:
    unit, profile, name, replica, holder = key
    held = (holder.namespace, holder.workload, holder.kind, holder.owner) if holder else ()
    return unit, profile, name, replica, held
