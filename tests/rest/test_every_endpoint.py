"""What holds for every endpoint of the API, those of other rooms included: it walks the OpenAPI document."""

import base64
import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests import world

pytestmark = pytest.mark.django_db
OPEN = frozenset({"/api/v1/config-schema"})
SAFE = ("get",)
UNSAFE = ("post", "put", "patch", "delete")
OF_A_TEAM = (
    "alertmanager-imports",
    "alerts",
    "components",
    "drift",
    "escalations",
    "game-days",
    "healing-runs",
    "heartbeats",
    "incidents",
    "maintenance-windows",
    "routes",
    "schedules",
    "silences",
    "slo-imports",
)
"""What a team's token may change of its own team: there it learns that nothing was sent, or nothing is there."""


def operations(methods: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(method, address with examples in it) of everything that is described and not open to all."""
    generator: type = SchemaGenerator
    for path, known in generator().get_schema(request=None, public=True)["paths"].items():
        for method in known:
            if path not in OPEN and method in methods:
                yield method, _filled(path, known[method].get("parameters", []))


def _filled(path: str, parameters: list[dict[str, Any]]) -> str:
    """The address with an example for each of its variables, by their types."""
    types = {item["name"]: item["schema"] for item in parameters if item["in"] == "path"}
    examples = {"integer": "1", "uuid": str(UUID(int=1)), "string": "2026-10"}
    for name, shape in types.items():
        path = path.replace(
            f"{{{name}}}", examples[shape.get("format") if shape.get("format") == "uuid" else shape["type"]]
        )
    return path


def ask(client: Client, method: str, path: str, headers: dict[str, str]) -> int:
    return client.generic(
        method.upper(), path, data=b"{}", content_type="application/json", headers=headers
    ).status_code


def test_nobody_gets_401_everywhere(client: Client) -> None:
    found = {(method, path): ask(client, method, path, {}) for method, path in operations(SAFE + UNSAFE)}
    assert {key: status for key, status in found.items() if status != 401} == {}


def test_a_read_token_changes_nothing_anywhere(client: Client) -> None:
    headers = world.bearer(world.token(scopes=["read"]))
    found = {(method, path): ask(client, method, path, headers) for method, path in operations(UNSAFE)}
    assert {key: status for key, status in found.items() if status != 403} == {}


def test_a_teams_token_changes_nothing_of_the_fleet_anywhere(client: Client) -> None:
    headers = world.bearer(world.token(scopes=["admin"], team=world.team()))
    found = {(method, path): ask(client, method, path, headers) for method, path in operations(UNSAFE)}
    own = {key for key in found if key[1].split("/")[3] in OF_A_TEAM}
    assert {key: status for key, status in found.items() if status != 403 and key not in own} == {}
    assert {key: status for key, status in found.items() if key in own and status not in (403, 404, 422)} == {}


def test_a_stranger_meets_no_error_of_ours_and_no_row(client: Client) -> None:
    client.force_login(world.user())
    for _, path in operations(SAFE):
        response = client.get(path)
        assert response.status_code in (200, 400, 403, 404, 422), path
        if response.status_code == 200 and "results" in response.json():
            assert response.json()["results"] == [], path


@pytest.mark.parametrize(
    "key", [["n", "x"], ["n", 5], ["p", None], ["n", "a", "b", "c"], ["p", ["1.5"]], ["n", -1, "a"], ["p", "9" * 30]]
)
def test_another_lists_cursor_breaks_nothing_anywhere(client: Client, key: list[Any]) -> None:
    cursor = base64.urlsafe_b64encode(json.dumps(key).encode()).decode()
    headers = world.bearer(world.token())
    for _, path in operations(SAFE):
        response = client.get(f"{path}?cursor={cursor}&period=2026-10", headers=headers)
        assert response.status_code in (200, 403, 404, 422), path


def test_unknown_parameters_are_refused_everywhere(client: Client) -> None:
    headers = world.bearer(world.token(scopes=["admin"]))
    accepting = [
        path for _, path in operations(SAFE) if client.get(f"{path}?no_such=1", headers=headers).status_code == 200
    ]
    assert accepting == []
