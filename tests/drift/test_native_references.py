"""References and windows as they are kept: versions that people accept, limits, what cannot be read, and crashes."""

import io
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import IntegrityError, transaction

from drift.errors import (
    DataTooLargeError,
    EmptyDataError,
    NoNoteError,
    NoReferenceError,
    NotProposedError,
    SenderDecidesError,
    UnreadableDataError,
)
from drift.ingest import Sender
from drift.mitigation import acts
from drift.mitigation.errors import SecondPersonError
from drift.models import (
    DataBlock,
    DataWindow,
    MitigationKind,
    Reference,
    ReferenceState,
    Report,
    WindowState,
)
from drift.native import computing, reading, references, waiting, windows
from drift.reviews import histograms
from drift.reviews.errors import NotAPersonError
from drift.reviews.verdicts import Person
from fleetledger.fleet.models import Job, JobState
from monitoring.alerts import clock
from monitoring.alerts.acts import Actor
from tests import world as fleet
from tests.drift import row_files as rows
from tests.drift import world
from tests.drift.row_files import facts, live, scores

pytestmark = pytest.mark.django_db
COMPATIBLE = {"recipe": "evidently-compatible"}


def test_the_same_rows_of_the_same_window_are_known() -> None:
    model = world.model()
    held = {"a": list(range(500))}
    assert rows.reference(model, held).pk == rows.reference(model, held).pk
    assert rows.window(model, held).pk == rows.window(model, held).pk
    assert rows.window(model, held, 1).pk != rows.window(model, held).pk
    assert Report.objects.filter(model=model).count() == 2


def test_a_later_reference_waits_for_a_person_and_windows_keep_theirs() -> None:
    model = world.model(is_production=True)
    sender, other = fleet.user("sender"), fleet.user("other")
    chance = np.random.default_rng(13)
    first = rows.reference(model, {"a": chance.normal(size=1000)}, by=sender)
    before = rows.window(model, {"a": chance.normal(4, 1, size=500)}, 0)
    second = rows.reference(model, {"a": chance.normal(4, 1, size=1000)}, by=sender)
    assert (second.version, second.state) == (2, ReferenceState.PROPOSED)
    for wrong, by in ((SenderDecidesError, Actor("sender", sender)), (NotAPersonError, Actor("a program"))):
        with pytest.raises(wrong):
            references.decide(second.pk, is_accepted=True, note="It moved.", by=by)
    with pytest.raises(NoNoteError):
        references.decide(second.pk, is_accepted=True, note=" ", by=Actor("other", other))
    references.decide(second.pk, is_accepted=True, note="It moved.", by=Actor("other", other))
    first.refresh_from_db()
    assert (first.state, references.active(model.pk)) == ("retired", second)
    after = rows.window(model, {"a": chance.normal(4, 1, size=500)}, 1)
    assert (scores(before)["a"].is_drifted, scores(after)["a"].is_drifted) == (True, False)
    assert (before.reference_id, after.reference_id) == (first.pk, second.pk)
    with pytest.raises(NotProposedError):
        references.decide(second.pk, is_accepted=False, note="No.", by=Actor("other", other))


def test_what_a_reference_holds_never_changes() -> None:
    reference = rows.reference(world.model(), {"a": list(range(500))})
    changes: tuple[dict[str, Any], ...] = ({"profile": {}}, {"rows": 1}, {"baseline": {"a": 1}}, {"version": 7})
    for change in changes:
        with pytest.raises(IntegrityError), transaction.atomic():
            Reference.objects.filter(pk=reference.pk).update(**change)
    with pytest.raises(IntegrityError), transaction.atomic():
        Reference.objects.filter(pk=reference.pk).delete()


def test_a_window_needs_a_reference_and_rows_within_the_limit(settings: Any) -> None:
    model = world.model()
    with pytest.raises(NoReferenceError, match="import-drift --model ranker --as reference"):
        rows.window(model, {"a": [1]})
    with pytest.raises(EmptyDataError):
        references.receive_now(model, io.BytesIO(b""), sender=Sender(name="t"))
    settings.DRIFT_DATA_MAX_BYTES = 1000
    with pytest.raises(DataTooLargeError):
        references.receive_now(model, io.BytesIO(b"x" * 1001), sender=Sender(name="t"))
    assert not Reference.objects.exists()
    assert not DataBlock.objects.exists()


@pytest.mark.parametrize("content", [b"PAR1 and then nothing", b"a,a\n1,2\n", b"a,b\n", b"\x00\x01\x02\xff"])
def test_what_cannot_be_read_is_kept_with_the_reason(content: bytes) -> None:
    model = world.model()
    with pytest.raises(UnreadableDataError):
        references.receive_now(model, io.BytesIO(content), name="odd.parquet", sender=Sender(name="t"))
    kept = Reference.objects.get()
    assert kept.state == ReferenceState.UNREADABLE
    assert kept.trouble
    assert DataBlock.objects.filter(file=kept.file).exists()
    rows.reference(model, {"a": list(range(300))})
    with pytest.raises(UnreadableDataError):
        windows.receive_now(model, io.BytesIO(content), world.day(0), name="odd", sender=Sender(name="t"))
    row = DataWindow.objects.get()
    assert (row.state, row.report) == (WindowState.UNREADABLE, None)
    assert row.trouble


def test_a_worker_that_dies_leaves_nothing_behind_and_the_next_one_finishes_once(
    monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    model = world.model()
    rows.reference(model, {"a": list(range(500))})
    with django_capture_on_commit_callbacks():
        row = windows.receive(model, rows.parquet({"a": list(range(400))}), world.day(0), sender=Sender(name="t"))
    settle = computing.settle

    def dies(*given: Any, **named: Any) -> Report:
        settle(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(computing, "settle", dies)
        with pytest.raises(KeyboardInterrupt):
            reading.read_window(row.pk)
    row.refresh_from_db()
    assert (row.state, Report.objects.count()) == ("waiting", 0)
    assert waiting.found(clock.now() + timedelta(minutes=6)) == [("read_window", row.pk)]
    reading.read_window(row.pk)
    reading.read_window(row.pk)
    row.refresh_from_db()
    assert (row.state, Report.objects.count()) == ("computed", 1)
    assert waiting.found(clock.now() + timedelta(minutes=6)) == []


def test_the_job_of_a_file_tells_how_it_ended(django_capture_on_commit_callbacks: Any) -> None:
    model = world.model()
    with django_capture_on_commit_callbacks():
        good = references.receive(model, rows.parquet({"a": [1, 2, 3]}), sender=Sender(name="t"))
        bad = references.receive(model, io.BytesIO(b"PAR1 no"), sender=Sender(name="t"))
    reading.read_reference(good.pk)
    reading.read_reference(bad.pk)
    states = dict(Job.objects.values_list("pk", "state"))
    assert good.job_id is not None
    assert bad.job_id is not None
    assert (states[good.job_id], states[bad.job_id]) == (JobState.DONE, JobState.FAILED)
    assert Job.objects.get(pk=bad.job_id).error


def test_the_card_gets_its_bars() -> None:
    model = world.model()
    rows.reference(model, {"plan": ["a"] * 600 + ["b"] * 400})
    row = rows.window(model, {"plan": ["a"] * 250 + ["b"] * 100 + ["c"] * 100 + [None] * 50})
    bars = histograms.bars(row.report_id, "plan")
    assert [(bar.label, bar.reference_share, bar.window_share) for bar in bars] == [
        ("a", 0.6, 0.5), ("b", 0.4, 0.2), ("new", 0.0, 0.2), ("null", 0.0, 0.1),
    ]  # fmt: skip
    assert histograms.bars(row.report_id, "nothing") == ()
    assert histograms.bars(world.report(model).pk, "plan") == ()


def test_a_new_reference_that_two_people_wanted_makes_the_drift_usual() -> None:
    model, chance = world.model(), np.random.default_rng(14)

    def made(size: int, shift: float, plans: list[str]) -> dict[str, Any]:
        return {"a": chance.normal(shift, 1, size=size), "plan": chance.choice(plans, size)}

    rows.reference(model, made(1000, 0, ["x", "y"]))
    for day in range(6):
        rows.window(model, made(500, 0.9, ["x", "y", "z"]), day)
    found = live(model)
    assert set(found) == {"column:a", "column:plan"}
    first, second = (Person(name, fleet.user(name)) for name in ("first", "second"))
    asked = acts.propose(found["column:a"], MitigationKind.NEW_REFERENCE, "Prices rose.", first)
    with pytest.raises(SecondPersonError):
        acts.approve(asked.pk, "", first)
    done = acts.approve(asked.pk, "Seen in the shop too.", second)
    assert done.state == "succeeded"
    active = references.active(model.pk)
    assert active is not None
    assert (active.version, active.finding_id, active.rows) == (2, found["column:a"].pk, 2000)
    for day in range(6, 12):
        row = rows.window(model, made(500, 0.9, ["x", "y", "z"]), day)
        assert [one.is_drifted for one in scores(row).values()] == [False, False]
        assert not [one for one in facts(row).values() if one.is_drifted]
    assert not live(model)
    back = rows.window(model, made(500, 0, ["x", "y", "z"]), 12)
    assert scores(back)["a"].is_drifted is True
