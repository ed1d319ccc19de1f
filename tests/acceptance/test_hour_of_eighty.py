"""A node's hour from samples in a real Prometheus and a FOCUS bill to its statements and documents."""

from pathlib import Path

import pytest
from django.test import Client

from tests import snapshots, world
from tests.acceptance import eighty
from tests.costs import bills

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.realtime]


@pytest.mark.parametrize(
    ("pools", "expected"),
    [
        ("", {"a": "34.28", "b": "7.86", "c": "1.43", "(idle)": "36.43"}),
        (
            'pools: [{name: h100, match: {gpu_model: ".*H100.*"}, idle: share}]',
            {"a": "62.95", "b": "14.43", "c": "2.62"},
        ),
    ],
)
def test_an_hour_of_eighty_reaches_its_teams_from_real_samples(
    tmp_path: Path, pools: str, expected: dict[str, str]
) -> None:
    eighty.bring_in(tmp_path, pools)
    assert bills.statements(eighty.PERIOD) == expected


def test_the_documents_of_the_hour_read_as_they_did(tmp_path: Path) -> None:
    eighty.bring_in(tmp_path)
    headers = world.bearer(world.token())
    window = f"from={eighty.START}&to={eighty.START + eighty.HOUR_S}"
    for name, address in (
        ("statements.csv", f"/api/v1/statements?period={eighty.PERIOD}&format=csv"),
        ("charges.csv", f"/api/v1/charges?period={eighty.PERIOD}&format=csv"),
        ("usage.json", f"/api/v1/usage?{window}"),
        ("usage-by-gpu.csv", f"/api/v1/usage?{window}&group_by=gpu&format=csv"),
    ):
        answer = Client().get(address, headers=headers)
        assert answer.status_code == 200, answer.content
        snapshots.match(name, answer.content.decode())
