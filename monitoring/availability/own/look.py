"""One look at all of our own parts, and what is written down of it."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from django.db import transaction

from fleetledger.lib.buckets import to_us
from monitoring.availability import ingest
from monitoring.availability.ingest import Found
from monitoring.availability.models import Component, ComponentKind, PartTick, Probe, ProbeKind
from monitoring.availability.own import database, network, ticks
from monitoring.availability.own.network import Asker, Workers
from monitoring.availability.own.seen import INTERVAL_S, SILENCE_S, PartSeen, component_name, down, unknown, up
from monitoring.availability.sources.answers import Answer, Fact, Observation, Sample

WORKERS = "workers"
FORGOTTEN_AFTER = timedelta(hours=1)
"""A worker that has been silent for so long while others answer has been replaced."""
PROBE = "self"


def look(now: datetime, asker: Asker) -> list[PartSeen]:
    """Every part as it is now."""
    sources = network.prometheus_sources()
    answers = asker.ask(dict(network.questions(sources, now)))
    found = [*database.look(now), *network.broker(answers["redis"])]
    found += [network.source(row, answers[row.name], now) for row in sources]
    return [*found, *_workers(network.workers(answers["workers"], answers["redis"]), now)]


def keep(parts: Sequence[PartSeen], now: datetime) -> None:
    """Write the parts' slots, and as failures why some cannot be seen."""
    probes = _probes(parts, now)
    found = [Found(probes[part.name].pk, _answer(part, now)) for part in parts if part.name in probes]
    with transaction.atomic():
        ingest.keep(found, now)
        for part in parts:
            _note(probes[part.name], part, now)
    _remove_others(parts, now)


def _workers(workers: Workers, now: datetime) -> Iterator[PartSeen]:
    """Each worker that answered lately, below a part for all of them."""
    ticks.note(ticks.WORKER, workers.names, now)
    seen = ticks.seen(ticks.WORKER)
    if not seen:
        why = workers.failure or "No worker has ever answered."
        yield unknown(WORKERS, "Workers", why)
        return
    yield from (_worker(name, at, workers, now) for name, at in sorted(seen.items()))
    PartTick.objects.filter(part=ticks.WORKER, at__lt=now - FORGOTTEN_AFTER).delete() if workers.names else None
    answering = Fact("workers", len(workers.names))
    if workers.failure:
        yield unknown(WORKERS, "Workers", workers.failure)
    elif any((now - at).total_seconds() <= SILENCE_S for at in seen.values()):
        yield up(WORKERS, "Workers", answering)
    else:
        yield down(WORKERS, "Workers", f"None of {len(seen)} workers answers.", answering)


def _worker(name: str, at: datetime, workers: Workers, now: datetime) -> PartSeen:
    part, title = f"worker-{name}", f"Worker {name}"
    age_s = (now - at).total_seconds()
    if workers.failure:
        return unknown(part, title, workers.failure)
    if age_s > SILENCE_S:
        return down(part, title, f"It has not answered for {age_s:.0f} s, since {at:%Y-%m-%d %H:%M:%S}Z.")
    return up(part, title)


def _answer(part: PartSeen, now: datetime) -> Answer:
    if part.seen is None:
        return Answer(facts=part.facts)
    return Answer((Observation({}, (Sample(to_us(now), part.seen),)),), part.facts)


def _note(probe: Probe, part: PartSeen, now: datetime) -> None:
    """What can be read on the probe; written only where it changes."""
    detail = part.seen.detail if part.seen else probe.detail
    if (probe.failure, probe.detail) != (part.failure, detail):
        Probe.objects.filter(pk=probe.pk).update(failure=part.failure, detail=detail, asked_at=now)


def _probes(parts: Iterable[PartSeen], now: datetime) -> dict[str, Probe]:
    """The probe of each part, made where there is none yet."""
    rows = Probe.objects.filter(kind=ProbeKind.SELF).select_related("component")
    known = {row.component.name: row for row in rows}
    for place, part in enumerate(parts):
        row = known.get(part.name)
        if row is None or row.component.removed_at is not None or row.removed_at is not None:
            known[part.name] = _made(part, place, now)
    return known


def _made(part: PartSeen, place: int, now: datetime) -> Probe:
    values = {
        "title": part.title[:200],
        "kind": ComponentKind.OWN,
        "is_builtin": True,
        "position": 1_000_000 + place,
        "removed_at": None,
    }
    component, _ = Component.objects.update_or_create(
        name=part.name, defaults=values, create_defaults=values | {"created_at": now}
    )
    probe, _ = Probe.objects.update_or_create(
        component=component,
        name=PROBE,
        defaults={"kind": ProbeKind.SELF, "interval_s": INTERVAL_S, "removed_at": None},
        create_defaults={
            "kind": ProbeKind.SELF,
            "interval_s": INTERVAL_S,
            "due_at": now,
            "created_at": now,
            "spec": {"part": part.part},
        },
    )
    return probe


def _remove_others(parts: Iterable[PartSeen], now: datetime) -> None:
    """Sources that were taken away, and workers that were replaced."""
    names = {part.name for part in parts}
    gone = Component.objects.filter(is_builtin=True, kind=ComponentKind.OWN, removed_at=None).exclude(name__in=names)
    gone = gone.exclude(name=component_name(WORKERS))
    ids = list(gone.values_list("pk", flat=True))
    if ids:
        ingest.end_probes(
            Probe.objects.filter(component__in=ids).values_list("pk", flat=True), "It is no part any more."
        )
        Component.objects.filter(pk__in=ids).update(removed_at=now)
