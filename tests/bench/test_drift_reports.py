"""The pages about drift against their bare SQL, and a large snapshot taken in."""

import csv
import time
import tracemalloc

import pytest
from django.test import Client

from drift import importing
from drift.models import Score
from fleetledger.fleet.models import Role
from tests import world as fleet
from tests.bench.filled_month import measure
from tests.bench.filled_reports import MODELS, SNAPSHOT_BYTES, fill, snapshot
from tests.drift import world

pytestmark = [pytest.mark.bench, pytest.mark.django_db]
PAGES = (
    "",
    "?q=model-01&sort=-drifted&page=2",
    "?sort=-cost",
    "?sort=-findings&page=3",
    "?format=csv",
    "models/model-0007/",
    "models/model-0007/figures/heat.json",
)


def test_a_thousand_models_at_a_glance_stay_near_their_sql(client: Client) -> None:
    fill()
    client.force_login(fleet.user("ada", role=Role.ADMIN))
    for page in PAGES:
        path = f"/drift/{page}"

        def ask(path: str = path) -> int:
            answer = client.get(path)
            body = b"".join(answer) if answer.streaming else answer.content
            assert answer.status_code == 200
            return len(body)

        size = ask()
        measured = measure(ask)
        print(f"{measured.line(path)}, {size / 1024:.0f} KiB")
        assert measured.statements < 25
    header, *lines = b"".join(client.get("/drift/?format=csv")).decode().splitlines()
    assert len(lines) == MODELS
    rows = csv.DictReader([header, *lines])
    assert {(row["open_findings"], row["mitigations"], row["currency"]) for row in rows} == {("3", "5", "USD")}


def test_a_large_snapshot_is_taken_in() -> None:
    model, content = world.model(), snapshot()
    assert abs(len(content) - SNAPSHOT_BYTES) < 200_000
    tracemalloc.start()
    importing.import_now(model, content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    began = time.perf_counter()
    importing.import_now(world.model("again"), content)
    took_s = time.perf_counter() - began
    print(f"\n{len(content) / 1e6:.1f} MB snapshot: {took_s * 1000:.0f} ms, peak {peak / 1e6:.0f} MB")
    assert Score.objects.filter(report__model=model).count() == 200
