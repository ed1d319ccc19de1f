"""What is known of rows that came here: within teams, page by page, and never more than asked for."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from drift import reads_native, reads_streams
from drift.findings.concept import Watch, observe
from drift.models import ConceptWatch, DataWindow, EventBatch, Model, Prediction
from drift.native import watching
from drift.reads_native import Bucket
from drift.reads_streams import BatchRow, StreamRow
from fleetledger.fleet.access import TeamScope
from fleetledger.lib.keyset import Cut
from tests.drift import sent_rows, world

pytestmark = pytest.mark.django_db
EVERYTHING, NOTHING = TeamScope.everything(), TeamScope.nothing()
ALL = Cut(100)


@pytest.fixture
def ranker() -> Model:
    return world.model("ranker", data=sent_rows.MEANINGS)


def of(model: Model) -> TeamScope:
    return TeamScope(fleet=False, team_ids=frozenset({model.owner_id}))


def test_each_team_sees_its_own_rows_alone(ranker: Model) -> None:
    other = world.model("other", data=sent_rows.MEANINGS)
    held, window = sent_rows.reference(ranker), sent_rows.window(ranker, 0)
    sent_rows.reference(other)
    assert [row.id for row in reads_native.references(teams=of(ranker), cut=ALL)] == [held.pk]
    assert [row.id for row in reads_native.windows(teams=of(ranker), cut=ALL)] == [window.pk]
    stranger = of(other)
    assert window.report_id is not None
    assert reads_native.references("ranker", teams=stranger, cut=ALL) == []
    assert reads_native.windows("ranker", teams=stranger, cut=ALL) == []
    assert reads_native.reference(held.pk, teams=stranger) is None
    assert reads_native.active("ranker", teams=stranger) is None
    assert reads_native.proposed("ranker", teams=stranger) == 0
    assert reads_native.window(window.pk, teams=stranger) is None
    assert (reads_native.compared(held.pk, teams=stranger), reads_native.compared(held.pk, teams=of(ranker))) == (0, 1)
    assert reads_native.reference_columns(held.pk, teams=stranger) == ()
    assert reads_native.bars(window.report_id, "age", teams=stranger) == ()
    assert reads_streams.streams("ranker", teams=stranger) is None
    assert reads_streams.streams("ranker", teams=NOTHING) is None


def test_numbers_beyond_the_database_are_no_rows() -> None:
    assert reads_native.reference(2**63, teams=EVERYTHING) is None
    assert reads_native.window(2**63, teams=EVERYTHING) is None
    assert reads_native.reference_columns(2**63, teams=EVERYTHING) == ()
    assert reads_native.bars(2**63, "age", teams=EVERYTHING) == ()


def test_names_that_no_model_can_have_find_nothing(ranker: Model) -> None:
    sent_rows.reference(ranker)
    assert reads_native.references("ran\x00ker", teams=EVERYTHING, cut=ALL) == []
    assert reads_native.windows("ran\x00ker", teams=EVERYTHING, cut=ALL) == []
    assert reads_streams.streams("ran\x00ker", teams=EVERYTHING) is None


def test_windows_are_paged_by_their_end_in_both_directions(ranker: Model) -> None:
    for number in (2, 0, 3, 1, 3):
        DataWindow.objects.create(
            model=ranker,
            source="file",
            window_from=world.day(number).start,
            window_to=world.day(number).end,
            received_at=world.START,
            changed_at=world.START,
        )
    ordered = [row.id for row in reads_native.windows("ranker", teams=EVERYTHING, cut=ALL)]
    ends = [row.window_to for row in reads_native.windows("ranker", teams=EVERYTHING, cut=ALL)]
    assert ends == sorted(ends, reverse=True)
    found: list[int] = []
    beside: int | None = None
    while page := reads_native.windows("ranker", teams=EVERYTHING, cut=Cut(2), beside=beside)[:2]:
        found += [row.id for row in page]
        beside = page[-1].id
    assert found == ordered
    back = reads_native.windows("ranker", teams=EVERYTHING, cut=Cut(2, backwards=True), beside=ordered[3])
    assert [row.id for row in back] == [ordered[2], ordered[1], ordered[0]]
    assert reads_native.windows("ranker", teams=EVERYTHING, cut=ALL, beside=10**9) == []


def test_lists_ask_once_however_many_rows(ranker: Model) -> None:
    sent_rows.reference(ranker)
    for number in range(4):
        sent_rows.window(ranker, number)
        sent_rows.reference(ranker, sent_rows.csv(30 + number))
    with CaptureQueriesContext(connection) as seen:
        assert len(reads_native.references("ranker", teams=EVERYTHING, cut=ALL)) == 5
        assert len(reads_native.windows("ranker", teams=EVERYTHING, cut=ALL)) == 4
    assert len(seen) == 2
    heavy = ('"counts"', '"profile"', '"seasons"', '"baseline"', '"content"')
    assert not [name for query in seen.captured_queries for name in heavy if name in query["sql"]]


def test_a_reference_tells_shares_of_all_rows(ranker: Model) -> None:
    lines = ["age,device", *(f"{number / 4},{'phone' if number % 2 else ''}" for number in range(400))]
    held = sent_rows.reference(ranker, "\n".join(lines).encode())
    age, device = reads_native.reference_columns(held.pk, teams=EVERYTHING)
    assert (age.kind, age.low, age.high, age.null_share, age.distinct) == ("numerical", 0, 99.75, 0, None)
    assert sum(bucket.share for bucket in age.buckets) == pytest.approx(1)
    assert (device.kind, device.null_share, device.distinct) == ("categorical", 0.5, 1)
    assert device.buckets == (Bucket("phone", 0.5), Bucket("null", 0.5))


def test_bars_of_a_window_stand_beside_those_of_its_reference(ranker: Model) -> None:
    sent_rows.reference(ranker)
    window = sent_rows.window(ranker, 0, sent_rows.csv(3).replace(b",phone,", b",tablet,"))
    assert window.report_id is not None
    bars = {bar.label: bar for bar in reads_native.bars(window.report_id, "device", teams=EVERYTHING)}
    assert set(bars) == {"desk", "phone", "new"}
    assert (bars["phone"].window_share, bars["new"].reference_share) == (0, 0)
    assert reads_native.bars(window.report_id, "no-such-column", teams=EVERYTHING) == ()


def test_a_model_without_events_has_an_empty_stream(ranker: Model) -> None:
    found = reads_streams.streams("ranker", teams=EVERYTHING)
    assert found == StreamRow(None, 0, 0, 0, 0, None, None)
    assert (found.is_used, found.labelled_share) == (False, None)


def test_a_stream_tells_what_waits_and_what_has_labels(ranker: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    at = world.START
    for number, counted in enumerate((at, None, None)):
        EventBatch.objects.create(
            model=ranker,
            key=str(number),
            digest="x",
            events=10 + number,
            content=b"x",
            received_at=at + timedelta(minutes=number),
            received_from="token serving",
            counted_at=counted,
        )
    for number in range(5):
        Prediction.objects.create(
            model=ranker,
            event=str(number),
            at=at + timedelta(minutes=number),
            value="1",
            label="1" if number % 2 else None,
            labelled_at=at + timedelta(hours=number) if number % 2 else None,
        )
    Prediction.objects.create(model=ranker, event="label alone", label="1", labelled_at=at)
    found = reads_streams.streams("ranker", teams=EVERYTHING)
    assert found is not None
    last = EventBatch.objects.latest("pk")
    assert found.last == BatchRow(last.pk, 12, at + timedelta(minutes=2), "token serving", None)
    assert (found.waiting_batches, found.waiting_events) == (2, 23)
    assert (found.labelled, found.unlabelled, found.last_label_at) == (2, 3, at + timedelta(hours=3))
    monkeypatch.setattr(reads_streams, "LABELS_OF_LAST", 2)
    found = reads_streams.streams("ranker", teams=EVERYTHING)
    assert found is not None
    assert (found.labelled, found.unlabelled) == (1, 1)


def test_the_watch_over_losses_says_where_it_stands(ranker: Model) -> None:
    watch, changes = observe(Watch(), [0.0] * 400 + [1.0] * 400)
    assert changes
    ConceptWatch.objects.create(model=ranker, state=watching.packed(watch), rows=800, until=world.day(3).end)
    found = reads_streams.streams("ranker", teams=EVERYTHING)
    assert found is not None
    assert found.concept is not None
    assert (found.concept.is_open, found.concept.rows, found.concept.usual) == (True, 800, 0.0)
    assert found.concept.mean > 0.9
    assert found.is_used
