"""Files of rows on their way in: on disk, a block of them in memory at a time, and gone afterwards."""

import gzip
import io
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from drift import tasks
from drift.api_uploads import BLOCK_BYTES
from drift.models import DataFile, Reference
from fleetledger.fleet.models import Role
from tests import world as fleet
from tests.drift import rows, world

pytestmark = pytest.mark.django_db
MEGABYTE = 1 << 20
SIZE = 48 * MEGABYTE
MOST_HELD = 8 * MEGABYTE
BOUNDARY = "----a-form"


class Body:
    """A body of `size` bytes that is made as it is read; it knows how much was asked for at once."""

    def __init__(self, size: int, before: bytes = b"", after: bytes = b"") -> None:
        self.left, self.most, self.read_bytes = size, 0, 0
        self._before, self._after = before, after

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "somebody asked for all of it"
        self.most = max(self.most, size)
        found = self._some(size)
        self.read_bytes += len(found)
        return found

    def readline(self, _size: int = -1) -> bytes:
        raise AssertionError("somebody asked for a line, however long")

    def _some(self, size: int) -> bytes:
        if self._before:
            found, self._before = self._before[:size], self._before[size:]
            return found
        if self.left:
            found = (b"1.25,abc\n" * (min(size, self.left) // 9 + 1))[: min(size, self.left)]
            self.left -= len(found)
            return found
        found, self._after = self._after[:size], self._after[size:]
        return found


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks.read_reference, "delay", lambda _number: None)


@pytest.fixture(autouse=True)
def upload_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """Where uploads lie; empty once each request has ended."""
    monkeypatch.setattr(settings, "FILE_UPLOAD_TEMP_DIR", str(tmp_path))
    yield tmp_path
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def headers() -> dict[str, str]:
    world.model("ranker")
    secret = fleet.token("ci", ["write:drift"])
    return {"HTTP_AUTHORIZATION": f"Bearer {secret}"}


def post(
    body: Any,
    headers: dict[str, str],
    length: int | None,
    more: dict[str, Any] | None = None,
    client: Client | None = None,
) -> Any:
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/api/v1/drift/references", "QUERY_STRING": "model=ranker",
        "CONTENT_TYPE": "text/csv", "wsgi.input": body, **headers, **(more or {}),
    }  # fmt: skip
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
    return (client or Client()).request(**environ)


def held_by(send: Any) -> tuple[Any, int]:
    """The answer, and how many bytes were held at most while it was made."""
    tracemalloc.start()
    try:
        answer = send()
        return answer, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_long_body_is_never_held_in_memory(headers: dict[str, str]) -> None:
    post(Body(1000), headers, 1000)  # what a first request loads stays out of the measure
    body = Body(SIZE)
    answer, most = held_by(lambda: post(body, headers, SIZE))
    assert (answer.status_code, answer.json()["size_bytes"]) == (202, SIZE)
    assert body.most <= BLOCK_BYTES
    assert most < MOST_HELD


def test_a_long_form_is_never_held_in_memory(headers: dict[str, str]) -> None:
    before = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    ).encode()
    after = f"\r\n--{BOUNDARY}--\r\n".encode()
    post(Body(1000), headers, 1000)
    body = Body(SIZE, before, after)
    length = len(before) + SIZE + len(after)
    form = {"CONTENT_TYPE": f"multipart/form-data; boundary={BOUNDARY}"}
    answer, most = held_by(lambda: post(body, headers, length, form))
    assert (answer.status_code, answer.json()["size_bytes"], answer.json()["file_name"]) == (202, SIZE, "a.csv")
    assert body.most <= BLOCK_BYTES
    assert most < MOST_HELD


def test_a_packed_body_is_unpacked_a_block_at_a_time(headers: dict[str, str]) -> None:
    post(Body(1000), headers, 1000)
    packed = gzip.compress(b"0," * (SIZE // 2))
    assert len(packed) < MEGABYTE
    gzipped = {"HTTP_CONTENT_ENCODING": "gzip"}
    answer, most = held_by(lambda: post(io.BytesIO(packed), headers, len(packed), gzipped))
    assert (answer.status_code, answer.json()["size_bytes"]) == (202, SIZE)
    assert most < MOST_HELD


def test_a_bomb_is_left_once_the_limit_is_reached(headers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    post(Body(1000), headers, 1000)
    monkeypatch.setattr(settings, "DRIFT_DATA_MAX_BYTES", 2 * MEGABYTE)
    packed = gzip.compress(b"\0" * SIZE * 4)
    gzipped = {"HTTP_CONTENT_ENCODING": "gzip"}
    answer, most = held_by(lambda: post(io.BytesIO(packed), headers, len(packed), gzipped))
    assert (answer.status_code, DataFile.objects.count()) == (413, 1)
    assert most < MOST_HELD


def test_what_says_itself_to_be_too_long_is_refused_unread(
    headers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "DRIFT_DATA_MAX_BYTES", 1000)
    person = Client()
    person.force_login(fleet.user("sre", role=Role.SRE))
    for media_type in ("text/csv", f"multipart/form-data; boundary={BOUNDARY}"):
        for caller, known in ((Client(), headers), (person, {})):
            body = Body(SIZE)
            answer = post(body, known, SIZE, {"CONTENT_TYPE": media_type}, caller)
            assert (answer.status_code, body.read_bytes) == (413, 0)


def test_a_model_that_is_not_there_is_told_before_the_body_is_read(headers: dict[str, str]) -> None:
    body = Body(SIZE)
    answer = post(body, headers, SIZE, {"QUERY_STRING": "model=nobody"})
    assert (answer.status_code, body.read_bytes) == (404, 0)


def test_a_body_that_ends_early_is_refused(headers: dict[str, str]) -> None:
    answer = post(Body(2000), headers, 3000)
    assert (answer.status_code, answer.json()["detail"]) == (
        400,
        "The body ended after 2000 of 3000 bytes. Send it again.",
    )
    assert DataFile.objects.count() == 0


def test_a_body_without_a_length_is_taken_where_the_server_knows_its_end(headers: dict[str, str]) -> None:
    answer = post(Body(2000), headers, None, {"wsgi.input_terminated": True})
    assert (answer.status_code, answer.json()["size_bytes"]) == (202, 2000)
    empty = post(Body(0), headers, None, {"wsgi.input_terminated": True})
    assert empty.status_code == 422
    assert post(Body(2000), headers, None).status_code == 422
    assert Reference.objects.count() == 1


def test_other_endpoints_keep_their_limit(headers: dict[str, str]) -> None:
    content = b'{"decision": "accept", "note": "' + b" " * settings.DATA_UPLOAD_MAX_MEMORY_SIZE + b'"}'
    secret = {"authorization": headers["HTTP_AUTHORIZATION"]}
    url = "/api/v1/drift/references"
    made = Client().generic("POST", f"{url}?model=ranker", rows.csv(), "text/csv", headers=secret)
    answer = Client().generic("POST", f"{made['Location']}/decision", content, "application/json", headers=secret)
    assert (made.status_code, answer.status_code) == (202, 413)
