"""Reads exporters directly (/metrics of dcgm-exporter, nvidia_gpu_exporter, all-smi), for fleets without Prometheus."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from fleetledger.lib.http import retries
from monitoring.telemetry.sources.assembly import Assembly
from monitoring.telemetry.sources.errors import unreachable
from monitoring.telemetry.sources.exposition import Parser, Sample, Scrape
from monitoring.telemetry.sources.labels import LabelOptions
from monitoring.telemetry.sources.promapi import Access
from monitoring.telemetry.sources.readings import MICROSECONDS, Batch

MAX_SKEW_S = 60
MAX_BYTES = 64 * 1024 * 1024
WORKERS = 8
CHUNK = 65_536
ACCEPT = "text/plain;version=0.0.4"


def now_us() -> int:
    """The time by our own clock."""
    return time.time_ns() // 1_000


@dataclass(frozen=True, slots=True)
class _Answer:
    """One target's text, or why there is none."""

    target: str
    text: str = ""
    problem: str = ""


class ExportersSource:
    """A list of addresses. One that fails is missing and named; the others count."""

    def __init__(
        self,
        targets: Sequence[str],
        *,
        class_label: str = "",
        owner_label: str = "",
        exporter_pods: str = "",
        clock_us: Callable[[], int] = now_us,
        access: Access | None = None,
        **connection: Any,
    ) -> None:
        self._targets = [
            target if urlsplit(target).path.strip("/") else f"{target.rstrip('/')}/metrics" for target in targets
        ]
        self._options = LabelOptions((), class_label, owner_label, exporter_pods)
        self._clock_us = clock_us
        self._access = replace(access or Access(""), **connection)
        self._parsers = {target: Parser() for target in self._targets}
        self._session = self._open()

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    def scrape(self, at_us: int) -> Batch:
        """One sample of everything, taken at `at_us`; targets without one stand in `missing`."""
        assembly = Assembly(self._options)
        with ThreadPoolExecutor(max_workers=max(1, min(WORKERS, len(self._targets)))) as pool:
            answers = list(pool.map(self._fetch, self._targets))
        for answer in answers:
            if answer.problem:
                assembly.batch.missing.append(answer.problem)
                continue
            scrape = self._parsers[answer.target].parse(answer.text)
            _note(answer.target, scrape, assembly.batch)
            for sample in scrape.samples:
                _add(sample, answer.target, at_us, assembly)
        return assembly.finish()

    def _open(self) -> requests.Session:
        session = requests.Session()
        session.headers.update({"Accept": ACCEPT} | self._access.all_headers())
        session.auth = self._access.basic
        session.verify = not self._access.insecure_skip_verify and (self._access.ca_file or True)
        adapter = HTTPAdapter(
            pool_maxsize=WORKERS, max_retries=retries(tries=self._access.tries, backoff_s=self._access.backoff_s)
        )
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        return session

    def _fetch(self, target: str) -> _Answer:
        try:
            with self._session.get(target, timeout=self._access.timeout, stream=True) as response:
                problem = _refusal(target, response) or self._skew(target, response)
                if problem:
                    return _Answer(target, problem=problem)
                body = bytearray()
                for chunk in response.iter_content(CHUNK):
                    body += chunk
                    if len(body) > MAX_BYTES:
                        return _Answer(target, problem=f"{target} answers with more than {MAX_BYTES} bytes.")
        except requests.RequestException as error:
            return _Answer(target, problem=str(unreachable(target, error, self._access.timeout)))
        return _Answer(target, text=body.decode("utf-8", errors="replace"))

    def _skew(self, target: str, response: requests.Response) -> str:
        """Why this target is set aside: its clock is off by more than a minute."""
        try:
            theirs = parsedate_to_datetime(response.headers["Date"]).timestamp()
        except (KeyError, ValueError, TypeError):
            return ""
        skew = round(theirs - self._clock_us() / MICROSECONDS)
        if abs(skew) <= MAX_SKEW_S:
            return ""
        side = "ahead of" if skew > 0 else "behind"
        return f"{target} is quarantined: its clock is {abs(skew)} s {side} ours. Set its time (NTP)."


def _page(target: str) -> str:
    """The page of an address that names none."""
    return target if urlsplit(target).path.strip("/") else f"{target.rstrip('/')}/metrics"


def _refusal(target: str, response: requests.Response) -> str:
    code = response.status_code
    if code in {requests.codes.unauthorized, requests.codes.forbidden}:
        return f"{target} answers HTTP {code}: the token or password is missing or wrong."
    if code != requests.codes.ok:
        return f"{target} answers HTTP {code}. Is this the exporter's /metrics?"
    if "html" in response.headers.get("Content-Type", ""):
        return f"{target} answers with a web page. Is this the exporter's /metrics?"
    return ""


def _note(target: str, scrape: Scrape, batch: Batch) -> None:
    if scrape.malformed:
        lines = "1 malformed line was" if scrape.malformed == 1 else f"{scrape.malformed} malformed lines were"
        batch.notes.append(f"{target}: {lines} left out.")
    if not scrape.samples:
        batch.notes.append(f"{target} answers without any GPU measure that we store.")


def _add(sample: Sample, target: str, at_us: int, assembly: Assembly) -> None:
    """A sample without a time bears ours; one with a time keeps it."""
    labels = {"instance": urlsplit(target).netloc, **sample.labels}
    time_us = at_us if sample.at_us is None else sample.at_us
    assembly.add(sample.name, labels, [time_us], [sample.value])
