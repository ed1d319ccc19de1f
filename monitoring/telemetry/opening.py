"""Opens a configured source as something that can be read for a window."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Protocol

from fleetledger.fleet.models import Source, SourceKind
from fleetledger.fleet.secrets import SecretError, resolve
from fleetledger.lib.durations import parse_duration
from monitoring.telemetry.scrapes import KeptScrapes
from monitoring.telemetry.sources.errors import SourceError
from monitoring.telemetry.sources.exporters import ExportersSource
from monitoring.telemetry.sources.nvml import NvmlSource
from monitoring.telemetry.sources.promapi import Access, PrometheusApi
from monitoring.telemetry.sources.prometheus import PrometheusSource
from monitoring.telemetry.sources.readings import Batch

DEFAULT_INTERVAL = timedelta(seconds=30)
DEFAULT_REPLICAS = ("prometheus_replica", "__replica__", "replica")
CONNECT_SECONDS = 3.0


class SourceReader(Protocol):
    """What can be asked for raw samples of [start - before, end + after), in microseconds."""

    def pull(self, start_us: int, end_us: int, *, before_us: int, after_us: int) -> Batch: ...


class Scraper(Protocol):
    """What gives one sample of everything, now."""

    def scrape(self, at_us: int) -> Batch: ...


def scrape_interval(source: Source) -> timedelta:
    return _duration(source, "scrape_interval", DEFAULT_INTERVAL)


def bridge(source: Source) -> timedelta:
    """Gaps of a workload's labels up to this long are bridged."""
    return _duration(source, "bridge", timedelta(seconds=300))


def open_source(source: Source) -> SourceReader:
    """The source's samples of any window; raises SourceError where a secret is missing."""
    if source.kind != SourceKind.PROMETHEUS:
        return KeptScrapes(source)
    config = source.config
    return PrometheusSource(
        str(config["url"]),
        scrape_interval_s=scrape_interval(source).total_seconds(),
        replica_labels=config.get("replica_labels", DEFAULT_REPLICAS),
        matchers=config.get("matchers"),
        class_label=config.get("class_label", ""),
        owner_label=config.get("owner_label", ""),
        **_connection(source),
    )


def open_api(source: Source, *, read_seconds: float, tries: int) -> PrometheusApi:
    """The query interface of a Prometheus, with these limits; raises SourceError where a secret is missing."""
    access = Access(str(source.config["url"]), timeout=(CONNECT_SECONDS, read_seconds), tries=tries)
    return PrometheusApi(replace(access, **_connection(source) | {"timeout": access.timeout}))


def open_scraper(source: Source) -> Scraper:
    """The exporters or the machine's own NVML, to be asked now."""
    if source.kind == SourceKind.NVML:
        return NvmlSource(node=str(source.config.get("node", "")))
    return ExportersSource(
        [str(target) for target in source.config["targets"]],
        class_label=source.config.get("class_label", ""),
        owner_label=source.config.get("owner_label", ""),
        **_connection(source),
    )


def _connection(source: Source) -> dict[str, Any]:
    config = source.config
    try:
        found: dict[str, Any] = {"headers": {name: _text(value) for name, value in config.get("headers", {}).items()}}
        if "token" in config:
            found["token"] = resolve(config["token"])
        if "basic_auth" in config:
            found["basic"] = (str(config["basic_auth"]["username"]), resolve(config["basic_auth"]["password"]))
    except SecretError as error:
        raise SourceError(f"Source '{source.name}': {error}") from error
    if "timeout" in config:
        found["timeout"] = (CONNECT_SECONDS, parse_duration(str(config["timeout"])).total_seconds())
    return found | {name: config[name] for name in ("ca_file", "insecure_skip_verify") if name in config}


def _text(value: str | Mapping[str, Any]) -> str:
    return value if isinstance(value, str) else resolve(value)


def _duration(source: Source, name: str, default: timedelta) -> timedelta:
    return parse_duration(str(source.config[name])) if name in source.config else default
