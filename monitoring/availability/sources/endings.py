"""Tells series that came to a known end from those that merely fell silent.

1. Prometheus marked it as gone: the samples just read hold it, an instant query right after does not, and its last
sample is younger than the five minutes that such a query looks back. A target that cannot be scraped is marked too, so
this counts only while `up` of its target is not 0.
2. The server scrapes this job, but has no such target any more.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from monitoring.availability.sources.answers import AskError, Ended, Known, Labels
from monitoring.telemetry.sources.errors import SourceError
from monitoring.telemetry.sources.promapi import PrometheusApi
from monitoring.telemetry.sources.promql import quoted

LOOKBACK_US = 240 * 1_000_000
"""A minute less than what an instant query looks back, so that silence is not taken for a mark."""
MARKED = "Prometheus marked it as gone."
NO_TARGET = "Prometheus has no such target any more."
TARGETS_PATH = "/api/v1/targets"
Identity = frozenset[tuple[str, str]]


def ended(
    api: PrometheusApi, selector: str, rows: Sequence[Mapping[str, Any]], known: Sequence[Known], at_us: int
) -> tuple[Ended, ...]:
    """Those of the rows and of the known series that are expected no more; none where the server does not say."""
    last = {_identity(item.labels): item.last_us for item in known}
    for row in rows:
        if row.get("values"):
            last[_identity(row["metric"])] = round(row["values"][-1][0] * 1_000_000)
    try:
        present = {_identity(row["metric"]) for row in api.query(selector, at_us).rows}
        absent = {one: last_us for one, last_us in last.items() if one not in present}
        return tuple(_reasons(api, absent, at_us)) if absent else ()
    except (SourceError, AskError, KeyError, TypeError):
        return ()


def _reasons(api: PrometheusApi, absent: Mapping[Identity, int], at_us: int) -> Iterator[Ended]:
    fresh = {one for one, last_us in absent.items() if at_us - last_us < LOOKBACK_US}
    failing = _failing(api, fresh, at_us)
    silent = [one for one in absent if one not in fresh]
    targets = _targets(api) if silent else {}
    for one in absent:
        labels = dict(one)
        job, instance = labels.get("job", ""), labels.get("instance", "")
        if one in fresh and job and instance and (job, instance) not in failing:
            yield Ended(labels, MARKED)
        elif one not in fresh and instance and job in targets and instance not in targets[job]:
            yield Ended(labels, NO_TARGET)


def _failing(api: PrometheusApi, fresh: Iterable[Identity], at_us: int) -> set[tuple[str, str]]:
    """Targets that are scraped without success: what they said before ends by that, and is not gone."""
    jobs = sorted({dict(one).get("job", "") for one in fresh} - {""})
    found = set()
    for job in jobs:
        for row in api.query(f"up{{job={quoted(job)}}} == 0", at_us).rows:
            found.add((job, str(row["metric"].get("instance", ""))))
    return found


def _targets(api: PrometheusApi) -> dict[str, set[str]]:
    """The instances of each job that the server scrapes."""
    found: dict[str, set[str]] = {}
    for target in api.read(TARGETS_PATH, {"state": "active"})["activeTargets"]:
        found.setdefault(str(target["scrapePool"]), set())
        labels = target["labels"]
        found.setdefault(str(labels.get("job", "")), set()).add(str(labels.get("instance", "")))
    for pool in api.read("/api/v1/scrape_pools", {})["scrapePools"]:
        found.setdefault(str(pool), set())
    return found


def _identity(labels: Labels) -> Identity:
    return frozenset((name, value) for name, value in labels.items() if name != "__name__")
