"""Labels of events: they find their predictions, tell performance, and go through the watch once."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from drift.findings import concepts
from drift.findings.concept import Watch, observe
from drift.models import ConceptWatch, Finding, Model, Prediction, Report, Score, WindowState
from drift.native import closing, events, labels, predictions, watching
from tests.alerts import world as alerts
from tests.drift import event_rows, row_files, world
from tests.drift.event_rows import counted, event, send

pytestmark = pytest.mark.django_db
CLASSES = {"prediction": "said", "label": "was"}
CHANCES = CLASSES | {"score": "p", "positive": "1"}
NUMBERS = CLASSES | {"task": "regression"}
Sent = list[dict[str, Any]]


def classifier(*, errors: float = 0.1, data: dict[str, Any] | None = None, name: str = "ranker") -> Model:
    alerts.set_clock(world.START)
    model = world.model(name, window_grain="hour", data=data or CLASSES)
    chance = np.random.default_rng(1)
    p = chance.random(2000)
    said = (p >= 0.5).astype(int)
    was = np.where(chance.random(2000) < errors, 1 - said, said)
    held = {"x": chance.normal(size=2000), "p": p, "said": said, "was": was}
    row_files.reference(model, {name: values.tolist() for name, values in held.items()})
    return model


def pairs(errors: float, size: int = 300, *, seed: int = 2, hour: int = 0) -> tuple[Sent, Sent]:
    """Predictions of an hour with ids, and their labels."""
    chance = np.random.default_rng(seed)
    p = chance.random(size)
    values, wrong = chance.normal(size=size).tolist(), (chance.random(size) < errors).tolist()
    made: Sent = []
    known: Sent = []
    for place, score in enumerate(p.tolist()):
        at, key, said = hour * 60 + place * 59 / size, f"{seed}-{place}", int(score >= 0.5)
        made.append(event(at, id=key, features={"x": values[place]}, prediction=said, score=score))
        known.append({"id": key, "label": 1 - said if wrong[place] else said, "at": event_rows.instant(at + 1)})
    return made, known


def together(made: Sent, known: Sent) -> Sent:
    return [one | {"label": label["label"]} for one, label in zip(made, known, strict=True)]


def stored(model: Model) -> list[tuple[Any, ...]]:
    rows = Prediction.objects.filter(model=model).order_by("event")
    return list(rows.values_list("event", "at", "value", "score", "label"))


def scores(model: Model, kind: str = "performance") -> dict[str, Score]:
    """Of the newest report."""
    report = Report.objects.filter(model=model).latest("pk")
    return {one.column: one for one in Score.objects.filter(report=report, kind=kind)}


def test_a_label_finds_its_prediction_whichever_comes_first() -> None:
    made, known = pairs(0.1, 40)
    found = []
    for name, batches in {
        "after": [made, known],
        "before": [known, made],
        "mixed": [known[:20] + made, known[20:]],
        "beside": [together(made, known)],
        "twice": [made, known, made[:10] + known[5:]],
    }.items():
        model = classifier(name=name)
        for batch in batches:
            send(model, batch)
        events.count(model.pk)
        found.append(stored(model))
        assert (labels.weigh(model.pk), labels.weigh(model.pk)) == (40, 0)
        assert sum(row.rows for row in event_rows.windows(model)) == 40
    assert found == [found[0]] * 5
    assert len(found[0]) == 40
    assert all(None not in row for row in found[0])


def test_a_label_that_came_stays_and_says_when() -> None:
    model = classifier()
    counted(model, [event(0, id="a", prediction=1)])
    received = alerts.set_clock(world.START + timedelta(hours=3))
    counted(model, [{"id": "a", "label": 1.0}, {"id": "b", "label": True, "at": event_rows.instant(70)}])
    counted(model, [{"id": "a", "label": 0}])
    rows = Prediction.objects.order_by("event").values_list("event", "at", "value", "label", "labelled_at")
    assert list(rows) == [
        ("a", world.START, "1", "1", received),
        ("b", None, None, "true", world.START + timedelta(minutes=70)),
    ]


def test_an_event_without_an_id_counts_for_labels_where_it_has_its_own() -> None:
    model = classifier()
    received = send(model, [event(0), event(1, prediction=1), event(2, prediction=1, label=0)])
    events.count(model.pk)
    assert stored(model) == [
        (f"batch:{received.batch_id}#2", world.START + timedelta(minutes=2), "1", None, "0"),
    ]
    assert labels.weigh(model.pk) == 1
    assert event_rows.windows(model)[0].rows == 3


def test_a_window_is_told_its_performance_and_again_when_labels_come_later() -> None:
    model = classifier(data=CHANCES | {"lateness": "5m"})
    made, known = pairs(0.45)
    counted(model, made)
    assert closing.close_due(alerts.set_clock(world.START + timedelta(minutes=65))) == 1
    assert not scores(model)
    assert scores(model, "estimate")["accuracy"].is_drifted is False, "inputs did not move"
    send(model, known[:150])
    counted(model, known[150:])
    assert [row.state for row in event_rows.windows(model)] == [WindowState.WAITING]
    assert closing.close_due(alerts.set_clock(world.START + timedelta(minutes=124))) == 0
    assert closing.close_due(alerts.set_clock(world.START + timedelta(minutes=125))) == 1
    found = scores(model)
    right = np.mean([one["prediction"] == label["label"] for one, label in zip(made, known, strict=True)])
    assert found["accuracy"].value == pytest.approx(right)
    assert found["accuracy"].is_drifted is True
    assert set(found) == {"accuracy", "f1", "auc"}
    assert not scores(model, "estimate")
    counted(model, known[:1])
    assert [row.state for row in event_rows.windows(model)] == [WindowState.COMPUTED], "nothing new"
    assert Report.objects.filter(model=model).count() == 2


def test_labels_touch_only_the_windows_of_their_predictions() -> None:
    model = classifier()
    for hour in range(3):
        made, known = pairs(0.1, 60, seed=hour, hour=hour)
        counted(model, made)
    assert closing.close_due(alerts.set_clock(world.START + timedelta(hours=4))) == 3
    counted(model, known[:1])
    assert [row.state for row in event_rows.windows(model)] == ["computed", "computed", "waiting"]


def test_few_labels_tell_no_performance() -> None:
    model = classifier(data=CLASSES)
    made, known = pairs(0.1)
    counted(model, made + known[:49])
    assert closing.close_due(alerts.set_clock(world.START + timedelta(hours=2))) == 1
    assert not scores(model)
    assert not scores(model, "estimate"), "without a class that the score is the chance of nothing is calibrated"


def test_scores_without_ids_are_enough_for_an_estimate() -> None:
    model = classifier(data=CHANCES)
    made, _ = pairs(0.1)
    counted(model, [{name: value for name, value in one.items() if name != "id"} for one in made])
    assert closing.close_due(alerts.set_clock(world.START + timedelta(hours=2))) == 1
    assert scores(model, "estimate")["accuracy"].value == pytest.approx(0.9, abs=0.03)


def regression(spread: float, size: int, seed: int) -> tuple[list[float], list[float]]:
    chance = np.random.default_rng(seed)
    said = chance.normal(size=size)
    return said.tolist(), (said + chance.normal(0, spread, size=size)).tolist()


def test_a_regression_is_judged_by_its_errors_and_watched_by_their_ranks() -> None:
    alerts.set_clock(world.START)
    model = world.model(window_grain="hour", data=NUMBERS)
    said, was = regression(1, 1000, 3)
    row_files.reference(model, {"said": said, "was": was})
    for hour, spread in enumerate((1, 4)):
        said, was = regression(spread, 400, 4 + hour)
        sent = [
            event(hour * 60 + place * 0.14, prediction=prediction, label=label)
            for place, (prediction, label) in enumerate(zip(said, was, strict=True))
        ]
        counted(model, [*sent, event(hour * 60, prediction="unknown", label=1)])
        assert labels.weigh(model.pk) == 401, "what is no number is done with"
        closing.close_due(alerts.set_clock(world.START + timedelta(hours=hour + 2)))
        found = scores(model)
        expected = np.mean(np.abs(np.asarray(said) - np.asarray(was)))
        assert found["mae"].value == pytest.approx(expected)
        assert {name: one.is_drifted for name, one in found.items()} == {"mae": hour == 1, "rmse": hour == 1}
    assert ConceptWatch.objects.get().rows == 800
    row = Finding.objects.get(signal="concept").evidence["row"]
    assert 400 <= row < 800


def test_a_regression_without_errors_to_rank_by_is_not_watched() -> None:
    model = world.model(window_grain="hour", data=NUMBERS)
    row_files.reference(model, {"said": [float(place) for place in range(500)]})
    counted(model, [event(place, prediction=1.0, label=2.0) for place in range(10)])
    assert (labels.weigh(model.pk), labels.weigh(model.pk)) == (10, 0)
    assert not ConceptWatch.objects.exists()


def drifting(model: Model) -> None:
    for hour, errors in enumerate((0.1, 0.1, 0.5, 0.1, 0.1)):
        counted(model, together(*pairs(errors, 400, seed=10 + hour, hour=hour)))


@pytest.mark.parametrize("portion", [7, 400, 5000])
def test_portions_of_any_size_give_the_same_watch_and_findings(monkeypatch: pytest.MonkeyPatch, portion: int) -> None:
    model = classifier()
    drifting(model)
    monkeypatch.setattr(labels, "PORTION", portion)
    assert labels.weigh(model.pk) == 2000
    rows = Prediction.objects.order_by("labelled_at", "pk")
    losses = [float(label != value) for label, value in rows.values_list("label", "value")]
    watch, changes = observe(Watch(), losses)
    held = ConceptWatch.objects.get()
    assert (watching.load(held.state), held.rows) == (watch, 2000)
    assert [change.change.value for change in changes] == ["opened", "closed"]
    finding = Finding.objects.get(signal="concept")
    assert (finding.evidence["row"], finding.closed_at is not None) == (changes[0].row, True)


@pytest.mark.parametrize("step", [(concepts, "record"), (watching, "packed")])
def test_a_worker_that_dies_weighs_nothing_and_the_next_one_finishes_once(
    monkeypatch: pytest.MonkeyPatch, step: tuple[Any, str]
) -> None:
    model = classifier()
    drifting(model)
    monkeypatch.setattr(labels, "PORTION", 1000)
    real, calls = getattr(*step), list[int]()

    def dies(*given: Any) -> Any:
        real(*given)
        calls.append(1)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*step, dies)
        with pytest.raises(KeyboardInterrupt):
            labels.weigh(model.pk)
    weighed = Prediction.objects.filter(is_weighed=True).count()
    held = ConceptWatch.objects.first()
    assert calls
    assert weighed == (held.rows if held else 0)
    assert not Finding.objects.exists()
    assert labels.weigh(model.pk) == 2000 - weighed
    assert labels.weigh(model.pk) == 0
    assert ConceptWatch.objects.get().rows == 2000
    assert Finding.objects.filter(signal="concept").count() == 1


def test_a_worker_that_dies_while_it_keeps_predictions_counts_no_events(monkeypatch: pytest.MonkeyPatch) -> None:
    model = classifier()
    made, known = pairs(0.1, 50)
    send(model, together(made, known))
    keep = predictions.keep

    def dies(*given: Any) -> None:
        keep(*given)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(predictions, "keep", dies)
        with pytest.raises(KeyboardInterrupt):
            events.count(model.pk)
    assert (event_rows.windows(model), stored(model)) == ([], [])
    assert events.count(model.pk) == 1
    assert ([row.rows for row in event_rows.windows(model)], len(stored(model))) == ([50], 50)


def test_the_watch_is_the_same_after_a_trip_through_the_database() -> None:
    model = world.model()
    chance = np.random.default_rng(7)
    watch, _ = observe(Watch(), [*chance.random(500), *(chance.random(333) / 3 + 0.6)])
    ConceptWatch.objects.create(model=model, state=watching.packed(watch))
    assert watching.load(ConceptWatch.objects.get().state) == watch
    assert watching.load({}) == Watch()
