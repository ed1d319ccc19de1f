"""Pages against their bare SQL: a team, the overview and the fleet over 30 days of 1,000 GPUs."""

import pytest
from django.test import Client

from fleetledger.fleet.models import Role
from tests import world
from tests.bench.filled_month import END, START, fill, measure

pytestmark = [pytest.mark.bench, pytest.mark.django_db]


@pytest.mark.parametrize("page", ["/teams/bench-3/", "/teams/", "/", "/fleet/", "/fleet/gpus/"])
def test_a_page_costs_little_more_than_its_queries(page: str, client: Client) -> None:
    fill()
    client.force_login(world.user("ada", role=Role.ADMIN))
    url = f"{page}?from={START:%Y-%m-%dT%H:%M:%SZ}&to={END:%Y-%m-%dT%H:%M:%SZ}"
    answer = client.get(url)
    measured = measure(lambda: client.get(url))
    print(measured.line(f"page {page}"))
    assert answer.status_code == 200
    assert measured.statements < 40
