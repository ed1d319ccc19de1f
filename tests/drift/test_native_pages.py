"""The pages about rows that are computed here: what they show, who may send and decide, and what strangers see."""

import html
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from drift import figures_findings, tasks
from drift.errors import UnreadableDataError
from drift.models import (
    ConceptWatch,
    DataWindow,
    EventBatch,
    Finding,
    Model,
    Prediction,
    Reference,
    ReferenceState,
    WindowState,
)
from drift.reviews.histograms import Bar
from fleetledger.fleet.models import Role, User
from monitoring.alerts import clock
from tests import world as fleet
from tests.drift import sent_rows, world
from tests.drift.findings import finding

pytestmark = pytest.mark.django_db
NEW = "/drift/data/new/"


@pytest.fixture
def ranker() -> Model:
    return world.model("ranker", data=sent_rows.MEANINGS)


@pytest.fixture
def lead(ranker: Model) -> User:
    return fleet.member(ranker.owner, role=Role.LEAD)


@pytest.fixture
def page(lead: User) -> Client:
    return signed_in(lead)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(client: Client, path: str) -> str:
    """What a reader sees, without marks."""
    answer = client.get(path)
    assert answer.status_code == 200, path
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.content.decode())))


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as seen:
        assert client.get(path).status_code == 200
    return len(seen)


def csv(client: Client, path: str) -> list[str]:
    return b"".join(client.get(path)).decode().splitlines()


def upload(content: bytes | None = None, **fields: str) -> dict[str, object]:
    file = SimpleUploadedFile("rows.csv", sent_rows.csv() if content is None else content)
    return {"model": "ranker", "kind": "reference", "file": file, **fields}


def test_a_model_without_rows_says_how_to_send_a_reference(page: Client, ranker: Model) -> None:
    answer = page.get("/drift/models/ranker/").content.decode()
    assert "Nothing is computed here yet" in answer
    assert 'data-copy="fleetledger import-drift --model ranker --as reference rows.parquet"' in answer
    assert "POST /api/v1/drift/references?model=ranker" in answer
    assert 'href="/drift/data/new/?model=ranker"' in answer
    assert 'id="windows"' not in answer
    assert "Nothing is computed here yet" in text(page, "/drift/models/ranker/references/")
    assert "No window yet" in text(page, "/drift/models/ranker/windows/")


def test_the_models_page_has_its_references_and_windows(page: Client, ranker: Model, lead: User) -> None:
    sent_rows.reference(ranker, by=lead, note="Rows of the training set")
    done = sent_rows.window(ranker, 0)
    sent_rows.window(ranker, 1, is_complete=False)
    sent_rows.reference(ranker, sent_rows.csv(9), by=lead)
    seen = text(page, "/drift/models/ranker/")
    for words in ("1 waits for a review", "Rows of the training set", "400 in 3 columns", "2 Nov 2026", "not complete"):
        assert words in seen
    assert done.report is not None
    assert f'href="/drift/reports/{done.report.pk}/"' in page.get("/drift/models/ranker/").content.decode()


def test_a_page_of_many_references_and_windows_asks_no_more_often(page: Client, ranker: Model) -> None:
    sent_rows.reference(ranker)
    sent_rows.window(ranker, 0)
    paths = [f"/drift/models/ranker/{path}" for path in ("", "references/", "windows/")]
    before = [queries(page, path) for path in paths]
    for number in range(1, 4):
        sent_rows.window(ranker, number)
        sent_rows.reference(ranker, sent_rows.csv(20 + number))
    assert [queries(page, path) for path in paths] == before


def test_a_reference_shows_its_columns_with_bars_and_gives_them_as_csv(page: Client, ranker: Model) -> None:
    held = sent_rows.reference(ranker)
    answer = page.get(f"/drift/references/{held.pk}/").content.decode()
    assert answer.count('class="share-bars"') == 3
    assert answer.count("<rect class") == 10 + 2 + 2
    seen = text(page, f"/drift/references/{held.pk}/")
    for words in ("numerical", "categorical", "2 categories", "windows are compared with it"):
        assert words in seen
    assert "device" not in text(page, f"/drift/references/{held.pk}/?q=age").partition("Columns Each bar")[2]
    lines = csv(page, f"/drift/references/{held.pk}/?format=csv")
    assert lines[0] == "column,kind,rows,null_share,low,high,bucket,share"
    assert [line.split(",")[0] for line in lines[1:]] == ["age"] * 10 + ["device"] * 2 + ["said"] * 2
    assert sum(float(line.split(",")[-1]) for line in lines[1:]) == pytest.approx(3)


def test_nulls_of_a_reference_are_a_grey_bar_and_a_share(page: Client, ranker: Model) -> None:
    content = sent_rows.csv().replace(b",phone,", b",,")
    held = sent_rows.reference(ranker, content)
    lines = csv(page, f"/drift/references/{held.pk}/?format=csv")
    null = next(line for line in lines if line.split(",")[-2] == "null")
    assert null.split(",")[3] == null.split(",")[-1]
    assert 'class="odd"' in page.get(f"/drift/references/{held.pk}/").content.decode()


def test_a_reference_of_a_findings_windows_leads_to_it(page: Client, ranker: Model) -> None:
    held, found = sent_rows.reference(ranker), finding(ranker)
    made = Reference.objects.create(
        model=ranker, version=2, state="proposed", finding=found, profile=held.profile, received_at=world.START
    )
    seen = page.get(f"/drift/references/{made.pk}/").content.decode()
    assert f'href="/drift/findings/{found.pk}/">finding {found.pk}</a>' in seen
    assert "Reference 2" in text(page, "/drift/models/ranker/")


def test_an_unreadable_reference_says_why(page: Client, ranker: Model) -> None:
    with pytest.raises(UnreadableDataError):
        sent_rows.reference(ranker, b"PAR1 is not all that Parquet needs")
    held = Reference.objects.get()
    assert held.state == ReferenceState.UNREADABLE
    seen = text(page, f"/drift/references/{held.pk}/")
    assert "It cannot be read" in seen
    assert held.trouble[:40] in seen
    assert held.trouble[:40] in text(page, "/drift/models/ranker/references/")


def test_a_waiting_reference_is_followed(page: Client, ranker: Model) -> None:
    answer = page.post(NEW, upload(note="Of the training set"), follow=True)
    held = Reference.objects.get()
    assert answer.redirect_chain == [(f"/drift/references/{held.pk}/", 302)]
    Reference.objects.filter(pk=held.pk).update(state=ReferenceState.WAITING)
    seen = page.get(f"/drift/references/{held.pk}/").content.decode()
    assert f'hx-get="/drift/references/{held.pk}/"' in seen
    assert "Of the training set" in seen


def test_sent_rows_are_read_by_a_worker_and_compared(page: Client, ranker: Model) -> None:
    page.post(NEW, upload())
    held = Reference.objects.get()
    tasks.read_reference(held.pk)
    fields = {"kind": "window", "from": "2026-11-01T00:00", "to": "2026-11-02T00:00"}
    answer = page.post(NEW, upload(sent_rows.csv(5), **fields))
    made = DataWindow.objects.get()
    assert answer.headers["Location"] == f"/drift/models/ranker/windows/?sent={made.pk}"
    tasks.read_window(made.pk)
    assert "Computed: 1 Nov 2026" in text(page, f"/drift/models/ranker/windows/?sent={made.pk}")
    assert (made.is_complete, made.window_to - made.window_from) == (True, timedelta(days=1))


def test_the_same_rows_again_change_nothing(page: Client, ranker: Model) -> None:
    sent_rows.reference(ranker)
    answer = page.post(NEW, upload(), follow=True).content.decode()
    assert "The same rows are reference 1 already: nothing changed." in answer
    assert Reference.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"model": "nobody"}, "Choose a model of yours and a file first."),
        ({"kind": "window"}, "Say from when until when the rows of a window are."),
        ({"kind": "window", "from": "2026-11-02T00:00"}, "Say from when until when"),
        ({"kind": "window", "from": "2026-11-02T00:00", "to": "2026-11-01T00:00"}, "A window ends after it begins"),
        ({"kind": "window", "from": "\x00", "to": "no"}, "A window ends after it begins"),
        ({"kind": "window", "from": "2026-11-01T00:00", "to": "2026-11-02T00:00"}, "has no active reference"),
    ],
)
def test_what_is_wrong_with_a_form_is_said_on_it(
    page: Client, ranker: Model, fields: dict[str, str], words: str
) -> None:
    assert words in page.post(NEW, upload() | fields).content.decode()
    assert (Reference.objects.count(), DataWindow.objects.count()) == (0, 0)


def test_an_empty_file_and_a_huge_one_are_refused(page: Client, ranker: Model, settings: Any) -> None:
    assert "empty" in page.post(NEW, upload(b"")).content.decode()
    settings.DRIFT_DATA_MAX_BYTES = 1000
    assert "larger than 1000 bytes" in page.post(NEW, upload()).content.decode()
    assert Reference.objects.count() == 0


def test_the_form_keeps_what_was_typed(page: Client, ranker: Model) -> None:
    typed = {"kind": "window", "from": "2026-11-01T00:00", "complete": "no"}
    answer = page.post(NEW, upload(b"") | typed)
    seen = answer.content.decode()
    assert 'value="2026-11-01T00:00"' in seen
    assert '<option value="window" selected>' in seen
    assert '<option value="no" selected>' in seen


def test_a_proposed_reference_is_accepted_and_takes_over(page: Client, ranker: Model) -> None:
    first, second = sent_rows.reference(ranker), sent_rows.reference(ranker, sent_rows.csv(2, extra="more"))
    path = f"/drift/references/{second.pk}/"
    seen = text(page, path)
    assert "takes the place of reference 1" in seen
    assert "Columns new: more." in seen
    assert "Choose whether" in page.post(f"{path}decision/", {}, follow=True).content.decode()
    assert "needs a note" in page.post(f"{path}decision/", {"decision": "accept"}, follow=True).content.decode()
    answer = page.post(f"{path}decision/", {"decision": "accept", "note": "It has the new column."}, follow=True)
    assert "Windows are compared with it from now on." in answer.content.decode()
    assert [Reference.objects.get(pk=one.pk).state for one in (first, second)] == ["retired", "active"]
    assert "It has the new column." in text(page, path)
    again = page.post(f"{path}decision/", {"decision": "refuse", "note": "Late."}, follow=True).content.decode()
    assert "Only one that waits for a review is decided, and once." in again


def test_a_refused_reference_is_never_used(page: Client, ranker: Model) -> None:
    first, second = sent_rows.reference(ranker), sent_rows.reference(ranker, sent_rows.csv(2))
    path = f"/drift/references/{second.pk}/"
    page.post(f"{path}decision/", {"decision": "refuse", "note": "Half of the rows are tests."})
    assert [Reference.objects.get(pk=one.pk).state for one in (first, second)] == ["active", "refused"]
    assert "never used" in text(page, path)


def test_in_production_another_person_decides(page: Client, ranker: Model, lead: User) -> None:
    Model.objects.update(is_production=True)
    sent_rows.reference(ranker, by=lead)
    second = sent_rows.reference(ranker, sent_rows.csv(2), by=lead)
    path = f"/drift/references/{second.pk}/"
    body = {"decision": "accept", "note": "Fine."}
    seen = page.get(path).content.decode()
    assert "you sent this reference, so another person decides" in seen
    assert "decision-note" not in seen
    page.post(f"{path}decision/", body)
    assert Reference.objects.get(pk=second.pk).state == ReferenceState.PROPOSED
    other = signed_in(fleet.member(ranker.owner, role=Role.LEAD))
    assert "who sent a reference does not decide about it" in text(other, path)
    other.post(f"{path}decision/", body)
    assert Reference.objects.get(pk=second.pk).state == ReferenceState.ACTIVE


def test_windows_are_filtered_by_state_and_tell_what_could_not_be_read(page: Client, ranker: Model) -> None:
    sent_rows.reference(ranker)
    sent_rows.window(ranker, 0)
    with pytest.raises(UnreadableDataError):
        sent_rows.window(ranker, 1, b"id,age,device,said,label\n")
    bad = DataWindow.objects.get(state=WindowState.UNREADABLE)
    assert bad.trouble in text(page, "/drift/models/ranker/windows/")
    assert "1 cannot be read" in text(page, "/drift/models/ranker/windows/")
    lines = csv(page, "/drift/models/ranker/windows/?format=csv&state=unreadable")
    assert (len(lines), lines[1].split(",")[4], lines[0].split(",")[4]) == (2, "unreadable", "state")
    assert len(csv(page, "/drift/models/ranker/windows/?format=csv&state=no-such-state")) == 3
    assert "No such window" in text(page, "/drift/models/ranker/windows/?state=waiting")


def test_a_hundred_windows_are_paged_by_their_end(page: Client, ranker: Model) -> None:
    held = sent_rows.reference(ranker)
    DataWindow.objects.bulk_create(
        DataWindow(
            model=ranker,
            reference=held,
            source="events",
            state="computed",
            window_from=(span := sent_rows.hours(world.START + timedelta(hours=number), 1)).start,
            window_to=span.end,
            received_at=world.START,
            changed_at=world.START,
        )
        for number in range(120)
    )
    path, seen = "/drift/models/ranker/windows/", []
    while path:
        answer = page.get(path).content.decode()
        seen.append(answer.count('class="main"'))
        older = re.search(r'rel="next" href="([^"#]+)', answer)
        path = older[1] if older else ""
    assert seen == [50, 50, 20]
    assert text(page, "/drift/models/ranker/windows/?before=999999999").count("No such window") == 1
    assert len(csv(page, "/drift/models/ranker/windows/?format=csv")) == 121


def test_a_reference_of_a_thousand_columns_is_paged_and_quick(page: Client, ranker: Model) -> None:
    names = ",".join(f"c{number:04d}" for number in range(1000))
    line = ",".join("1" for _ in range(1000))
    held = sent_rows.reference(ranker, f"{names}\n{line}\n{line}\n".encode())
    answer = page.get(f"/drift/references/{held.pk}/").content.decode()
    assert answer.count('class="share-bars"') == 50
    assert "c0999" in text(page, f"/drift/references/{held.pk}/?page=20")


def test_marks_in_names_are_shown_as_text(page: Client, ranker: Model) -> None:
    held = sent_rows.reference(ranker, b"<script>x</script>\na\nb\n", note="<b>bold</b>")
    answer = page.get(f"/drift/references/{held.pk}/").content.decode()
    assert "<script>x" not in answer
    assert "&lt;b&gt;bold" in answer


def test_events_and_the_watch_over_losses_are_told(page: Client, ranker: Model) -> None:
    now = clock.now()
    EventBatch.objects.create(
        model=ranker, key="a", digest="a", events=30, content=b"", received_at=now, received_from="token serving"
    )
    for number in range(4):
        Prediction.objects.create(
            model=ranker, event=str(number), at=now, value="1", label="1" if number else None, labelled_at=now
        )
    ConceptWatch.objects.create(model=ranker, rows=3, state={"is_open": True, "usual": 0.05})
    seen = text(page, "/drift/models/ranker/")
    for words in (
        "Events and labels",
        "30 events",
        "from token serving",
        "75% of the last 4 predictions",
        "the loss rose and has not come back",
        "0.05 before the rise",
    ):
        assert words in seen


def test_a_findings_bars_come_from_the_rows_of_its_window(page: Client, ranker: Model) -> None:
    sent_rows.reference(ranker)
    for number in range(4):
        sent_rows.window(ranker, number, sent_rows.csv(50 + number, shift=3.0).replace(b",phone,", b",tablet,"))
    found = Finding.objects.get(signal="column:device")
    figure = json.loads(page.get(f"/drift/findings/{found.pk}/figures/histogram.json").content)
    reference, window = (dict(zip(one["x"], one["y"], strict=True)) for one in figure["data"])
    assert set(reference) == {"desk", "phone", "new"}
    assert (reference["new"], window["phone"]) == (0, 0)
    assert sum(reference.values()) == pytest.approx(100)
    assert sum(window.values()) == pytest.approx(100)
    assert "Share of rows by bucket" in text(page, f"/drift/findings/{found.pk}/")
    assert figure["layout"]["yaxis"]["title"]["text"] == "share of rows"


def test_many_buckets_are_drawn_as_few_and_each_has_a_name_of_its_own() -> None:
    bars = tuple(Bar(f"{'a' * 30}{number}", 0.01, number / 4950) for number in range(100))
    figure = figures_findings.histogram(bars)
    assert len(set(figure.data[0]["x"])) == figures_findings.MOST_BARS
    assert figure.data[0]["x"][-1] == "61 others"
    assert [sum(one["y"]) for one in figure.data] == [pytest.approx(100), pytest.approx(100)]


def test_strangers_see_nothing_and_viewers_only_look(ranker: Model) -> None:
    sent_rows.reference(ranker)
    sent_rows.window(ranker, 0)
    held = sent_rows.reference(ranker, sent_rows.csv(2))
    paths = [f"/drift/references/{held.pk}/", f"/drift/references/{held.pk}/?format=csv"]
    paths += [
        "/drift/models/ranker/references/",
        "/drift/models/ranker/windows/",
        "/drift/models/ranker/windows/?sent=1",
    ]
    decision = f"/drift/references/{held.pk}/decision/"
    stranger = signed_in(fleet.member(fleet.team("others"), role=Role.LEAD))
    viewer = signed_in(fleet.member(ranker.owner))
    assert [stranger.get(path).status_code for path in paths] == [404] * 5
    assert stranger.post(decision, {"decision": "accept", "note": "Mine."}).status_code == 404
    assert [viewer.get(path).status_code for path in paths] == [200] * 5
    assert viewer.post(decision, {"decision": "accept", "note": "Mine."}).status_code == 403
    assert "A lead of its team or an SRE decides." in text(viewer, paths[0])
    assert "Send rows" not in text(viewer, "/drift/models/ranker/")
    assert "None of these models takes rows from you" in text(viewer, NEW)
    for client in (stranger, viewer):
        assert "Choose a model of yours" in client.post(NEW, upload(sent_rows.csv(7))).content.decode()
    assert (Reference.objects.count(), Reference.objects.filter(state="active").count()) == (2, 1)


@pytest.mark.parametrize("path", ["/drift/references/1/", "/drift/models/ranker/windows/", NEW])
def test_who_is_not_signed_in_is_asked_to(client: Client, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/sign-in/?next=")


@pytest.mark.parametrize(
    "path",
    [
        "/drift/references/0/",
        f"/drift/references/{2**63}/",
        "/drift/models/none/windows/",
        "/drift/models/none/references/",
    ],
)
def test_what_is_not_there_is_404(page: Client, path: str) -> None:
    assert page.get(path).status_code == 404


def test_a_fact_that_opens_nothing_is_noted_in_the_report(page: Client, ranker: Model) -> None:
    sent_rows.reference(ranker)
    window = sent_rows.window(ranker, 0, sent_rows.csv(5).replace(b",phone,", b",tablet,", 1))
    seen = text(page, f"/drift/reports/{window.report_id}/")
    assert "device Noted" in seen
    assert "Raised" not in seen
