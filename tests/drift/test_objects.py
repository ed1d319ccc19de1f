"""Stores that models watch: reports, references and windows are taken once from an S3 server, over its wire format."""

import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import numpy as np
import pytest
from moto.server import ThreadedMotoServer

from drift import objects
from drift.folders import Scanned
from drift.models import DataWindow, Finding, Model, Reference, Report, SeenObject
from drift.native import reading
from fleetledger.fleet import config
from tests.drift import reports, world
from tests.drift import row_files as rows

pytestmark = pytest.mark.django_db


class Bucket:
    def __init__(self, address: str) -> None:
        self.name = f"drift-{uuid.uuid4().hex[:8]}"
        self._client: Any = boto3.client("s3", endpoint_url=address, region_name="us-east-1")
        self._client.create_bucket(Bucket=self.name)
        self._host = address.removeprefix("http://")

    @property
    def watch(self) -> str:
        return f"s3://{self.name}/ranker?scheme=http&endpoint_override={self._host}&region=us-east-1"

    def put(self, key: str, content: bytes) -> None:
        self._client.put_object(Bucket=self.name, Key=f"ranker/{key}", Body=content)


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(address: str, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    return Bucket(address)


def _rows(seed: int, shift: float = 0.0) -> bytes:
    return rows.parquet({"a": np.random.default_rng(seed).normal(shift, 1, size=1000)}).getvalue()


def _read(model: Model) -> None:
    """What workers do with what is stored."""
    for reference in Reference.objects.filter(model=model):
        reading.read_reference(reference.pk)
    for window in DataWindow.objects.filter(model=model).order_by("window_to"):
        reading.read_window(window.pk)


def test_a_store_gives_references_windows_and_reports_each_once(bucket: Bucket) -> None:
    model = world.model(watch=bucket.watch)
    bucket.put("references/october.parquet", _rows(1))
    bucket.put("windows/2026-11-01_2026-11-02.parquet", _rows(2, 5))
    bucket.put("evidently.json", reports.packed(reports.evidently(0.2, 0.01)))
    assert objects.scan() == Scanned(taken=2), "the window waits for its reference"
    _read(model)
    assert objects.scan() == Scanned(taken=1)
    assert objects.scan() == Scanned()
    _read(model)
    assert [row.file.name for row in Reference.objects.all() if row.file] == ["october.parquet"]
    assert Report.objects.filter(generation="native").count() == 1
    assert Report.objects.exclude(generation="native").count() == 1
    assert Finding.objects.filter(signal="column:a").exists()


def test_what_cannot_be_taken_is_remembered_with_the_reason_and_a_new_version_is_taken(bucket: Bucket) -> None:
    world.model(watch=bucket.watch)
    bucket.put("broken.json", b"{")
    bucket.put("windows/yesterday.parquet", _rows(1))
    bucket.put("windows/2026-11-01_2026-11-02.parquet", _rows(1))
    assert objects.scan() == Scanned(refused=3)
    said = {row.path.rpartition("/")[2]: row.trouble for row in SeenObject.objects.all()}
    assert "does not say its time" in said["yesterday.parquet"]
    assert "no active reference" in said["2026-11-01_2026-11-02.parquet"]
    assert said["broken.json"]
    bucket.put("broken.json", reports.packed(reports.evidently(0.2, 0.01)))
    assert objects.scan() == Scanned(taken=1)


def test_a_store_that_does_not_answer_holds_up_no_other(bucket: Bucket) -> None:
    world.model("away", watch="s3://nobody/x?scheme=http&endpoint_override=127.0.0.1:1&region=us-east-1")
    world.model("here", watch=bucket.watch)
    bucket.put("report.json", reports.packed(reports.evidently(0.2, 0.01)))
    assert objects.scan() == Scanned(taken=1, stuck=1)


def test_the_configuration_takes_addresses_but_no_credentials() -> None:
    text = "teams: [{{slug: vision, name: Vision}}]\nmodels: [{{name: ranker, owner: vision, watch: '{}'}}]\n"
    config.apply([("fleet.yaml", text.format("s3://bucket/prefix?region=eu-central-1"))])
    assert Model.objects.get().watch == "s3://bucket/prefix?region=eu-central-1"
    for secret in ("s3://key:secret@bucket/prefix", "s3://bucket/prefix?access_key=A&secret_key=B"):
        with pytest.raises(config.ConfigError, match="holds credentials"):
            config.apply([("fleet.yaml", text.format(secret))])
