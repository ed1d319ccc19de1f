"""The OpenAPI document: committed, complete, and true of what the API answers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.urls import get_resolver
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from drift.ingest import Sender
from drift.mitigation import acts
from drift.models import MitigationKind
from drift.native import events
from drift.reviews.verdicts import Person
from fleetledger.rest import docs
from tests import world
from tests.alerts import pages_world
from tests.availability import slo_world
from tests.drift import row_files
from tests.drift import world as drift_world
from tests.drift.findings import finding

COMMITTED = Path(docs.__file__).with_name("openapi.yaml")
MEND = "Run: manage.py spectacular --file platform/fleetledger/rest/openapi.yaml"
NOT_ASKED: list[Any] = [
    positive_data_acceptance,  # a cursor, or 'to' after 'from', is more than a document can say: those are 422
    ignored_auth,  # it repeats the request with our header; test_attacks asks without one
]
schema = schemathesis.openapi.from_wsgi("/api/v1/schema/?format=json", get_wsgi_application())


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """The application under test shares the test's connection, and so its transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def _some_rows() -> None:
    """One of each, so that answers have rows to be held against the document."""
    vision = world.team("vision", parent=world.team("research"))
    world.member(vision, username="mira")
    gpu = world.gpu("GPU-1", node=world.node("n1"))
    world.mig_slice(gpu, 1)
    world.rule(vision, {"namespace": "vision-.*", "tags": {"team": "vision"}})
    alert = pages_world.alert(team=vision, node="n1")
    pages_world.report(alert, pages_world.sender(team=vision))
    pages_world.message(pages_world.destination(team=vision), alert)
    world.source("prom1", watermark_at=world.START, last_error="Connection refused", last_error_at=world.START)
    slo_world.slo(team=vision)
    model = drift_world.model("ranker", owner=vision)
    row_files.reference(model, {"age": list(range(300))})
    row_files.window(model, {"age": list(range(200))})
    event = {"at": "2026-11-01T10:00:00Z", "id": "a", "features": {"age": 1}, "prediction": 1, "label": 1}
    events.receive(model, [event], sender=Sender(name="a test"))
    found = finding(model)
    acts.propose(found, MitigationKind.TICKET, "", Person("mira"))


def generated() -> dict[str, Any]:
    generator: Any = SchemaGenerator  # untyped
    document: dict[str, Any] = generator().get_schema(request=None, public=True)
    return document


def test_the_committed_document_is_the_one_that_is_served() -> None:
    renderer: Any = OpenApiYamlRenderer()  # untyped
    assert COMMITTED.read_bytes() == renderer.render(generated(), renderer_context={}), MEND


def test_every_endpoint_of_the_api_is_described() -> None:
    paths = [path for path in _addresses(get_resolver()) if path.startswith("api/v1/")]
    hidden = {"api/v1/schema/", "api/v1/docs/"}
    described = {path.lstrip("/") for path in generated()["paths"]}
    assert {_braces(path) for path in paths} - hidden == described


def test_every_operation_has_a_summary_and_its_refusals() -> None:
    operations = [
        (path, method, operation)
        for path, methods in generated()["paths"].items()
        for method, operation in methods.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]
    assert [path for path, _, operation in operations if not operation.get("summary")] == []
    assert [path for path, _, operation in operations if "401" not in operation["responses"]] == []


@pytest.mark.django_db
@pytest.mark.filterwarnings("ignore:Skipped test cases with unsupported payload")  # a bill may come as gzip
@pytest.mark.usefixtures("_one_connection", "_some_rows")
@schema.parametrize()
@settings(
    max_examples=8,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_the_api_answers_as_its_document_says(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(headers=world.bearer(world.token(scopes=["admin"])), excluded_checks=NOT_ASKED)


def _addresses(resolver: Any, prefix: str = "") -> list[str]:
    found: list[str] = []
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        found += _addresses(entry, path) if hasattr(entry, "url_patterns") else [path]
    return found


def _braces(path: str) -> str:
    """<uuid:job_id> as {job_id}."""
    for part in path.split("/"):
        if part.startswith("<"):
            path = path.replace(part, "{" + part.strip("<>").partition(":")[2] + "}")
    return path
