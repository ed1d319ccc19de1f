"""Counts stored events into the windows that they lie in, a bounded portion in each transaction.

1. A portion holds the model's lock and takes the oldest batches that wait.
2. An event with an id that was counted before is not counted again.
3. A window keeps the reference that it began with; events for a computed one let it wait again.
4. Predictions and labels are kept, and batches marked as counted, in the same transaction: killed, nothing of it was.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate, takewhile
from typing import Any

from django.db import transaction

from drift.findings.seasons import References
from drift.findings.windows import rules_of
from drift.measures.columns import level_name
from drift.measures.robust.profile import WindowCounts, count_window
from drift.measures.windows.events import EventWindow
from drift.models import DataWindow, EventBatch, Model, Reference, WindowSource, WindowState
from drift.native import predictions, references, sent
from drift.native.grains import window_of
from drift.native.locking import lock
from drift.native.meanings import Meanings
from drift.native.predictions import Said
from drift.native.profiles import profiles_of
from drift.native.sent import Event
from drift.windows import ReportWindow
from monitoring.alerts import clock

PORTION = 20_000  # events
MOST_BATCHES = 1000


@dataclass(frozen=True, slots=True)
class _Portion:
    """Events of some batches in their order, each with an id where its label may or did come."""

    batches: tuple[EventBatch, ...]
    events: tuple[Event, ...]
    said: tuple[Said, ...]


@transaction.atomic
def count_portion(model_id: int) -> int:
    """How many batches were counted; 0 where none waits, or no reference is active yet."""
    lock(model_id)
    model = Model.objects.get(pk=model_id)
    reference = references.active(model_id)
    batches = _waiting(model_id) if reference is not None else ()
    if reference is None or not batches:
        return 0
    portion = _read(batches)
    known = predictions.held(model_id, (one.event for one in portion.said))
    _add(model, reference, _by_window(model, _not_counted(portion.events, known)))
    predictions.keep(model_id, portion.said)
    _renew(model_id, _newly_labelled(portion.said, known))
    EventBatch.objects.filter(pk__in=[row.pk for row in batches]).update(counted_at=clock.now(), content=b"")
    return len(batches)


def _waiting(model_id: int) -> tuple[EventBatch, ...]:
    rows = EventBatch.objects.filter(model_id=model_id, counted_at__isnull=True).order_by("pk")
    sizes = list(rows.values_list("pk", "events")[:MOST_BATCHES])
    sums = accumulate(size for _, size in sizes)
    fitting = sum(1 for _ in takewhile(lambda total: total <= PORTION, sums))
    return tuple(rows.filter(pk__in=[pk for pk, _ in sizes[: max(fitting, 1)]]))


def _read(batches: Sequence[EventBatch]) -> _Portion:
    events, said = list[Event](), list[Said]()
    for batch in batches:
        for place, event in enumerate(sent.unpacked(bytes(batch.content))):
            named = event if event.id or not _is_kept(event) else replace(event, id=f"batch:{batch.pk}#{place}")
            events.append(named)
            if named.id:
                said.append(_said(named, batch.received_at))
    return _Portion(tuple(batches), tuple(events), tuple(said))


def _is_kept(event: Event) -> bool:
    """Without an id no label finds it later: it is of use where it has one, or a score to estimate by."""
    return event.score is not None or (event.prediction is not None and event.label is not None)


def _said(event: Event, received_at: datetime) -> Said:
    return Said(
        event.id,
        at=event.at if event.features is not None else None,
        value=None if event.prediction is None else level_name(event.prediction),
        score=event.score,
        label=None if event.label is None else level_name(event.label),
        labelled_at=None if event.label is None else event.at or received_at,
    )


def _not_counted(events: Iterable[Event], known: Mapping[str, Said]) -> list[Event]:
    """Those with features, each id once."""
    counted = {name for name, one in known.items() if one.at is not None}
    found: list[Event] = []
    for event in events:
        if event.features is None or event.id in counted:
            continue
        if event.id:
            counted.add(event.id)
        found.append(event)
    return found


def _by_window(model: Model, events: Iterable[Event]) -> dict[ReportWindow, list[Event]]:
    found: dict[ReportWindow, list[Event]] = {}
    for event in events:
        assert event.at is not None  # noqa: S101 checked when it came
        found.setdefault(window_of(event.at, model.window_grain), []).append(event)
    return found


def _add(model: Model, reference: Reference, windows: Mapping[ReportWindow, Sequence[Event]]) -> None:
    meanings, rules, now = Meanings.of(model), rules_of(model), clock.now()
    profiles: dict[int, References] = {}  # of seasons there may be many: read once
    for window in sorted(windows, key=lambda one: one.start):
        row, _ = DataWindow.objects.select_related("reference").get_or_create(
            model=model,
            source=WindowSource.EVENTS,
            window_from=window.start,
            window_to=window.end,
            defaults={"reference": reference, "received_at": now, "changed_at": now},
        )
        began_with = row.reference or reference
        if began_with.pk not in profiles:
            profiles[began_with.pk] = profiles_of(began_with, meanings)
        profile = profiles[began_with.pk].of(window.start, rules)
        counts = count_window(profile, EventWindow([_row(event, meanings) for event in windows[window]]))
        if row.counts:
            counts = WindowCounts.from_json(row.counts) + counts
        row.counts, row.rows, row.state, row.changed_at = counts.to_json(), counts.rows, WindowState.WAITING, now
        row.save(update_fields=["counts", "rows", "state", "changed_at"])


def _row(event: Event, meanings: Meanings) -> dict[str, Any]:
    """The columns of an event as a file of the same rows has them."""
    beside = {meanings.prediction: event.prediction, meanings.score: event.score}
    return {**(event.features or {}), **{name: value for name, value in beside.items() if name and value is not None}}


def _newly_labelled(said: Iterable[Said], known: Mapping[str, Said]) -> list[datetime]:
    """The instants of predictions that were here before and whose label came now."""
    labelled = {one.event for one in said if one.label is not None}
    rows = (known[name] for name in labelled & known.keys())
    return sorted(one.at for one in rows if one.at is not None and one.value is not None and one.label is None)


def _renew(model_id: int, at: Sequence[datetime]) -> None:
    """Computed windows with new labels wait again, so that their performance is told."""
    if not at:
        return
    rows = DataWindow.objects.filter(model_id=model_id, source=WindowSource.EVENTS, state=WindowState.COMPUTED)
    spans = rows.filter(window_from__lte=at[-1], window_to__gt=at[0]).values_list("pk", "window_from", "window_to")
    touched = [pk for pk, start, end in spans if bisect_left(at, start) < bisect_left(at, end)]
    rows.filter(pk__in=touched).update(state=WindowState.WAITING, changed_at=clock.now())
