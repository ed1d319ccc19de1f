"""The usage API against its bare SQL: 1,000 GPUs of 20 teams over 30 days, answered by days."""

import pytest
from django.test import Client

from tests import world
from tests.bench.filled_month import DAYS, END, GPUS, START, fill, measure

pytestmark = [pytest.mark.bench, pytest.mark.django_db]


@pytest.mark.parametrize("query", ["", "&step=day", "&group_by=workload"])
def test_an_answer_costs_little_more_than_its_queries(query: str, client: Client) -> None:
    fill()
    headers = world.bearer(world.token())
    url = f"/api/v1/usage?from={START:%Y-%m-%dT%H:%M:%SZ}&to={END:%Y-%m-%dT%H:%M:%SZ}{query}"
    answer = client.get(url, headers=headers).json()
    measured = measure(lambda: client.get(url, headers=headers))
    print(measured.line(f"usage API{query or ' total'}"))
    assert sum(row["allocated_seconds"] for row in answer["rows"]) == GPUS * DAYS * 86_400
    assert answer["gpus"] == GPUS
    assert measured.statements < 25
