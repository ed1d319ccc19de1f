"""Bills whose message to a worker was lost: the database still knows them."""

import io
from datetime import timedelta

import pytest
from django.utils import timezone

from costs import importing, ingest, tasks
from costs.models import Delivery
from tests.costs import bills

pytestmark = pytest.mark.django_db


def _stored(name: str, amount: str, *, minutes_ago: int) -> int:
    received = ingest.receive("cloud", name, io.BytesIO(bills.text(bills.row(amount))), mode="append")
    stored = Delivery.objects.filter(pk=received.delivery_id)
    stored.update(received_at=timezone.now() - timedelta(minutes=minutes_ago))
    return received.delivery_id


def test_a_bill_that_no_worker_took_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    bills.source()
    lost, _fresh, done = (
        _stored("lost.csv", "1.00", minutes_ago=20),
        _stored("fresh.csv", "2.00", minutes_ago=1),
        _stored("done.csv", "3.00", minutes_ago=60),
    )
    ingest.import_delivery(done)
    asked: list[int] = []
    monkeypatch.setattr(tasks.import_delivery, "delay", asked.append)
    assert tasks.import_waiting() == "Asked again for 1 deliveries."
    assert asked == [lost]


def test_an_import_asked_for_twice_counts_once() -> None:
    bills.source()
    lost = _stored("lost.csv", "1.00", minutes_ago=20)
    importing.run(lost)
    importing.run(lost)
    assert importing.waiting(timezone.now()) == []
    assert Delivery.objects.get(pk=lost).row_count == 1
