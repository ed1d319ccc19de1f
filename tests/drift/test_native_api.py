"""Rows by API: references that people decide about, windows that are computed, and their bars."""

import csv
import gzip
import io
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from drift import tasks
from drift.ingest import Sender
from drift.models import DataBlock, DataFile, DataWindow, Model, Reference
from drift.native import reading, references, windows
from fleetledger.fleet import tokens
from fleetledger.fleet.models import Role, User
from tests import world as fleet
from tests.drift import rows, world

pytestmark = pytest.mark.django_db
URL = "/api/v1/drift"
DAY = "2026-11-01/2026-11-02"


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What a worker was asked for."""
    found: list[tuple[str, int]] = []
    for name in ("read_reference", "read_window"):
        task = getattr(tasks, name)
        monkeypatch.setattr(task, "delay", lambda number, name=name: found.append((name, number)))
    return found


@pytest.fixture
def headers() -> dict[str, str]:
    return fleet.bearer(fleet.token("ci", ["write:drift"]))


def send(client: Client, what: str, content: bytes, headers: dict[str, str], **more: str) -> Any:
    media_type = more.pop("media_type", "application/octet-stream")
    return client.generic("POST", f"{URL}/{what}", content, media_type, headers=headers | more)


def active(of: Model, seed: int = 1) -> Reference:
    """The model's first reference, read."""
    return references.receive_now(of, io.BytesIO(rows.parquet(seed)), name="a.parquet", sender=Sender(name="test"))


def computed(of: Model, shift: float = 0.0) -> DataWindow:
    content = io.BytesIO(rows.parquet(2, shift=shift))
    return windows.receive_now(of, content, world.day(0), name="w.parquet", sender=Sender(name="test"))


def proposed(of: Model, sender: Sender | None = None) -> Reference:
    active(of)
    content = io.BytesIO(rows.parquet(3))
    return references.receive_now(of, content, name="b.parquet", sender=sender or Sender(name="test"))


def test_a_reference_is_stored_and_a_worker_asked(
    client: Client, headers: dict[str, str], asked: list[tuple[str, int]], django_capture_on_commit_callbacks: Any
) -> None:
    world.model("ranker")
    content = rows.parquet()
    with django_capture_on_commit_callbacks(execute=True):
        answer = send(client, "references?model=ranker&note=spring&filename=a.parquet", content, headers)
    row = Reference.objects.get()
    assert (answer.status_code, answer["Location"]) == (202, f"{URL}/references/{row.pk}")
    known = {
        "id": row.pk, "model": "ranker", "owner": "owner-of-ranker", "version": 1, "state": "waiting",
        "note": "spring", "trouble": "", "rows": 0, "columns": 0, "received_by": "token ci", "decided_at": None,
        "file_name": "a.parquet", "size_bytes": len(content), "job": str(row.job_id),
    }  # fmt: skip
    assert {key: answer.json()[key] for key in known} == known
    assert asked == [("read_reference", row.pk)]
    assert client.get(f"/api/v1/jobs/{row.job_id}", headers=headers).json()["state"] == "queued"
    reading.read_reference(row.pk)
    read = client.get(answer["Location"], headers=headers).json()
    assert (read["state"], read["rows"], read["columns"]) == ("active", rows.ROWS, 3)


def test_the_same_reference_again_is_known(client: Client, headers: dict[str, str]) -> None:
    model = world.model("ranker")
    first = active(model)
    again = send(client, "references?model=ranker", rows.parquet(), headers)
    assert (again.status_code, again.json()["id"], again.json()["state"]) == (200, first.pk, "active")
    assert Reference.objects.count() == DataFile.objects.count() == 1


def test_a_references_columns_are_listed_in_the_files_order(client: Client, headers: dict[str, str]) -> None:
    row = active(world.model("ranker"))
    url = f"{URL}/references/{row.pk}/columns"
    found = client.get(url, headers=headers).json()["results"]
    assert [(one["position"], one["name"], one["kind"]) for one in found] == [
        (0, "amount", "numerical"), (1, "age", "numerical"), (2, "plan", "categorical"),
    ]  # fmt: skip
    plan = found[2]
    assert (plan["rows"], plan["null_share"], plan["distinct"]) == (rows.ROWS, 0.0, 3)
    assert sum(bucket["share"] for bucket in plan["buckets"]) == pytest.approx(1)
    text = client.get(f"{url}?format=csv&limit=2", headers=headers).content.decode()
    assert [line["name"] for line in csv.DictReader(io.StringIO(text))] == ["amount", "age"]
    following = client.get(f"{url}?limit=2", headers=headers).json()["next"]
    assert [one["name"] for one in client.get(following, headers=headers).json()["results"]] == ["plan"]


def test_a_proposed_reference_is_accepted_or_refused_once(client: Client, headers: dict[str, str]) -> None:
    row = proposed(world.model("ranker"))
    url = f"{URL}/references/{row.pk}/decision"

    def say(body: Any) -> Any:
        return client.post(url, body, content_type="application/json", headers=headers)

    assert row.state == "proposed"
    wrong: list[Any] = [
        {}, [], {"decision": "accept"}, {"decision": "accept", "note": ""}, {"decision": "accept", "note": 5},
        {"decision": "accept", "note": "  "}, {"decision": "yes", "note": "new season"},
    ]  # fmt: skip
    for body in wrong:
        assert say(body).status_code == 422, body
    assert say({"decision": "accept", "note": "new season", "by": "me"}).status_code == 422
    done = say({"decision": "accept", "note": "new season"})
    assert (done.status_code, done.json()["state"], done.json()["decision_note"]) == (200, "active", "new season")
    assert done.json()["decided_by"] == "token ci"
    assert say({"decision": "refuse", "note": "no"}).status_code == 409
    states = {
        one["version"]: one["state"] for one in client.get(f"{URL}/references", headers=headers).json()["results"]
    }
    assert states == {1: "retired", 2: "active"}


def test_a_refused_reference_leaves_the_active_one(client: Client, headers: dict[str, str]) -> None:
    row = proposed(world.model("ranker"))
    said = {"decision": "refuse", "note": "holidays"}
    url = f"{URL}/references/{row.pk}/decision"
    key = headers | {"idempotency-key": "once"}
    first = client.post(url, said, content_type="application/json", headers=key)
    again = client.post(url, said, content_type="application/json", headers=key)
    assert first.json()["state"] == "refused"
    assert (again.status_code, again.json(), again["Idempotency-Replayed"]) == (200, first.json(), "true")
    assert Reference.objects.get(version=1).state == "active"


def test_of_a_production_model_a_second_person_decides_and_no_program(client: Client, headers: dict[str, str]) -> None:
    model = world.model("ranker", is_production=True)
    one, two = fleet.user("one", role=Role.SRE), fleet.user("two", role=Role.SRE)
    row = proposed(model, Sender(one))

    def say(headers: dict[str, str] | None = None, person: User | None = None) -> int:
        caller = Client()
        if person is not None:
            caller.force_login(person)
        said = {"decision": "accept", "note": "seen"}
        url = f"{URL}/references/{row.pk}/decision"
        return caller.post(url, said, content_type="application/json", headers=headers).status_code

    own = tokens.create("mine", ["write:drift"], created_by=one).secret
    assert say(headers) == 409
    assert say(person=one) == 409
    assert say(fleet.bearer(own)) == 409
    assert say(person=two) == 200


def test_who_sent_a_reference_by_a_token_of_their_own_does_not_accept_it(client: Client) -> None:
    model = world.model("ranker", is_production=True)
    active(model)
    one = fleet.user("one", role=Role.SRE)
    own = fleet.bearer(tokens.create("mine", ["write:drift"], created_by=one).secret)
    made = send(client, "references?model=ranker", rows.parquet(3), own)
    reading.read_reference(made.json()["id"])
    client.force_login(one)
    url = f"{made['Location']}/decision"
    answer = client.post(url, {"decision": "accept", "note": "mine"}, content_type="application/json")
    assert (made.status_code, answer.status_code) == (202, 409)


def test_a_window_is_stored_computed_and_told(
    client: Client, headers: dict[str, str], asked: list[tuple[str, int]], django_capture_on_commit_callbacks: Any
) -> None:
    reference = active(world.model("ranker"))
    content = rows.parquet(2, shift=1.0)
    with django_capture_on_commit_callbacks(execute=True):
        answer = send(client, f"windows?model=ranker&window={DAY}&complete=false&filename=w.parquet", content, headers)
    row = DataWindow.objects.get()
    assert (answer.status_code, answer["Location"]) == (202, f"{URL}/windows/{row.pk}")
    known = {
        "id": row.pk, "model": "ranker", "source": "file", "state": "waiting", "complete": False,
        "window_from": "2026-11-01T00:00:00Z", "window_to": "2026-11-02T00:00:00Z", "reference": reference.pk,
        "reference_version": 1, "report": None, "file_name": "w.parquet", "job": str(row.job_id),
    }  # fmt: skip
    assert {key: answer.json()[key] for key in known} == known
    assert asked == [("read_window", row.pk)]
    reading.read_window(row.pk)
    done = client.get(answer["Location"], headers=headers).json()
    assert (done["state"], done["rows"], done["report"] is None) == ("computed", rows.ROWS, False)
    again = send(client, f"windows?model=ranker&window={DAY}", content, headers)
    assert (again.status_code, again.json()["id"]) == (200, row.pk)


def test_windows_are_listed_the_latest_first_by_model_and_state(client: Client, headers: dict[str, str]) -> None:
    for name in ("one", "other"):
        active(world.model(name))
    ids = [
        send(client, f"windows?model={name}&window=2026-11-0{day}/2026-11-0{day + 1}", rows.csv(day), headers).json()
        for name, day in (("one", 3), ("one", 1), ("other", 2))
    ]
    late, early, others = (answer["id"] for answer in ids)

    def listed(query: str) -> list[int]:
        return [row["id"] for row in client.get(f"{URL}/windows?{query}", headers=headers).json()["results"]]

    assert listed("") == [late, others, early]
    assert listed("model=one&state=waiting") == [late, early]
    assert listed("state=computed") == []
    first = client.get(f"{URL}/windows?limit=2", headers=headers)
    assert [row["id"] for row in client.get(first.json()["next"], headers=headers).json()["results"]] == [early]
    same = client.get(f"{URL}/windows?limit=2", headers=headers | {"if-none-match": first["ETag"]})
    assert same.status_code == 304
    assert (
        client.get(f"{URL}/windows?format=csv", headers=headers).content.decode().splitlines()[0].startswith("id,model")
    )


def test_bars_show_a_column_in_a_window_and_in_its_reference(client: Client, headers: dict[str, str]) -> None:
    model = world.model("ranker")
    active(model)
    report_id = computed(model, shift=1.0).report_id
    url = f"{URL}/reports/{report_id}/histogram"
    found = client.get(f"{url}?column=amount", headers=headers).json()["results"]
    assert set(found[0]) == {"label", "reference_share", "window_share"}
    assert sum(bar["reference_share"] for bar in found) == pytest.approx(1)
    assert sum(bar["window_share"] for bar in found) == pytest.approx(1)
    assert found[0]["window_share"] < found[0]["reference_share"]
    first = client.get(f"{url}?column=amount&limit=1", headers=headers).json()
    assert client.get(first["next"], headers=headers).json()["results"] == found[1:2]
    others = world.report(world.model("other"))
    statuses = [
        client.get(f"{URL}/reports/{number}/histogram?column={column}", headers=headers).status_code
        for number, column in ((report_id, "nobody"), (others.pk, "c0"), (10**6, "c0"), (10**30, "c0"), (report_id, ""))
    ]
    assert statuses == [404, 404, 404, 404, 422]
    assert client.get(url, headers=headers).status_code == 422


@pytest.mark.parametrize("media_type", ["text/csv", "application/x-www-form-urlencoded", "application/json", ""])
def test_the_body_is_taken_whatever_its_media_type(client: Client, headers: dict[str, str], media_type: str) -> None:
    world.model("ranker")
    sent = send(client, "references?model=ranker&filename=a.csv", rows.csv(), headers, media_type=media_type)
    assert (sent.status_code, sent.json()["size_bytes"]) == (202, len(rows.csv()))


def test_forms_and_packed_bodies_are_taken(client: Client, headers: dict[str, str]) -> None:
    world.model("ranker")
    form = {"model": "ranker", "note": "by form", "file": SimpleUploadedFile("a.csv", rows.csv())}
    first = client.post(f"{URL}/references", form, headers=headers)
    assert (first.status_code, first.json()["file_name"], first.json()["note"]) == (202, "a.csv", "by form")
    twice = gzip.compress(rows.csv()[:1000]) + gzip.compress(rows.csv()[1000:])
    for packed in (gzip.compress(rows.csv()), twice):
        again = send(client, "references?model=ranker", packed, headers, **{"content-encoding": "gzip"})
        assert (again.status_code, again.json()["id"]) == (202, first.json()["id"])
    reading.read_reference(first.json()["id"])
    window = {
        "model": "ranker", "window": DAY, "complete": "false", "file": SimpleUploadedFile("w.csv", rows.csv(2)),
    }  # fmt: skip
    sent = client.post(f"{URL}/windows", window, headers=headers)
    assert (sent.status_code, sent.json()["complete"], sent.json()["file_name"]) == (202, False, "w.csv")
    for wrong in ({"complete": "perhaps"}, {"window": "soon"}, {"window": ""}, {"model": "a\x00b"}, {"file": "text"}):
        asked = window | {"file": SimpleUploadedFile("w.csv", rows.csv(2))} | wrong
        assert client.post(f"{URL}/windows", asked, headers=headers).status_code == 422, wrong


def test_a_signed_in_person_sends_a_form(client: Client) -> None:
    world.model("ranker")
    client.force_login(fleet.user("sre", role=Role.SRE))
    form = {"model": "ranker", "file": SimpleUploadedFile("a.csv", rows.csv())}
    sent = client.post(f"{URL}/references", form)
    assert (sent.status_code, sent.json()["received_by"]) == (202, "sre")


def test_a_key_answers_the_same_and_refuses_other_rows(client: Client, headers: dict[str, str]) -> None:
    active(world.model("ranker"))
    key = {"idempotency-key": "nightly-1"}
    for what in ("references?model=ranker", f"windows?model=ranker&window={DAY}"):
        mine = {"idempotency-key": f"nightly-{what[:3]}"}
        first = send(client, what, rows.csv(5), headers, **mine)
        again = send(client, what, rows.csv(5), headers, **mine)
        other = send(client, what, rows.csv(6), headers, **mine)
        assert first.json() == again.json()
        assert (again["Idempotency-Replayed"], other.status_code) == ("true", 422)
    assert send(client, "references?model=nobody", rows.csv(5), headers, **key).status_code == 404


@pytest.mark.parametrize(
    ("query", "status", "detail"),
    [
        ("references", 422, "Name the model"),
        ("references?model=", 422, "Name the model"),
        ("references?model=nobody", 404, "No model is called 'nobody', or none that you may see."),
        ("references?model=a%00b", 422, "'model' is a text"),
        (f"references?model=ranker&note={'x' * 501}", 422, "'note' is a text of at most 500"),
        ("references?model=ranker&nota=x", 422, "No parameter is called 'nota'."),
        ("windows?model=ranker", 422, "Say of which time the rows are"),
        ("windows?model=ranker&window=", 422, "Say of which time the rows are"),
        ("windows?model=ranker&window=yesterday", 422, "'yesterday' is no window."),
        (f"windows?model=ranker&window={DAY}&complete=", 422, "'complete' is true or false."),
        (f"windows?model=ranker&window={DAY}&complete=maybe", 422, "'complete' is true or false."),
        (f"windows?model=ranker&window={DAY}", 409, "'ranker' has no active reference to compare with."),
    ],
)
def test_what_cannot_be_is_a_problem_that_says_how(
    client: Client, headers: dict[str, str], query: str, status: int, detail: str
) -> None:
    world.model("ranker")
    answer = send(client, query, rows.csv(), headers)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["detail"].startswith(detail)
    assert DataFile.objects.count() == DataBlock.objects.count() == 0


@pytest.mark.parametrize("query", ["state=", "state=gone", "modle=x", "limit=", "limit=0", "model=%00", "cursor=x"])
def test_lists_refuse_what_they_do_not_know(client: Client, headers: dict[str, str], query: str) -> None:
    for what in ("windows", "references"):
        assert client.get(f"{URL}/{what}?{query}", headers=headers).status_code == 422


def test_an_empty_file_is_refused(client: Client, headers: dict[str, str]) -> None:
    world.model("ranker")
    for more in ({}, {"content-encoding": "gzip"}):
        answer = send(client, "references?model=ranker", gzip.compress(b"") if more else b"", headers, **more)
        assert answer.status_code == 422
    form = {"model": "ranker", "file": SimpleUploadedFile("a.csv", b"")}
    assert client.post(f"{URL}/references", form, headers=headers).status_code == 422
    assert client.post(f"{URL}/references", {"model": "ranker"}, headers=headers).status_code == 422


def test_what_is_too_long_or_badly_packed_is_refused_and_nothing_stays(
    client: Client, headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.model("ranker")
    monkeypatch.setattr(settings, "DRIFT_DATA_MAX_BYTES", 1000)
    bomb, packed = gzip.compress(b" " * 5_000_000), {"content-encoding": "gzip"}
    what = "references?model=ranker"
    assert send(client, what, b"x" * 1001, headers).status_code == 413
    assert send(client, what, b"x" * 2_000_000, headers).status_code == 413
    assert len(bomb) > 1000
    monkeypatch.setattr(settings, "DRIFT_DATA_MAX_BYTES", 10_000)
    assert len(bomb) < 10_000
    assert send(client, what, bomb, headers, **packed).status_code == 413
    assert send(client, what, b"a,b\n1,2\n", headers, **packed).status_code == 400
    assert send(client, what, gzip.compress(b"a,b\n1,2\n")[:-4], headers, **packed).status_code == 400
    assert send(client, what, b"a", headers, **{"content-encoding": "br"}).status_code == 400
    form = {"model": "ranker", "file": SimpleUploadedFile("a.csv", b"x" * 10_001)}
    assert client.post(f"{URL}/references", form, headers=headers).status_code == 413
    assert (Reference.objects.count(), DataFile.objects.count(), DataBlock.objects.count()) == (0, 0, 0)


def test_an_unreadable_file_says_why(client: Client, headers: dict[str, str]) -> None:
    world.model("ranker")
    made = send(client, "references?model=ranker", b"PAR1 but no more", headers)
    assert made.status_code == 202
    reading.read_reference(made.json()["id"])
    told = client.get(made["Location"], headers=headers).json()
    assert (told["state"], bool(told["trouble"])) == ("unreadable", True)


def test_another_team_sees_sends_and_decides_nothing(client: Client) -> None:
    model = world.model("ranker")
    row = proposed(model)
    window = computed(model)
    stranger = fleet.team("strangers")
    callers: list[dict[str, Any]] = [
        {"headers": fleet.bearer(fleet.token("theirs", ["admin"], team=stranger))},
        {"person": fleet.member(stranger, role=Role.LEAD)},
    ]
    for caller in callers:
        theirs, headers = Client(), caller.get("headers", {})
        if "person" in caller:
            theirs.force_login(caller["person"])
        assert theirs.get(f"{URL}/references", headers=headers).json()["results"] == []
        assert theirs.get(f"{URL}/windows", headers=headers).json()["results"] == []
        for path in (
            f"references/{row.pk}",
            f"references/{row.pk}/columns",
            f"windows/{window.pk}",
            f"reports/{window.report_id}/histogram?column=amount",
            "models/ranker/stream",
        ):
            assert theirs.get(f"{URL}/{path}", headers=headers).status_code == 404, path
        said = json.dumps({"decision": "accept", "note": "ours"}).encode()
        decide = f"references/{row.pk}/decision"
        assert send(theirs, decide, said, headers, media_type="application/json").status_code == 404
        for what in ("references?model=ranker", f"windows?model=ranker&window={DAY}"):
            assert send(theirs, what, rows.csv(9), headers).status_code == 404
    assert Reference.objects.count() == 2


def test_who_may_only_read_changes_nothing(client: Client) -> None:
    vision = fleet.team("vision")
    model = world.model("ranker", owner=vision)
    row = proposed(model)
    reader = fleet.bearer(fleet.token("reader", ["read"]))
    viewer = Client()
    viewer.force_login(fleet.member(vision, role=Role.VIEWER))
    said = json.dumps({"decision": "accept", "note": "mine"}).encode()
    for caller, headers in ((client, reader), (viewer, {})):
        for what in ("references?model=ranker", f"windows?model=ranker&window={DAY}"):
            assert send(caller, what, rows.csv(9), headers).status_code == 403
        decide = f"references/{row.pk}/decision"
        assert send(caller, decide, said, headers, media_type="application/json").status_code == 403
        assert caller.get(f"{URL}/references/{row.pk}", headers=headers).status_code == 200


def test_a_removed_model_takes_no_rows_and_keeps_what_it_has(client: Client, headers: dict[str, str]) -> None:
    model = world.model("ranker")
    row = proposed(model)
    model.removed_at = row.received_at
    model.save()
    assert send(client, "references?model=ranker", rows.csv(9), headers).status_code == 404
    said = {"decision": "accept", "note": "late"}
    url = f"{URL}/references/{row.pk}/decision"
    assert client.post(url, said, content_type="application/json", headers=headers).status_code == 404
    assert client.get(f"{URL}/references/{row.pk}", headers=headers).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_the_same_rows_sent_six_times_at_once_are_one_reference_and_one_window(headers: dict[str, str]) -> None:
    active(world.model("ranker"))
    for what in ("references?model=ranker", f"windows?model=ranker&window={DAY}"):
        gate = Barrier(6)

        def post(_number: int, what: str = what, gate: Barrier = gate) -> Any:
            try:
                gate.wait()
                return send(Client(), what, rows.csv(7), headers)
            finally:
                connection.close()

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(post, range(6)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({(answer.json()["id"], answer.json()["job"]) for answer in answers}) == 1
    assert (Reference.objects.count(), DataWindow.objects.count(), DataFile.objects.count()) == (2, 1, 3)
