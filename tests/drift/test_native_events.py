"""Events: taken in once, counted exactly once, and their windows computed when they are over."""

import json
import math
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import numpy as np
import pytest
from django.db import connection
from kombu.exceptions import OperationalError

from drift import tasks
from drift.errors import EventsError, OtherEventsError
from drift.measures.robust.profile import Profile, WindowCounts, count_window
from drift.measures.windows import EventWindow
from drift.models import DataWindow, EventBatch, Model, Prediction
from drift.native import counting, events, references, waiting
from drift.native.events import ReceivedEvents
from drift.native.grains import window_of
from drift.windows import ReportWindow
from monitoring.alerts import clock
from monitoring.alerts.acts import Actor
from tests import world as fleet
from tests.drift import event_rows, row_files, world
from tests.drift.event_rows import Sent, counted, event, made, send, watched

pytestmark = pytest.mark.django_db


def counts_of(row: DataWindow) -> dict[str, Any]:
    """As JSON holds them, but the sums of floats, which depend on the order in their last digits."""
    found: dict[str, Any] = row.counts
    columns = [
        {**one, "total": round(one["total"], 9), "squares": round(one["squares"], 9)} for one in found["columns"]
    ]
    return {"rows": found["rows"], "columns": sorted(columns, key=lambda one: str(one["name"]))}


def said(model: Model) -> list[tuple[ReportWindow, dict[str, Any]]]:
    return [(ReportWindow(row.window_from, row.window_to), counts_of(row)) for row in event_rows.windows(model)]


def test_a_batch_is_stored_once_by_its_key_or_its_content() -> None:
    model, other = world.model(), world.model("other")
    first = send(model, made(), key="2026-11-01/1")
    assert (first.events, first.is_known) == (300, False)
    assert send(model, made(), key="2026-11-01/1") == ReceivedEvents(first.batch_id, 300, is_known=True)
    with pytest.raises(OtherEventsError, match="2026-11-01/1"):
        send(model, made(2), key="2026-11-01/1")
    assert not send(other, made(), key="2026-11-01/1").is_known
    unnamed = send(model, made(3))
    spelled = [dict(reversed(one.items())) | {"at": one["at"].replace("+00:00", "Z")} for one in made(3)]
    assert send(model, spelled) == ReceivedEvents(unnamed.batch_id, 300, is_known=True)
    assert EventBatch.objects.filter(model=model).count() == 2
    assert EventBatch.objects.get(pk=first.batch_id).received_from == "token scoring"


@pytest.mark.django_db(transaction=True)
def test_one_batch_sent_ten_times_at_once_is_one_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    model, gate, asked = watched(), Barrier(10), list[int]()
    monkeypatch.setattr(tasks.count_events, "delay", asked.append)

    def post(_number: int) -> ReceivedEvents:
        try:
            gate.wait()
            return send(model, made(), key="once")
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        received = list(pool.map(post, range(10)))
    assert len({one.batch_id for one in received}) == 1
    assert sorted(one.is_known for one in received) == [False] + [True] * 9
    assert EventBatch.objects.count() == 1
    assert set(asked) == {model.pk}
    events.count(model.pk)
    assert sum(row.rows for row in event_rows.windows(model)) == 300


@pytest.mark.django_db(transaction=True)
def test_workers_that_count_at_once_count_each_batch_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model, gate = watched(), Barrier(4)
    monkeypatch.setattr(tasks.count_events, "delay", list[int]().append)
    for seed in range(6):
        send(model, made(seed, 50))

    def count(_number: int) -> int:
        try:
            gate.wait()
            return events.count(model.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(count, range(4))) == 6
    assert sum(row.rows for row in event_rows.windows(model)) == 300


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        ({"features": {"a": 1}}, "events[1].at"),
        ({"at": "2026-11-01", "features": {}}, "events[1].at"),
        ({"at": "2026-11-01T12:00:00", "features": {}}, "events[1].at"),
        ({"at": "2026-02-30T12:00:00Z", "features": {}}, "events[1].at"),
        ({"at": "9999-12-31T23:00:00Z", "features": {}}, "events[1].at"),
        ({"at": 1793534400, "features": {}}, "events[1].at"),
        (event() | {"id": 7}, "events[1].id"),
        (event() | {"id": ""}, "events[1].id"),
        (event() | {"id": "x" * 201}, "events[1].id"),
        (event() | {"id": "batch:1#2"}, "events[1].id"),
        (event() | {"id": "a\x00b"}, "events[1].id"),
        (event() | {"features": [1]}, "events[1].features"),
        (event() | {"features": {1: 2}}, "events[1].features"),
        ({"at": event_rows.instant()}, "events[1].features"),
        ({"at": event_rows.instant(), "prediction": 1, "label": 1}, "events[1].features"),
        (event(features={"a": {"b": 1}}), "events[1].features.a"),
        (event(features={"a": ["b"]}), "events[1].features.a"),
        (event(features={"a": "\x00"}), "events[1].features.a"),
        (event(features={"a": "\ud800"}), "events[1].features.a"),
        (event(features={"a": 10**400}), "events[1].features.a"),
        (event(prediction=[1]), "events[1].prediction"),
        (event(prediction=math.nan), "events[1].prediction"),
        (event(prediction="x" * 501), "events[1].prediction"),
        (event(score="0.5"), "events[1].score"),
        (event(score=True), "events[1].score"),
        (event(score=math.inf), "events[1].score"),
        (event(label={}), "events[1].label"),
        (event(extra=1), "events[1].extra"),
        ({"label": 1}, "events[1].id"),
        ("event", "events[1]"),
    ],
)
def test_a_bad_event_is_refused_by_its_precise_path_and_nothing_is_stored(wrong: Any, path: str) -> None:
    with pytest.raises(EventsError) as refused:
        send(world.model(), [event(), wrong, event(1)])
    assert refused.value.path == path
    assert str(refused.value).endswith(".")
    assert not EventBatch.objects.exists()


@pytest.mark.parametrize("wrong", [[], {}, "event", None])
def test_what_is_no_list_of_events_is_refused(wrong: Any) -> None:
    with pytest.raises(EventsError, match=r"^events: "):
        send(world.model(), wrong)


def test_a_batch_has_its_limits(settings: Any) -> None:
    model = world.model()
    with pytest.raises(EventsError, match="10001 are too many"):
        send(model, [event()] * 10_001)
    settings.DRIFT_REPORT_MAX_BYTES = 1000
    with pytest.raises(EventsError, match="smaller batches"):
        send(model, made())
    with pytest.raises(EventsError, match=r"^key: "):
        send(model, [event()], key="k" * 201)
    assert not EventBatch.objects.exists()


def test_odd_values_are_taken_as_they_are() -> None:
    """NaN is a null, as programs write it; infinities, huge numbers, other types and other columns hold up nothing."""
    model = watched()
    odd = [math.nan, None, math.inf, 2**80, "12", "old", True, [1, 2], -1e308]
    counted(model, [event(features={"age": value, "unknown": "é"}) for value in odd])
    (row,) = event_rows.windows(model)
    (age,) = row.counts["columns"]
    assert (row.rows, age["nulls"], age["misfits"], age["below"]) == (9, 2, 5, 1)


@pytest.mark.parametrize(
    ("at", "grain", "start", "end"),
    [
        ("2026-11-05T13:59:59.9+00:00", "hour", "2026-11-05T13:00", "2026-11-05T14:00"),
        ("2026-11-05T00:30+01:00", "day", "2026-11-04T00:00", "2026-11-05T00:00"),
        ("2026-11-01T23:59+00:00", "week", "2026-10-26T00:00", "2026-11-02T00:00"),
        ("2026-11-02T00:00+00:00", "week", "2026-11-02T00:00", "2026-11-09T00:00"),
        ("2026-12-31T23:00+00:00", "month", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("2024-02-29T12:00-11:00", "month", "2024-02-01T00:00", "2024-03-01T00:00"),
    ],
)
def test_windows_are_cut_in_utc_and_weeks_begin_on_monday(at: str, grain: str, start: str, end: str) -> None:
    first, last = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (start, end))
    assert window_of(datetime.fromisoformat(at), grain) == ReportWindow(first, last)


def one_batch(model: Model, rows: Sent) -> None:
    counted(model, rows)


def many_batches(model: Model, rows: Sent) -> None:
    for place in range(0, len(rows), 7):
        counted(model, rows[place : place + 7])


def shuffled(model: Model, rows: Sent) -> None:
    mixed = rows.copy()
    random.Random(3).shuffle(mixed)
    for place in range(0, len(mixed), 41):
        send(model, mixed[place : place + 41])
    events.count(model.pk)


def twice(model: Model, rows: Sent) -> None:
    counted(model, rows)
    counted(model, rows)
    send(model, rows, key="")
    events.count(model.pk)


def again_in_other_batches(model: Model, rows: Sent) -> None:
    """Events with ids, as a queue delivers them at least once."""
    counted(model, rows[:200] + rows[150:])
    many_batches(model, rows)


@pytest.mark.parametrize(
    ("sending", "ids"),
    [
        (one_batch, False), (many_batches, False), (shuffled, False), (twice, False),
        (shuffled, True), (twice, True), (again_in_other_batches, True),
    ],
)  # fmt: skip
def test_counts_are_exact_however_events_come(sending: Any, ids: bool) -> None:
    rows, model = made(ids=ids), watched()
    sending(model, rows)
    reference = references.active(model.pk)
    assert reference is not None
    profile = Profile.from_json(reference.profile)
    expected = []
    for hour in range(2):
        start = world.START + timedelta(hours=hour)
        inside = [one for one in rows if window_of(datetime.fromisoformat(one["at"]), "hour").start == start]
        counts = count_window(profile, EventWindow([one["features"] for one in inside])).to_json()
        counts = json.loads(json.dumps(counts))
        expected.append((ReportWindow(start, start + timedelta(hours=1)), counts_of(DataWindow(counts=counts))))
    assert said(model) == expected
    assert sum(row.rows for row in event_rows.windows(model)) == 300
    assert {bytes(row.content) for row in EventBatch.objects.filter(counted_at__isnull=False)} == {b""}
    assert not EventBatch.objects.filter(counted_at=None).exists()


@pytest.mark.parametrize("step", ["_add", "_renew"])
def test_a_worker_that_dies_in_the_middle_counts_nothing_and_the_next_one_all_of_it_once(
    monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    model = watched()
    monkeypatch.setattr(counting, "PORTION", 100)
    for seed in range(4):
        send(model, made(seed, 60, ids=False))
    real, calls = getattr(counting, step), list[int]()

    def dies(*given: Any) -> None:
        real(*given)
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(counting, step, dies)
        with pytest.raises(KeyboardInterrupt):
            events.count(model.pk)
    assert sum(row.rows for row in event_rows.windows(model)) == 120, "two portions are whole, the third is not there"
    assert EventBatch.objects.filter(counted_at=None).count() == 2
    assert events.count(model.pk) == 2
    assert events.count(model.pk) == 0
    assert sum(row.rows for row in event_rows.windows(model)) == 240


def test_what_came_while_the_broker_was_away_is_found_later(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def away(_number: int) -> None:
        raise OperationalError("no broker")

    model = watched()
    monkeypatch.setattr(tasks.count_events, "delay", away)
    with django_capture_on_commit_callbacks(execute=True):
        send(model, made())
    assert waiting.found(clock.now()) == []
    assert waiting.found(clock.now() + timedelta(minutes=6)) == [("count_events", model.pk)]
    assert tasks.count_events(model.pk) == "1 batches of events counted, 0 labels weighed."
    assert waiting.found(clock.now() + timedelta(minutes=6)) == []


def test_events_wait_for_a_reference() -> None:
    model = world.model(window_grain="hour")
    counted(model, [*made(), {"id": "e1", "label": 1}])
    assert not event_rows.windows(model)
    assert not Prediction.objects.exists()
    row_files.reference(model, {"age": np.random.default_rng(5).normal(40, 10, size=1000).tolist()})
    assert events.count(model.pk) == 1
    assert [row.rows > 100 for row in event_rows.windows(model)] == [True, True]
    assert Prediction.objects.get().label == "1"


def test_a_window_keeps_the_reference_that_it_began_with() -> None:
    model, (sender, other) = watched(), (fleet.user("sender"), fleet.user("other"))
    first = references.active(model.pk)
    rows = made(size=400)
    early = [one for one in rows if one["at"] < event_rows.instant(60)]
    counted(model, early[:50])
    second = row_files.reference(model, {"age": [float(place) for place in range(500)]}, by=sender)
    references.decide(second.pk, is_accepted=True, note="It moved.", by=Actor("other", other))
    counted(model, early[50:])
    counted(model, [one for one in rows if one not in early])
    assert [row.reference for row in event_rows.windows(model)] == [first, second]
    assert first is not None
    began = count_window(Profile.from_json(first.profile), EventWindow([one["features"] for one in early])).to_json()
    before, after = event_rows.windows(model)
    assert counts_of(before) == counts_of(DataWindow(counts=json.loads(json.dumps(began))))
    assert [one["name"] for one in after.counts["columns"]] == ["age"]


def test_predictions_and_scores_count_under_the_names_that_the_reference_has() -> None:
    model = world.model(window_grain="hour", data={"prediction": "said", "score": "p", "label": "was"})
    chance = np.random.default_rng(6)
    held: dict[str, list[Any]] = {
        "p": chance.random(500).tolist(),
        "said": ["yes", "no"] * 250,
        "was": ["yes", "no"] * 250,
    }
    row_files.reference(model, held)
    sent = [event(place, prediction="yes", score=0.5) for place in range(20)]
    counted(model, [*sent, event(20, features={"said": "no"}), event(21, features={"other": 1})])
    (row,) = event_rows.windows(model)
    by_name = WindowCounts.from_json(row.counts).columns
    assert set(by_name) == {"said", "p"}
    assert (by_name["said"].inside, by_name["said"].nulls) == ((1, 20), 1)
    assert (sum(by_name["p"].inside), by_name["p"].nulls) == (20, 2)
