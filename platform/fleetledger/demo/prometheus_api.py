"""Answers Prometheus' HTTP API for plain selectors, with its JSON, its errors and its closed range windows."""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus

from fleetledger.demo import series
from fleetledger.demo.inventory import Cluster
from fleetledger.demo.selector import Matcher, Selector, UnsupportedQueryError, parse
from fleetledger.demo.series import Asked, Series
from fleetledger.demo.signals import Labels
from fleetledger.demo.work import DAY_S, GRID_S, HOUR_S
from fleetledger.demo.world import World

RETENTION_S = 120 * DAY_S
MOST_SAMPLES = 3_000_000
MOST_POINTS = 11_000
_SUBQUERY = re.compile(r"\s*\((.*)\)\s*\[\s*([0-9a-z]+)\s*:\s*([0-9a-z]+)\s*\]\s*", re.DOTALL)
_NUMBER = re.compile(r"\s*([0-9]{1,9})\s*")
_LABEL_VALUES = re.compile(r"label/([a-zA-Z_][a-zA-Z0-9_]*)/values")
Params = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Answer:
    status: HTTPStatus
    body: bytes


class ApiError(Exception):
    def __init__(self, status: HTTPStatus, kind: str, message: str) -> None:
        super().__init__(message)
        self.status, self.kind = status, kind


class TooManySamplesError(ApiError):
    def __init__(self) -> None:
        super().__init__(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "execution",
            "query processing would load too many samples into memory in query execution",
        )


class Api:
    """One Prometheus: the world, or one cluster of it, up to `now()`."""

    def __init__(self, world: World, scope: Sequence[Cluster], now: Callable[[], float]) -> None:
        self._world, self._scope, self._now = world, scope, now

    def answer(self, path: str, params: Params) -> Answer:
        """`path` is what follows /api/v1/."""
        try:
            return _success(self._data(path, params))
        except UnsupportedQueryError as error:
            return _error(HTTPStatus.UNPROCESSABLE_ENTITY, "execution", str(error))
        except ApiError as error:
            return _error(error.status, error.kind, str(error))

    def _data(self, path: str, params: Params) -> str:
        if values := _LABEL_VALUES.fullmatch(path):
            found = {value for labels in self._label_sets(params) for name, value in labels if name == values[1]}
            return json.dumps(sorted(found))
        match path:
            case "query":
                return self._query(params)
            case "query_range":
                return self._query_range(params)
            case "series":
                if not params.get("match[]"):
                    raise ApiError(HTTPStatus.BAD_REQUEST, "bad_data", "no match[] parameter provided")
                return json.dumps([dict(labels) for labels in self._label_sets(params)])
            case "labels":
                return json.dumps(sorted({name for labels in self._label_sets(params) for name, _ in labels}))
            case "status/buildinfo":
                return json.dumps({"version": "2.42.0", "revision": "demo-world", "branch": "", "goVersion": ""})
            case _:
                raise ApiError(HTTPStatus.NOT_FOUND, "not_found", f"no such path: /api/v1/{path}")

    def _query(self, params: Params) -> str:
        at = self._instant(params, "time", self._now())
        if number := _NUMBER.fullmatch(_one(params, "query")):  # clients ask for 1 to see whether anybody answers
            return f'{{"resultType":"scalar","result":[{_stamp(at)},"{number[1]}"]}}'
        if subquery := _SUBQUERY.fullmatch(_one(params, "query")):
            return self._subquery(subquery[1], subquery[2], subquery[3], at)
        selector = parse(_one(params, "query"))
        if selector.range_ms is not None:
            found = self._read(selector, at - selector.range_ms / 1000, at)
            return _result("matrix", (f'"values":[{_points(one.samples)}]' for one in found), found)
        last = int(at // GRID_S * GRID_S)
        found = self._read(selector, last, last)
        return _result("vector", (f'"value":[{_stamp(at)},"{one.samples[0][1]}"]' for one in found), found)

    def _subquery(self, inner: str, width: str, step_text: str, at: float) -> str:
        """A selector in parentheses at the multiples of a step: (SELECTOR)[1h:30s]."""
        selector, step = parse(inner), _step(step_text)
        first = -(-(at - _step(width)) // step) * step
        stamps = [first + n * step for n in range(int((at - first) / step + 1e-9) + 1)]
        found = self._at(selector, stamps) if stamps else []
        return _result("matrix", (f'"values":[{_points(one.samples)}]' for one in found), found)

    def _query_range(self, params: Params) -> str:
        """The sample of the last scrape at each step: a series that a scrape lacks is stale at once."""
        selector = parse(_one(params, "query"))
        if selector.range_ms is not None:
            raise UnsupportedQueryError(_one(params, "query"), "A range vector")
        start, end = self._instant(params, "start"), self._instant(params, "end")
        step = _step(_one(params, "step"))
        if end < start:
            raise ApiError(HTTPStatus.BAD_REQUEST, "bad_data", "end timestamp must not be before start time")
        if (end - start) / step > MOST_POINTS:
            raise ApiError(
                HTTPStatus.BAD_REQUEST, "bad_data",
                "exceeded maximum resolution of 11,000 points per timeseries. "
                "Try decreasing the query resolution (?step=XX)",
            )  # fmt: skip
        stamps = [start + n * step for n in range(int((end - start) / step + 1e-9) + 1)]
        found = self._at(selector, stamps)
        return _result("matrix", (f'"values":[{_points(one.samples)}]' for one in found), found)

    def _at(self, selector: Selector, stamps: Sequence[float]) -> list[Series]:
        """The sample of the last scrape at each of these instants, which are in order."""
        if len(stamps) > MOST_POINTS + 1:
            raise TooManySamplesError
        found: list[Series] = []
        for one in self._read(selector, stamps[0] // GRID_S * GRID_S, stamps[-1]):
            values: dict[float, str] = dict(one.samples)
            points = [(at, values[grid]) for at in stamps if (grid := int(at // GRID_S * GRID_S)) in values]
            if points:
                found.append(Series(one.labels, points))
        return found

    def _label_sets(self, params: Params) -> list[Labels]:
        """Of the series of the last hour, unless start and end say otherwise (a day at most)."""
        end = self._instant(params, "end", self._now())
        start = self._instant(params, "start", end - HOUR_S)
        start = max(start, end - DAY_S)
        selectors = [parse(text) for text in params.get("match[]", ())] or [Selector((Matcher("__name__", "!=", ""),))]
        found: set[Labels] = set()
        for selector in selectors:
            names = [n for n in series.NAMES if _names(selector, n)]
            found |= set(
                series.label_sets(self._world, Asked(self._scope, names, selector.accepts, *self._cut(start, end)))
            )
        return sorted(found)

    def _read(self, selector: Selector, start: float, end: float) -> list[Series]:
        names = [name for name in series.NAMES if _names(selector, name)]
        first, last = self._cut(start, end)
        units = sum(len(node.units) for cluster in self._scope for node in cluster.nodes)
        if max(0, last - first) // GRID_S * len(names) * units > MOST_SAMPLES:
            raise TooManySamplesError
        return series.read(self._world, Asked(self._scope, names, selector.accepts, first, last))

    def _cut(self, start: float, end: float) -> tuple[int, int]:
        """Whole seconds within [start, end] that lie in what is kept and not in the future."""
        now = self._now()
        return int(-(-max(start, now - RETENTION_S) // 1)), int(min(end, now) // 1)

    def _instant(self, params: Params, name: str, otherwise: float | None = None) -> float:
        given = params.get(name, [""])[0]
        if not given and otherwise is not None:
            return otherwise
        try:
            return float(given)
        except ValueError:
            pass
        try:
            at = datetime.fromisoformat(given)
        except ValueError:
            message = f'invalid parameter "{name}": cannot parse "{given[:80]}" to a valid timestamp'
            raise ApiError(HTTPStatus.BAD_REQUEST, "bad_data", message) from None
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _one(params: Params, name: str) -> str:
    given = params.get(name, [""])[0]
    if not given:
        raise ApiError(HTTPStatus.BAD_REQUEST, "bad_data", f'invalid parameter "{name}": it is empty')
    return given


def _step(text: str) -> float:
    try:
        step = float(text)
    except ValueError:
        step = (parse(f"up[{text}]").range_ms or 0) / 1000
    if step <= 0:
        raise ApiError(HTTPStatus.BAD_REQUEST, "bad_data", "zero or negative query resolution step widths are refused")
    return step


def _names(selector: Selector, name: str) -> bool:
    return all(matcher.accepts({"__name__": name}) for matcher in selector.matchers if matcher.label == "__name__")


def _stamp(at: float) -> str:
    return str(int(at)) if at == int(at) else f"{at:.3f}"


def _points(samples: Iterable[tuple[float, str]]) -> str:
    return ",".join([f'[{_stamp(at)},"{value}"]' for at, value in samples])


def _result(kind: str, values: Iterable[str], found: Sequence[Series]) -> str:
    rows = [f'{{"metric":{json.dumps(dict(one.labels))},{text}}}' for one, text in zip(found, values, strict=True)]
    return f'{{"resultType":"{kind}","result":[{",".join(rows)}]}}'


def _success(data: str) -> Answer:
    return Answer(HTTPStatus.OK, f'{{"status":"success","data":{data}}}'.encode())


def _error(status: HTTPStatus, kind: str, message: str) -> Answer:
    return Answer(status, json.dumps({"status": "error", "errorType": kind, "error": message}).encode())
