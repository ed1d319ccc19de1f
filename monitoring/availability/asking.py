"""Makes a probe's row into a call that asks it, with secrets read and connections open: the call knows no ORM."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fleetledger.fleet.models import Source, SourceKind
from fleetledger.fleet.secrets import SecretError, resolve
from fleetledger.lib.buckets import floor, from_us, to_us
from monitoring.alerts import intake
from monitoring.availability.claims import Claim
from monitoring.availability.models import Probe, ProbeKind, Series
from monitoring.availability.slots import SECOND_US
from monitoring.availability.sources import heartbeat, kubernetes, net, promql
from monitoring.availability.sources.answers import Answer, AskError, Known, Question
from monitoring.availability.sources.net import TlsTerms
from monitoring.availability.sources.promql import PromqlTerms, Stretch
from monitoring.telemetry.opening import open_api
from monitoring.telemetry.sources.errors import SourceError

FIRST_LOOK = timedelta(hours=24)
"""How far back a new probe, or one after an outage, reads what its source has kept."""
OVERLAP = timedelta(seconds=60)
AGAIN_EVERY, AGAIN = timedelta(minutes=15), timedelta(hours=2)
"""So often so much is read once more, for samples that came late."""
MOST_POINTS = 11_000
MOST_SAMPLES = 300_000
FIRST_CHUNK_POINTS = 1_200


@dataclass(frozen=True, slots=True)
class Part:
    """One answer, and up to where it reaches; None for what has no history."""

    answer: Answer
    until: datetime | None = None


Ask = Callable[[], Iterator[Part]]


def asker(claim: Claim, now: datetime) -> Ask:
    """The call; it gives one part after the other. Raises AskError here where it cannot be asked at all."""
    probe = claim.probe
    if probe.kind in (ProbeKind.PROMQL, ProbeKind.KUBERNETES):
        return _ranged(probe, now)
    question = Question(to_us(claim.at), to_us(now), probe.interval_s * SECOND_US, probe.timeout_s)
    ask = _single(probe, question)
    return lambda: iter([Part(ask())])


def _single(probe: Probe, question: Question) -> Callable[[], Answer]:
    spec: Mapping[str, Any] = probe.spec
    if probe.kind == ProbeKind.HTTP:
        terms = net.terms_of_http(spec, _headers(spec))
        return lambda: net.ask_http(terms, question)
    if probe.kind == ProbeKind.TCP:
        return lambda: net.ask_tcp(str(spec["host"]), int(spec["port"]), question)
    if probe.kind == ProbeKind.TLS:
        known = {key: spec[key] for key in ("port", "name", "warn_days", "ca_file") if key in spec}
        tls = TlsTerms(host=str(spec["host"]), **known)
        return lambda: net.ask_tls(tls, question)
    return _heartbeat(probe, question)


def _heartbeat(probe: Probe, question: Question) -> Callable[[], Answer]:
    beat_us = to_us(probe.beat_at) if probe.beat_at else None
    every_s, grace_s = int(probe.spec.get("every_s", probe.interval_s)), int(probe.spec.get("grace_s", 0))
    could_hear = beat_us is None or intake.was_up(from_us(beat_us), from_us(question.now_us))
    terms = heartbeat.HeartbeatTerms(every_s, grace_s, beat_us, could_hear)
    return lambda: heartbeat.ask(terms, question)


def _ranged(probe: Probe, now: datetime) -> Ask:
    source = _prometheus(probe.source)
    terms = PromqlTerms.of(probe.spec) if probe.kind == ProbeKind.PROMQL else kubernetes.terms(probe.spec)
    known = tuple(
        Known(labels, to_us(last_at))
        for labels, last_at in Series.objects.filter(probe=probe, ended_at=None).values_list("labels", "last_at")
    )
    chunks = list(_chunks(probe, now, len(known)))
    try:
        api = open_api(source, read_seconds=probe.timeout_s, tries=1)
    except SourceError as error:
        raise AskError(str(error)) from error

    def parts() -> Iterator[Part]:
        try:
            for start, end in chunks:
                wanted = Stretch(to_us(start), to_us(end), probe.interval_s * SECOND_US, known, is_now=end == now)
                yield Part(promql.ask(api, terms, wanted), end)
        finally:
            api.close()

    return parts


def _chunks(probe: Probe, now: datetime, series: int) -> Iterator[tuple[datetime, datetime]]:
    """What is to be read up to `now`, cut so that no answer is too large."""
    interval = timedelta(seconds=probe.interval_s)
    at = _resume(probe, now)
    points = min(MOST_POINTS, max(2, MOST_SAMPLES // series)) if series else FIRST_CHUNK_POINTS
    while at < now:
        end = min(now, at + points * interval)
        yield at, end
        at = end


def _resume(probe: Probe, now: datetime) -> datetime:
    oldest, reached = now - FIRST_LOOK, probe.read_until_at
    if reached is None:
        return oldest
    if floor(reached, AGAIN_EVERY) != floor(now, AGAIN_EVERY):
        reached = min(reached, now - AGAIN)
    return max(oldest, reached - max(OVERLAP, timedelta(seconds=2 * probe.interval_s)))


def _prometheus(source: Source | None) -> Source:
    if source is None or source.kind != SourceKind.PROMETHEUS:
        raise AskError("This probe needs a source of kind prometheus. Name one under 'source'.")
    if not source.enabled:
        raise AskError(f"The source '{source.name}' is switched off. Set its 'enabled' to true.")
    return source


def _headers(spec: Mapping[str, Any]) -> dict[str, str]:
    try:
        given = spec.get("headers") or {}
        return {name: value if isinstance(value, str) else resolve(value) for name, value in given.items()}
    except SecretError as error:
        raise AskError(str(error)) from error
