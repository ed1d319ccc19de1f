"""The pages about availability against their bare SQL: 2,000 components with a year of intervals."""

import pytest
from django.test import Client

from fleetledger.fleet.models import Role
from tests import world
from tests.bench.filled_components import fill
from tests.bench.filled_month import measure

pytestmark = [pytest.mark.bench, pytest.mark.django_db, pytest.mark.timeout(900)]
WALL = ("", "?days=90", "?state=down", "?q=replica&page=2")
COMPONENTS = (
    "service-0003/",
    "replica-0004/",
    "cluster-0001/",
    "cluster-0001/?from=2025-11-03&to=2026-11-02",
)


def test_whole_pages_of_two_thousand_components_stay_near_their_sql(client: Client) -> None:
    fill()
    client.force_login(world.user("ada", role=Role.ADMIN))
    for page in [*WALL, *COMPONENTS]:
        path = f"/availability/{page}"

        def ask(path: str = path) -> int:
            answer = client.get(path)
            body = b"".join(answer) if answer.streaming else answer.content
            assert answer.status_code == 200
            return len(body)

        size = ask()
        measured = measure(ask)
        print(f"{measured.line(path)}, {size / 1024:.0f} KiB")
        assert measured.statements < 45
