"""Pulls raw samples from Prometheus, Thanos, Mimir or VictoriaMetrics, cut half-open by us and never by the server."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from monitoring.telemetry.sources.assembly import Assembly
from monitoring.telemetry.sources.errors import RefusedError, SourceError
from monitoring.telemetry.sources.fields import BY_FIELD, BY_NAME, INFO_NAMES
from monitoring.telemetry.sources.labels import LabelOptions
from monitoring.telemetry.sources.promapi import Access, Answer, PrometheusApi
from monitoring.telemetry.sources.promql import (
    MAX_SAMPLES,
    MAX_SERIES,
    equal,
    families,
    groups,
    selector,
    shards,
    span,
    uuid_label,
)
from monitoring.telemetry.sources.readings import MICROSECONDS, Batch, Field
from monitoring.telemetry.sources.scale import util_is_share

NODES = "kube_node_info"
NAMES = (*BY_NAME, *sorted(INFO_NAMES))
USUAL = tuple(name for field in (Field.FB_USED, Field.TEMP, Field.POWER) for name in BY_FIELD[field].dcgm_names)
"""Of DCGM's names those that every row has, whole GPU or slice, on every board."""
MOST_COUNTED = 100_000
PARTS_OF_UNKNOWN = 16
DAY_US = 86_400 * MICROSECONDS
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Range:
    """Half-open, in microseconds."""

    start_us: int
    end_us: int

    @property
    def width_us(self) -> int:
        return self.end_us - self.start_us


class PrometheusSource:
    """One server. `matchers` are labels every series must have; the other keywords are those of Access."""

    def __init__(
        self,
        url: str,
        *,
        scrape_interval_s: float,
        replica_labels: Sequence[str] = (),
        matchers: Mapping[str, str] | None = None,
        class_label: str = "",
        owner_label: str = "",
        exporter_pods: str = "",
        max_series: int = MAX_SERIES,
        access: Access | None = None,
        **connection: Any,
    ) -> None:
        self._access = replace(access or Access(url), url=url, **connection)
        self._interval_s = scrape_interval_s
        self._matchers = equal(matchers or {})
        self._options = LabelOptions(tuple(replica_labels), class_label, owner_label, exporter_pods)
        self._max_series = max_series
        self._renamed_jobs: set[str] = set()
        self._share_of_day: dict[int, bool] = {}
        self._api = PrometheusApi(self._access)

    def close(self) -> None:
        """Let the connections go."""
        self._api.close()

    def pull(self, start_us: int, end_us: int, *, before_us: int = 0, after_us: int = 0) -> Batch:
        """The samples of [start - before, end + after). What could not be read whole stands in `missing`.

        Raises SourceError where the server gives no usable answer at all.
        """
        wanted = _Range(start_us - before_us, end_us + after_us)
        assembly = Assembly(self._options, renamed_jobs=self._renamed_jobs)
        sizes = self._sizes(wanted)
        for names in groups(sizes, self._limit(wanted)):
            self._take({name: sizes[name] for name in names}, wanted, assembly)
        self._judge_scale(wanted, assembly)
        batch = assembly.finish()
        self._take_nodes(wanted, batch)
        return batch

    def _sizes(self, wanted: _Range) -> dict[str, int]:
        """About how many series each name has. Only the size of questions hangs on it, never what is asked for:

        lists may lack what a query finds, such as series in remote storage, and their times are rounded to blocks.
        """
        try:
            listed = set(self._api.names(selector(NAMES, self._matchers), wanted.start_us, wanted.end_us))
        except RefusedError:
            return dict.fromkeys(NAMES, self._limit(wanted))
        sizes = dict.fromkeys(NAMES, 0)
        for family in families(name for name in NAMES if name in listed):
            sizes |= dict.fromkeys(family, self._size(family, wanted))
        return sizes

    def _size(self, family: list[str], wanted: _Range) -> int:
        name = next((name for name in USUAL if name in family), family[0])
        try:
            return self._api.count(selector([name], self._matchers), wanted.start_us, wanted.end_us, MOST_COUNTED)
        except RefusedError:
            return PARTS_OF_UNKNOWN * self._limit(wanted)

    def _limit(self, wanted: _Range) -> int:
        samples = max(1.0, wanted.width_us / MICROSECONDS / self._interval_s)
        return max(1, min(self._max_series, int(MAX_SAMPLES / samples)))

    def _take(self, sizes: Mapping[str, int], wanted: _Range, assembly: Assembly) -> None:
        """The samples of these names, in as many shards as their series need."""
        names = list(sizes)
        listed = ", ".join(name for name in names if sizes[name]) or "GPU metrics"
        for shard in shards(uuid_label(names[-1]), sum(sizes.values()), self._limit(wanted)):
            matchers = [*self._matchers, shard] if shard else self._matchers
            what = f"{listed}{f' where {shard}' if shard else ''}"
            answer = self._ask(
                f"{selector(names, matchers)}{span(wanted.width_us)}", wanted.end_us, what, assembly.batch
            )
            for row in answer:
                _add(row, wanted, assembly)

    def _take_nodes(self, wanted: _Range, batch: Batch) -> None:
        """The nodes' ids at their provider; a server without kube-state-metrics has none, which is fine."""
        query = f"{selector([NODES], self._matchers)}{span(wanted.width_us)}"
        try:
            rows = self._api.query(query, wanted.end_us).rows
        except SourceError as error:
            batch.notes.append(f"The nodes' provider ids could not be read: {error}")
            return
        for row in sorted(rows, key=_last_at):  # of a name that was given again the newest machine counts
            labels = row["metric"]
            name = labels.get("exported_node") or labels.get("node", "")
            if name and labels.get("provider_id"):
                batch.nodes[name] = labels["provider_id"]

    def _ask(self, expression: str, at_us: int, what: str, batch: Batch) -> list[Row]:
        """The rows, or none and a line in `missing`: a partial answer counts as none."""
        try:
            answer = self._api.query(expression, at_us)
        except SourceError as error:
            batch.missing.append(f"{what}: {error}")
            return []
        if answer.partial:
            batch.missing.append(f"{what}: the answer is not whole: {answer.partial}.")
            return []
        return answer.rows

    def _judge_scale(self, wanted: _Range, assembly: Assembly) -> None:
        """Where the numbers alone do not say whether they are percent, ask for a day of them, once a day."""
        if not assembly.has_ambiguous_util():
            assembly.util_is_share = False
            return
        day = wanted.end_us // DAY_US
        if day not in self._share_of_day:
            try:
                found = util_is_share(lambda query: self._whole(query, wanted.end_us).rows, self._matchers)
            except SourceError as error:
                assembly.batch.missing.append(f"The scale of GPU_UTIL could not be judged: {error}")
                return
            self._share_of_day[day] = found
        assembly.util_is_share = self._share_of_day[day]

    def _whole(self, expression: str, at_us: int) -> Answer:
        answer = self._api.query(expression, at_us)
        if answer.partial:
            raise SourceError(f"The answer is not whole: {answer.partial}.", transient=True)
        return answer


def _last_at(row: Row) -> float:
    return float(row["values"][-1][0]) if row.get("values") else 0.0


def _add(row: Row, wanted: _Range, assembly: Assembly) -> None:
    """Cut one series to [start, end), in whole milliseconds as the server keeps them."""
    labels = row["metric"]
    pairs = row.get("values") or []
    times = [round(pair[0] * 1000) * 1000 for pair in pairs]
    first, last = bisect_left(times, wanted.start_us), bisect_left(times, wanted.end_us)
    values = [float(pair[1]) for pair in pairs[first:last]]
    assembly.add(labels.get("__name__", ""), labels, times[first:last], values)
