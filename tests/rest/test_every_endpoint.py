"""What holds for every endpoint of the API, those of other rooms included: it walks the OpenAPI document."""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from tests import world

pytestmark = pytest.mark.django_db
OPEN = frozenset({"/api/v1/config-schema"})
SAFE = ("get",)
UNSAFE = ("post", "put", "patch", "delete")
_EXAMPLES = {"job_id": str(UUID(int=1)), "period": "2026-10", "id": "1", "import_id": "1"}


def operations(methods: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(method, address with examples in it) of everything that is described and not open to all."""
    generator: type = SchemaGenerator
    for path, known in generator().get_schema(request=None, public=True)["paths"].items():
        filled = re.sub(r"\{(\w+)\}", lambda match: _EXAMPLES.get(match[1], "x"), path)
        if path not in OPEN:
            yield from ((method, filled) for method in known if method in methods)


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
    assert {key: status for key, status in found.items() if status != 403} == {}


def test_a_stranger_meets_no_error_of_ours_and_no_row(client: Client) -> None:
    client.force_login(world.user())
    for _, path in operations(SAFE):
        response = client.get(path)
        assert response.status_code in (200, 400, 403, 404, 422), path
        if response.status_code == 200 and "results" in response.json():
            assert response.json()["results"] == [], path


def test_unknown_parameters_are_refused_everywhere(client: Client) -> None:
    headers = world.bearer(world.token(scopes=["admin"]))
    accepting = [
        path for _, path in operations(SAFE) if client.get(f"{path}?no_such=1", headers=headers).status_code == 200
    ]
    assert accepting == []
