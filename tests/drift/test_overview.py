"""The overview of models: what is open, how bad it is, and what the mitigations of 90 days cost."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from drift import reads, reads_mitigations
from drift.api_answers import ModelAnswer, ModelDetailAnswer, SpentAnswer
from drift.findings import opening
from drift.mitigation.costs import Cost
from drift.models import Finding, FindingSeverity, Mitigation, MitigationKind, MitigationState, Model
from drift.reads_mitigations import NO_COSTS, ModelCosts, Spent
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Role
from monitoring.alerts import clock
from tests import world as fleet
from tests.alerts import world as alerting
from tests.drift import world
from tests.drift.findings import finding

pytestmark = pytest.mark.django_db
EVERYTHING = TeamScope.everything()
State = MitigationState
HIGH, MEDIUM, LOW = FindingSeverity.HIGH, FindingSeverity.MEDIUM, FindingSeverity.LOW


@pytest.fixture(autouse=True)
def _now() -> None:
    alerting.set_clock()


def mitigated(of: Finding, estimated: str = "", actual: str = "", currency: str = "USD", **fields: Any) -> Mitigation:
    """One with amounts as estimates and telemetry store them; empty for what is not known."""
    return Mitigation.objects.create(
        finding=of,
        kind=fields.pop("kind", MitigationKind.RETRAIN),
        state=fields.pop("state", State.SUCCEEDED),
        cost=_cost(estimated, currency).packed(),
        actual=_cost(actual, fields.pop("actual_in", currency)).packed() if actual else {},
        proposed_at=fields.pop("at", clock.now()),
        proposed_by="mira",
        **fields,
    )


def one(name: str = "ranker") -> reads.ModelRow:
    row = reads.model(name, teams=EVERYTHING, at=clock.now())
    assert row is not None
    assert row == next(found for found in reads.models(teams=EVERYTHING, at=clock.now()) if found.name == name)
    return row


def page(client: Client, query: str = "") -> str:
    """The rows of the table, with what follows them."""
    client.force_login(fleet.user(role=Role.ADMIN))
    return client.get(f"/drift/{query}").content.decode().partition('id="models-rows"')[2]


def test_open_findings_are_counted_and_the_gravest_named() -> None:
    model, calm = world.model("ranker"), world.model("calm")
    for column, severity in (("a", LOW), ("b", HIGH), ("c", MEDIUM)):
        finding(model, column, severity=severity)
    opening.close(finding(model, "d", severity=HIGH), clock.now())
    opening.close(finding(calm, "a", severity=HIGH), clock.now())
    assert (one().open_findings, one().worst) == (3, "high")
    assert (one("calm").open_findings, one("calm").worst) == (0, "")
    opening.close(Finding.objects.get(model=model, signal="column:b"), clock.now())
    assert (one().open_findings, one().worst) == (2, "medium")


def test_costs_are_the_sums_of_what_is_known_by_currency() -> None:
    model = world.model("ranker")
    mitigated(finding(model, "a"), "20.00", "25.50")
    mitigated(finding(model, "b"), "10.10")
    mitigated(finding(model, "c"), "", "4.00", "EUR")
    mitigated(finding(model, "d"), kind=MitigationKind.TICKET)
    assert one().costs == ModelCosts(
        mitigations=4,
        estimates=2,
        actuals=2,
        spent=(Spent("EUR", None, Decimal("4.00")), Spent("USD", Decimal("30.10"), Decimal("25.50"))),
    )


def test_an_estimate_and_an_actual_in_two_currencies_stay_apart() -> None:
    mitigated(finding(world.model("ranker")), "20.00", "18.00", actual_in="EUR")
    assert one().costs.spent == (Spent("EUR", None, Decimal("18.00")), Spent("USD", Decimal("20.00"), None))


def test_nothing_known_is_not_zero() -> None:
    model = world.model("ranker")
    assert one().costs == NO_COSTS
    mitigated(finding(model))
    assert one().costs == ModelCosts(mitigations=1)
    mitigated(finding(model, "b"), "0.00")
    assert one().costs.spent == (Spent("USD", Decimal("0.00"), None),)


def test_only_the_last_ninety_days_count_and_of_the_cancelled_only_what_cost_something() -> None:
    model = world.model("ranker")
    mitigated(finding(model, "a"), "1.00", "1.00", at=clock.now() - timedelta(days=90))
    mitigated(finding(model, "b"), "2.00", "2.00", at=clock.now() - timedelta(days=89))
    mitigated(finding(model, "c"), "4.00", state=State.CANCELLED)
    mitigated(finding(model, "d"), "8.00", "3.00", state=State.CANCELLED)
    assert one().costs == ModelCosts(2, 2, 2, (Spent("USD", Decimal("10.00"), Decimal("5.00")),))


def test_models_keep_their_own_findings_and_costs_and_strangers_see_none() -> None:
    mine, other = world.model("mine"), world.model("other")
    mitigated(finding(mine), "1.00")
    mitigated(finding(other, severity=HIGH), "7.00")
    (seen,) = reads.models(teams=TeamScope(fleet=False, team_ids=frozenset({mine.owner_id})), at=clock.now())
    assert (seen.name, seen.open_findings, seen.worst, seen.costs.spent[0].estimated) == (
        "mine", 1, "medium", Decimal("1.00"),
    )  # fmt: skip
    since = clock.now() - timedelta(days=90)
    assert reads_mitigations.costs_of_models(since, teams=TeamScope.nothing()) == {}
    assert set(reads_mitigations.costs_of_models(since, teams=EVERYTHING)) == {mine.pk, other.pk}
    assert set(reads_mitigations.costs_of_models(since, teams=EVERYTHING, name="other")) == {other.pk}


def test_the_page_shows_them_with_a_dash_for_the_unknown(client: Client) -> None:
    model = world.model("ranker")
    world.model("calm")
    finding(model, "a", severity=HIGH)
    mitigated(finding(model, "b"), "1234.00", "80.25")
    mitigated(finding(model, "c"), "20.00")
    rows = page(client)
    for words in ("3 · High", "$80.25", "est. ", "$1,254"):
        assert words in rows
    assert "2 mitigations: the cost of 1 is known, estimated was that of 2" in rows
    calm = page(client, "?q=calm")
    assert "$0" not in calm
    assert calm.count('<span class="muted">\N{EN DASH}</span>') == 4
    Mitigation.objects.update(actual={})
    assert 'title="\N{EN DASH}">\N{EN DASH}</span>' in page(client, "?q=ranker")


def test_the_page_sorts_by_them_and_the_unknown_is_last(client: Client) -> None:
    for name, severities, cost in (
        ("one-high", (HIGH,), ("10.00", "")),
        ("two-high", (HIGH, HIGH), ("1.00", "9.00")),
        ("three-low", (LOW, LOW, LOW), ("100.00", "")),
        ("calm", (), None),
    ):
        model = world.model(name)
        rows = [finding(model, f"c{at}", severity=severity) for at, severity in enumerate(severities)]
        if cost is not None:
            mitigated(rows[0], *cost)
    assert _order(client, "-findings") == ["two-high", "one-high", "three-low", "calm"]
    assert _order(client, "findings") == ["three-low", "one-high", "two-high", "calm"]
    assert _order(client, "-cost") == ["three-low", "one-high", "two-high", "calm"]
    assert _order(client, "cost") == ["two-high", "one-high", "three-low", "calm"]


def test_the_download_has_a_column_for_each(client: Client) -> None:
    model = world.model("ranker")
    world.model("calm")
    mitigated(finding(model, "a", severity=HIGH), "20.00", "25.50")
    mitigated(finding(model, "b"), "", "4.00", "EUR")
    client.force_login(fleet.user(role=Role.ADMIN))
    text = b"".join(client.get("/drift/?format=csv&sort=-name")).decode()
    ranker, calm = csv.DictReader(io.StringIO(text))
    names = (
        "open_findings", "worst_finding", "mitigations", "mitigations_estimated", "mitigations_counted", "currency",
        "estimated", "actual",
    )  # fmt: skip
    assert [ranker[name] for name in names] == ["2", "high", "2", "1", "2", "EUR;USD", ";20.00", "4.00;25.50"]
    assert [calm[name] for name in names] == ["0", "", "0", "0", "0", "", "", ""]


def test_the_answer_of_the_api_holds_them_and_no_money_unless_it_may_be_told() -> None:
    model = world.model("ranker")
    mitigated(finding(model, severity=HIGH), "20.00", "25.50")
    told = ModelAnswer.of(one(), sees_money=True)
    counts = (told.open_findings, told.worst_finding, told.mitigations, told.mitigations_estimated)
    assert (*counts, told.mitigations_counted) == (1, "high", 1, 1, 1)
    assert told.spent == (SpentAnswer("USD", Decimal("20.00"), Decimal("25.50")),)
    assert ModelDetailAnswer.of(one(), sees_money=True).model == told
    assert ModelAnswer.of(one()).spent is None


def test_a_token_that_may_not_read_costs_is_told_findings_and_no_money(client: Client) -> None:
    mitigated(finding(world.model("ranker"), severity=HIGH), "20.00", "25.50")
    headers = fleet.bearer(fleet.token(scopes=["read:drift"]))
    (listed,) = client.get("/api/v1/drift/models", headers=headers).json()["results"]
    assert (listed["open_findings"], listed["worst_finding"], listed["mitigations"], listed["spent"]) == (
        1, "high", 1, None,
    )  # fmt: skip
    assert client.get("/api/v1/drift/models/ranker", headers=headers).json()["model"] == listed
    assert "25.50" not in client.get("/api/v1/drift/models?format=csv", headers=headers).content.decode()


@pytest.mark.parametrize("scopes", [["read"], ["read:drift", "read:costs"]])
def test_a_token_that_may_read_costs_is_told_the_money_of_models(client: Client, scopes: list[str]) -> None:
    mitigated(finding(world.model("ranker")), "20.00", "25.50")
    headers = fleet.bearer(fleet.token(scopes=scopes))
    (listed,) = client.get("/api/v1/drift/models", headers=headers).json()["results"]
    assert listed["spent"] == [{"currency": "USD", "estimated": "20.00", "actual": "25.50"}]
    assert client.get("/api/v1/drift/models/ranker", headers=headers).json()["model"] == listed


def test_people_are_told_the_money_of_their_models(client: Client) -> None:
    model = world.model("ranker")
    mitigated(finding(model), "20.00")
    client.force_login(fleet.member(model.owner))
    (listed,) = client.get("/api/v1/drift/models").json()["results"]
    assert listed["spent"] == [{"currency": "USD", "estimated": "20.00", "actual": None}]
    csv_line = client.get("/api/v1/drift/models?format=csv").content.decode().splitlines()[1]
    assert "20.00" in csv_line


def test_many_models_ask_no_more_of_the_database_than_one() -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as captured:
            reads.models(teams=EVERYTHING, at=clock.now())
        return len(captured.captured_queries) - 1  # the clock's own

    mitigated(finding(world.model("model-0")), "1.00")
    alone = statements()
    for number in range(1, 6):
        mitigated(finding(world.model(f"model-{number}")), "1.00")
    assert (alone, statements()) == (2, 2)


def _order(client: Client, sort: str) -> list[str]:
    rows = page(client, f"?sort={sort}")
    return sorted(Model.objects.values_list("name", flat=True), key=lambda name: rows.index(f"/drift/models/{name}/"))


def _cost(amount: str, currency: str) -> Cost:
    return Cost(amount=Decimal(amount), currency=currency) if amount else Cost(why="Unknown.")
