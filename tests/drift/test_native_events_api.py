"""Events by API: batches that are known the second time, errors that name their place, and how a stream stands."""

import gzip
import io
import json
from collections.abc import Sequence
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from drift import tasks
from drift.ingest import Sender
from drift.models import EventBatch, Model
from drift.native import events, labels, references
from fleetledger.fleet.models import Role
from tests import world as fleet
from tests.drift import rows, world
from tests.drift.event_rows import event

pytestmark = pytest.mark.django_db
URL = "/api/v1/drift/events"


@pytest.fixture(autouse=True)
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The models whose events a worker was asked to count."""
    found: list[int] = []
    monkeypatch.setattr(tasks.count_events, "delay", found.append)
    return found


@pytest.fixture
def headers() -> dict[str, str]:
    return fleet.bearer(fleet.token("scoring", ["write:drift"]))


@pytest.fixture
def model() -> Model:
    """A model with a reference."""
    made = world.model(
        "ranker", data={"id": "id", "prediction": "said", "label": "truth", "score": "p", "positive": "1"}
    )
    references.receive_now(made, io.BytesIO(rows.parquet()), name="a.parquet", sender=Sender(name="test"))
    return made


def send(client: Client, body: Any, headers: dict[str, str], **more: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return client.generic("POST", URL, content, "application/json", headers=headers | more)


def some(count: int = 3) -> list[dict[str, Any]]:
    return [event(number, features={"amount": number / 10, "plan": "pro"}) for number in range(count)]


def test_a_batch_is_stored_and_a_worker_asked(
    client: Client, headers: dict[str, str], asked: list[int], model: Model, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        answer = send(client, {"model": "ranker", "key": "batch-1", "events": some()}, headers)
    row = EventBatch.objects.get()
    assert (answer.status_code, answer.json()) == (
        202,
        {"model": "ranker", "batch": row.pk, "events": 3, "known": False},
    )
    assert (asked, row.key, row.received_from) == ([model.pk], "batch-1", "token scoring")


def test_the_same_batch_again_is_known_and_another_under_its_key_refused(
    client: Client, headers: dict[str, str], model: Model
) -> None:
    keyed = {"model": "ranker", "key": "batch-1", "events": some()}
    first, again = send(client, keyed, headers), send(client, keyed, headers)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json() == first.json() | {"known": True}
    assert send(client, keyed | {"events": some(2)}, headers).status_code == 409
    bare = {"model": "ranker", "events": some(2)}
    assert [send(client, bare, headers).status_code for _ in range(2)] == [202, 200]
    assert EventBatch.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        (b"", 422, "'model' is a text"),
        (b"{", 400, "The body is no JSON"),
        (b"[1]", 422, "Send a JSON object."),
        ({}, 422, "'model' is a text"),
        ({"model": 5, "events": []}, 422, "'model' is a text"),
        ({"model": "a\x00b", "events": []}, 422, "'model' is a text"),
        ({"model": "nobody", "events": []}, 404, "No model is called 'nobody'"),
        ({"model": "ranker"}, 422, "events: it is no list."),
        ({"model": "ranker", "events": []}, 422, "events: the list is empty."),
        ({"model": "ranker", "events": "ab"}, 422, "events: it is no list."),
        ({"model": "ranker", "events": [5]}, 422, "events[0]: it is no event."),
        ({"model": "ranker", "events": [*some(2), {"at": "today", "features": {}}]}, 422, "events[2].at: 'today'"),
        ({"model": "ranker", "events": [{"id": "a"}]}, 422, "events[0].at: it is missing."),
        ({"model": "ranker", "events": [{"label": 1}]}, 422, "events[0].id: it is missing."),
        ({"model": "ranker", "key": 5, "events": some()}, 422, "'key' is a text of at most 200"),
        ({"model": "ranker", "key": "x" * 201, "events": some()}, 422, "'key' is a text of at most 200"),
        ({"model": "ranker", "batch": 1, "events": some()}, 422, "No part is called 'batch'."),
        ({"model": "ranker", "events": some(1) * 10_001}, 422, "events: 10001 are too many."),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_nothing_is_stored(
    client: Client, headers: dict[str, str], body: Any, status: int, detail: str
) -> None:
    world.model("ranker")
    answer = send(client, body, headers)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert answer.json()["detail"].startswith(detail)
    assert EventBatch.objects.count() == 0


def test_a_long_batch_is_taken_up_to_the_limit_and_packed(
    client: Client, headers: dict[str, str], model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    wide = [event(number, features={f"column_{place}": "x" * 100 for place in range(10)}) for number in range(5000)]
    body = json.dumps({"model": "ranker", "events": wide}).encode()
    assert len(body) > settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert send(client, body, headers).status_code == 202
    packed = {"content-encoding": "gzip"}
    assert send(client, gzip.compress(body), headers, **packed).status_code == 200
    assert send(client, body, headers, **packed).status_code == 400
    assert send(client, gzip.compress(body)[:-9], headers, **packed).status_code == 400
    assert send(client, body, headers, **{"content-encoding": "br"}).status_code == 400
    monkeypatch.setattr(settings, "DRIFT_REPORT_MAX_BYTES", 1000)
    assert send(client, body, headers).status_code == 413
    assert send(client, gzip.compress(b" " * 50_000), headers, **packed).status_code == 413
    assert client.generic("POST", URL, b"a,b", "text/csv", headers=headers).status_code == 415
    assert client.get(URL, headers=headers).status_code == 405


def test_a_stream_tells_its_last_batch_what_waits_and_its_labels(
    client: Client, headers: dict[str, str], model: Model
) -> None:
    url = "/api/v1/drift/models/ranker/stream"
    empty = client.get(url, headers=headers).json()
    assert empty == {
        "model": "ranker", "last": None, "waiting_batches": 0, "waiting_events": 0, "labelled": 0, "unlabelled": 0,
        "labelled_share": None, "last_label_at": None, "concept": None,
    }  # fmt: skip
    said = [{**one, "id": f"e{place}", "prediction": 1} for place, one in enumerate(some(4))]
    made = send(client, {"model": "ranker", "events": said}, headers).json()
    waits = client.get(url, headers=headers).json()
    assert (waits["waiting_batches"], waits["waiting_events"]) == (1, 4)
    assert (waits["last"]["batch"], waits["last"]["events"], waits["last"]["counted_at"]) == (made["batch"], 4, None)
    assert waits["last"]["received_from"] == "token scoring"
    send(client, {"model": "ranker", "events": [{"id": "e1", "label": 1}]}, headers)
    events.count(model.pk)
    labels.weigh(model.pk)
    done = client.get(url, headers=headers)
    assert (done.json()["waiting_batches"], done.json()["labelled"], done.json()["unlabelled"]) == (0, 1, 3)
    assert done.json()["labelled_share"] == 0.25
    assert client.get(url, headers=headers | {"if-none-match": done["ETag"]}).status_code == 304
    missing = [client.get(f"/api/v1/drift/models/{name}/stream", headers=headers) for name in ("nobody", "a%00b")]
    assert [answer.status_code for answer in missing] == [404, 404]


def test_another_team_and_readers_send_no_events(client: Client, model: Model) -> None:
    body = {"model": "ranker", "events": some()}
    strangers = fleet.team("strangers")

    def statuses(callers: Sequence[tuple[Client, dict[str, str]]]) -> list[int]:
        return [send(caller, body, headers).status_code for caller, headers in callers]

    lead, viewer = Client(), Client()
    lead.force_login(fleet.member(strangers, role=Role.LEAD))
    viewer.force_login(fleet.member(model.owner, role=Role.VIEWER))
    theirs = fleet.bearer(fleet.token("theirs", ["write:drift"], team=strangers))
    reader = fleet.bearer(fleet.token("reader", ["read"]))
    assert statuses([(lead, {}), (client, theirs), (viewer, {}), (client, reader)]) == [404, 404, 403, 403]
    own = fleet.bearer(fleet.token("own", ["write:drift"], team=model.owner))
    assert statuses([(client, {}), (client, own)]) == [401, 202]
    assert EventBatch.objects.count() == 1
