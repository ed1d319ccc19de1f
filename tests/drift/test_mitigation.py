"""Mitigations: proposed and approved by people, sent once with one key, followed by signed callbacks, with costs."""

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from drift import reads_mitigations
from drift.mitigation import acts, costs, following
from drift.mitigation.acts import Move
from drift.mitigation.errors import OneIsLiveError, SecondPersonError, WrongStepError
from drift.models import Finding, Mitigation, MitigationKind, MitigationState, MitigationStep, Model
from drift.reviews import verdicts
from drift.reviews.verdicts import Person
from fleetledger.fleet import ports
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.models import Role
from fleetledger.lib.buckets import Window
from monitoring.alerts import drain
from monitoring.alerts.channels.webhook import SIGNATURE, signature
from monitoring.alerts.models import OutboxMessage
from monitoring.telemetry import partitions, reads
from monitoring.telemetry.models import GpuHour
from tests import world as fleet
from tests.alerts import world as alerting
from tests.alerts.receiver import CLOSE, Receiver, Reply, receiving
from tests.drift import world
from tests.drift.findings import finding

pytestmark = pytest.mark.django_db
SECRET = "a-secret-of-tests"
URL = "/api/v1/drift/mitigations"
State = MitigationState


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    alerting.set_clock()
    monkeypatch.setenv("RETRAIN_SECRET", SECRET)
    with receiving() as found:
        yield found


def hooked(server: Receiver, **fields: Any) -> Finding:
    hook = {"url": server.url, "secret": {"env": "RETRAIN_SECRET"}}
    return finding(world.model("ranker", retrain_webhook=hook, **fields))


def person(name: str = "mira") -> Person:
    return verdicts.person(fleet.user(name))


def approved(row: Finding) -> Mitigation:
    made = acts.propose(row, MitigationKind.RETRAIN, "With October.", person())
    return acts.approve(made.pk, "", person("olaf"))


def state(row: Mitigation) -> str:
    row.refresh_from_db()
    return row.state


def call(client: Client, row: Mitigation, body: Mapping[str, Any], *, secret: str = SECRET, age_s: int = 0) -> Any:
    raw = json.dumps({"key": str(row.key), **body}).encode()
    at = int(alerting.START.timestamp()) - age_s
    headers = {SIGNATURE: signature(secret, raw, at)}
    return client.post(f"/drift/callbacks/{row.key}", raw, "application/json", headers=headers)


def held(name: str, hours: int, begins: datetime, *, of: Model, gpus: int = 1) -> None:
    """A workload that held so many GPUs for so many hours."""
    workload = fleet.workload(name)
    partitions.ensure(Window(begins, begins + timedelta(hours=hours)))
    for number in range(gpus):
        gpu = fleet.gpu()
        for hour in range(hours):
            GpuHour.objects.create(
                bucket=begins + timedelta(hours=hour),
                unit_id=gpu.pk * 10 + number,
                workload_id=workload.pk,
                gpu_id=gpu.pk,
                node_id=gpu.node_id,
                team_id=of.owner_id,
                allocated_us=3_600_000_000,
            )


def test_it_is_sent_once_signed_and_with_its_own_key_whatever_retries(server: Receiver) -> None:
    answers = iter([Reply(503), Reply(CLOSE), Reply(200)])
    server.decide = lambda _: next(answers)
    row = approved(hooked(server))
    for _ in range(3):
        drain.drain_due()
        alerting.advance(600)
    assert server.keys == [str(row.key)] * 3
    told = server.told[-1]
    at = int(told.headers[SIGNATURE.lower()].split(",")[0].removeprefix("t="))
    assert told.headers[SIGNATURE.lower()] == signature(SECRET, told.raw, at)
    facts = told.document["groupLabels"]
    assert (facts["event"], facts["kind"], facts["model"], facts["key"]) == (
        "mitigation", "retrain", "ranker", str(row.key),
    )  # fmt: skip
    assert facts["callback_url"].endswith(f"/drift/callbacks/{row.key}")
    assert (following.follow(), state(row)) == ("1 mitigations moved, the cost of 0 is known.", State.SENT)
    assert (following.follow(), OutboxMessage.objects.count()) == ("0 mitigations moved, the cost of 0 is known.", 1)


def test_a_webhook_that_refuses_fails_it(server: Receiver) -> None:
    server.decide = lambda _: Reply(400)
    row = approved(hooked(server))
    drain.drain_due()
    following.follow()
    assert state(row) == State.FAILED
    assert "refused" in row.steps.order_by("-pk")[0].note


def test_what_is_cancelled_before_it_was_sent_is_not_sent(server: Receiver) -> None:
    row = approved(hooked(server))
    acts.change(row.pk, Move(State.CANCELLED, "No."), person("nina"))
    drain.drain_due()
    assert (server.told, state(row)) == ([], State.CANCELLED)


def test_callbacks_are_signed_fresh_and_counted_once(client: Client, server: Receiver) -> None:
    row = approved(hooked(server))
    drain.drain_due()
    following.follow()
    running = {"state": "running", "link": "https://ci.example.org/7"}
    assert call(client, row, running, secret="wrong").status_code == 403
    assert call(client, row, running, age_s=301).status_code == 403
    first, again = call(client, row, running), call(client, row, running)
    assert (first.json()["known"], again.json()["known"], again.json()["state"]) == (False, True, "running")
    assert call(client, row, {"state": "approved"}).status_code == 422
    assert call(client, row, {"state": "succeeded", "key": str(uuid.uuid4())}).status_code == 422
    assert call(client, row, {"state": "succeeded", "note": "auc 0.91"}).status_code == 200
    assert call(client, row, {"state": "running", "note": "late"}).status_code == 409
    assert (state(row), row.link) == (State.SUCCEEDED, "https://ci.example.org/7")
    assert [(step.state, step.by_name) for step in row.steps.all()] == [
        ("proposed", "mira"),
        ("approved", "olaf"),
        ("sent", "the outbox"),
        ("running", "callback"),
        ("succeeded", "callback"),
    ]
    assert client.post(f"/drift/callbacks/{uuid.uuid4()}", b"{}", "application/json").status_code == 403
    assert client.get(f"/drift/callbacks/{row.key}").status_code == 405


def test_without_a_secret_no_callback_is_believed(client: Client) -> None:
    alerting.set_clock()
    row = acts.propose(finding(world.model()), MitigationKind.RETRAIN, "", person())
    assert call(client, row, {"state": "running"}, secret="").status_code == 403


def test_a_production_model_needs_another_person_to_approve() -> None:
    row = finding(world.model(is_production=True))
    mira = person()
    made = acts.propose(row, MitigationKind.ROLLBACK, "", mira)
    with pytest.raises(SecondPersonError):
        acts.approve(made.pk, "", mira)
    assert acts.approve(made.pk, "", person("olaf")).state == State.APPROVED


def test_a_new_reference_is_itself_reviewed() -> None:
    mira = person()
    made = acts.propose(finding(world.model()), MitigationKind.NEW_REFERENCE, "", mira)
    with pytest.raises(SecondPersonError):
        acts.change(made.pk, Move(State.APPROVED), mira)


def test_states_only_go_forward_and_one_of_a_kind_is_live() -> None:
    row = finding(world.model())
    mira = person()
    made = acts.propose(row, MitigationKind.TICKET, "", mira)
    with pytest.raises(OneIsLiveError):
        acts.propose(row, MitigationKind.TICKET, "", mira)
    with pytest.raises(WrongStepError, match="proposed cannot become running"):
        acts.change(made.pk, Move(State.RUNNING), mira)
    acts.change(made.pk, Move(State.APPROVED), mira)
    acts.change(made.pk, Move(State.SUCCEEDED, "Mended.", "https://tickets.example.org/1"), mira)
    with pytest.raises(WrongStepError):
        acts.change(made.pk, Move(State.CANCELLED), mira)
    assert acts.propose(row, MitigationKind.TICKET, "again", mira).pk != made.pk


def test_steps_are_only_added_to() -> None:
    acts.propose(finding(world.model()), MitigationKind.TICKET, "", person())
    with pytest.raises(DatabaseError, match="is history"), transaction.atomic():
        MitigationStep.objects.update(note="x")


def test_before_it_runs_it_costs_the_median_of_the_last_retrains(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    fleet.pool("h100", {"gpu_model": ".*H100.*"})
    model = world.model("ranker", pool="h100", retrain_match={"workload": "retrain-ranker-.*"})
    for number, hours in enumerate((2, 4, 9)):
        held(f"retrain-ranker-{number}", hours, now - timedelta(days=10 - number), of=model, gpus=2)
    held("retrain-other-0", 5, now - timedelta(days=3), of=model)
    price = {"NVIDIA H100 80GB HBM3": ports.HourPrice(Decimal("2.50"), "USD")}
    monkeypatch.setattr(ports, "gpu_hour_prices", lambda models, _at: {name: price[name] for name in models})
    cost = costs.estimate(model, MitigationKind.RETRAIN, now)
    assert (cost.gpu_hours, cost.amount, cost.currency, cost.runs) == (Decimal("8.000"), Decimal("20.00"), "USD", 3)
    assert (cost.budget_left, cost.why) == (None, "No budget is known.")
    assert costs.Cost.unpacked(cost.packed()) == cost
    left = ports.BudgetLeft(Decimal("15.00"), "USD")
    monkeypatch.setattr(ports, "budget_left", lambda _team, _at: left)
    known = costs.estimate(model, MitigationKind.RETRAIN, now)
    assert (known.budget_left, known.why) == (Decimal("15.00"), "")
    monkeypatch.setattr(ports, "gpu_hour_prices", lambda _models, _at: {})
    assert costs.estimate(model, MitigationKind.RETRAIN, now).why.startswith("The amount is unknown: NVIDIA H100")


def test_the_price_is_the_pools_or_nobodys(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    fleet.pool("h100", {"gpu_model": ".*H100.*"})
    fleet.pool("a100", {"gpu_model": ".*A100.*"})
    fleet.gpu(model="NVIDIA A100-SXM4-80GB")
    model = world.model("ranker", retrain_match={"workload": "retrain-ranker-.*"})
    held("retrain-ranker-0", 3, now - timedelta(days=2), of=model)
    price = ports.HourPrice(Decimal("2.50"), "USD")
    monkeypatch.setattr(ports, "gpu_hour_prices", lambda models, _at: dict.fromkeys(models, price))

    def estimated(pool: str) -> costs.Cost:
        model.pool = pool
        return costs.estimate(model, MitigationKind.RETRAIN, now)

    assert (estimated("h100").price, estimated("h100").amount) == (Decimal("2.50"), Decimal("7.50"))
    for pool, words in (
        ("", "the model names no pool"),
        ("a100", "which pool 'a100' does not have"),
        ("gone", "'gone'"),
    ):
        unknown = estimated(pool)
        assert (unknown.gpu_hours, unknown.price, unknown.amount) == (Decimal("3.000"), None, None)
        assert words in unknown.why


def test_an_amount_has_the_decimals_of_its_currency(monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    fleet.pool("h100", {"gpu_model": ".*H100.*"})
    model = world.model("ranker", pool="h100", retrain_match={"workload": "retrain-ranker-.*"})
    held("retrain-ranker-0", 3, now - timedelta(days=2), of=model)
    for currency, amount in (("JPY", "1001"), ("USD", "1000.52"), ("KWD", "1000.515")):
        price = ports.HourPrice(Decimal("333.505"), currency)
        monkeypatch.setattr(ports, "gpu_hour_prices", lambda models, _at, price=price: dict.fromkeys(models, price))
        assert str(costs.estimate(model, MitigationKind.RETRAIN, now).amount) == amount


def test_what_is_unknown_is_said_and_never_nothing() -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    bare, unseen = world.model("bare"), world.model("unseen", retrain_match={"workload": "x-.*"})
    assert costs.estimate(bare, MitigationKind.RETRAIN, now) == costs.Cost(
        why="Unknown: the model has no retrain_match, so no retrain is known. No budget is known."
    )
    assert costs.estimate(unseen, MitigationKind.RETRAIN, now).why.startswith("Unknown: no retrain ran within 90 days.")
    made = acts.propose(finding(bare), MitigationKind.RETRAIN, "", person())
    assert (costs.actual(made), costs.shown(made).why) == (None, "Not known before it is over.")


def test_after_it_ran_it_costs_what_telemetry_saw(monkeypatch: pytest.MonkeyPatch) -> None:
    start = datetime(2026, 11, 20, 12, tzinfo=UTC)
    model = world.model("ranker", retrain_match={"workload": "retrain-ranker-.*"})
    held("retrain-ranker-1", 1, start - timedelta(days=3), of=model)
    row = acts.propose(finding(model), MitigationKind.RETRAIN, "", person())
    row.state, row.sent_at, row.finished_at = State.SUCCEEDED, start, start + timedelta(hours=5)
    row.save()
    alerting.set_clock(start + timedelta(days=1))
    monkeypatch.setattr(reads, "complete_until", lambda: start)
    assert costs.actual(row) is None
    assert costs.shown(row).why == "Not known yet: telemetry is not complete up to its end."
    monkeypatch.setattr(reads, "complete_until", lambda: start + timedelta(days=1))
    assert costs.actual(row) == costs.Cost(why="Unknown: telemetry saw no run that matches.")
    held("retrain-ranker-2", 3, start + timedelta(hours=1), of=model, gpus=2)
    assert following.follow() == "0 mitigations moved, the cost of 1 is known."
    row.refresh_from_db()
    assert (costs.shown(row).gpu_hours, costs.shown(row).amount) == (Decimal("6.000"), None)


def test_by_api_and_not_by_strangers(client: Client) -> None:
    row = finding(world.model())
    body = {"finding": row.pk, "kind": "ticket", "note": "x"}
    client.force_login(fleet.member(row.model.owner, role=Role.LEAD))
    made = client.post(URL, body, "application/json")
    assert (made.status_code, made.json()["state"], made.json()["estimate"]["amount"]) == (201, "proposed", None)
    one = f"{URL}/{made.json()['id']}"
    assert client.post(URL, body, "application/json").status_code == 409
    assert client.patch(one, {"state": "sent"}, "application/json").status_code == 422
    assert client.patch(one, {"state": "approved"}, "application/json").json()["state"] == "approved"
    client.force_login(fleet.member(row.model.owner))
    assert client.get(one).status_code == 200
    assert client.patch(one, {"state": "cancelled"}, "application/json").status_code == 403
    client.force_login(fleet.member(fleet.team("others"), role=Role.LEAD))
    assert (client.get(one).status_code, client.get(URL).json()["results"]) == (404, [])
    assert client.post(URL, body, "application/json").status_code == 404
    assert client.patch(one, {"state": "cancelled"}, "application/json").status_code == 404
    assert reads_mitigations.stored(made.json()["id"], teams=TeamScope.everything()).state == State.APPROVED


MONEY = {"price": "2.50", "amount": "20.00", "currency": "USD", "budget_left": "15.00", "budget_currency": "USD"}
ESTIMATE = costs.Cost(
    gpu_hours=Decimal("8.000"),
    gpu_model="NVIDIA H100",
    price=Decimal("2.50"),
    amount=Decimal("20.00"),
    currency="USD",
    runs=3,
    budget_left=Decimal("15.00"),
    budget_currency="USD",
)


def priced() -> Mitigation:
    made = acts.propose(finding(world.model()), MitigationKind.RETRAIN, "", person())
    made.cost = made.actual = ESTIMATE.packed()
    made.save()
    return made


@pytest.mark.parametrize(
    ("scopes", "sees"),
    [
        (["read:drift"], False),
        (["read:drift", "read:telemetry"], False),
        (["write:drift"], False),
        (["read:drift", "read:costs"], True),
        (["read"], True),
    ],
)
def test_a_token_that_may_not_read_costs_is_told_no_money(client: Client, scopes: list[str], *, sees: bool) -> None:
    row = priced()
    headers = fleet.bearer(fleet.token(scopes=scopes))
    told = [client.get(f"{URL}/{row.pk}", headers=headers).json(), *client.get(URL, headers=headers).json()["results"]]
    for cost in (one[part] for one in told for part in ("estimate", "actual")):
        assert (cost["gpu_hours"], cost["gpu_model"], cost["runs"]) == ("8.000", "NVIDIA H100", 3)
        if sees:
            assert ({key: cost[key] for key in MONEY}, cost["why"]) == (MONEY, "")
        else:
            none = {"price": None, "amount": None, "currency": "", "budget_left": None, "budget_currency": ""}
            assert {key: cost[key] for key in none} == none
            assert "read:costs" in cost["why"]
    lines = client.get(f"{URL}?format=csv", headers=headers).content.decode()
    assert ("20.00" in lines, "15.00" in lines) == (sees, sees)


def test_changes_tell_no_more_money_than_reads(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(costs, "estimate", lambda *_: ESTIMATE)
    row = finding(world.model())
    body = {"finding": row.pk, "kind": "retrain"}
    narrow = fleet.bearer(fleet.token("narrow", ["read:drift", "write:drift"]))
    made = client.post(URL, body, "application/json", headers=narrow)
    assert (made.status_code, made.json()["estimate"]["gpu_hours"], made.json()["estimate"]["amount"]) == (
        201, "8.000", None,
    )  # fmt: skip
    one = f"{URL}/{made.json()['id']}"
    moved = client.patch(one, {"state": "cancelled"}, "application/json", headers=narrow)
    assert (moved.json()["state"], moved.json()["estimate"]["price"]) == ("cancelled", None)
    wide = fleet.bearer(fleet.token("wide", ["write:drift", "read:costs"]))
    assert client.post(URL, body, "application/json", headers=wide).json()["estimate"]["amount"] == "20.00"


def test_people_see_the_money_of_their_teams(client: Client) -> None:
    row = priced()
    client.force_login(fleet.member(row.finding.model.owner))
    assert client.get(f"{URL}/{row.pk}").json()["estimate"]["amount"] == "20.00"
    assert "$20.00" in client.get(f"/drift/findings/{row.finding_id}/").content.decode()


def test_why_gpu_hours_are_unknown_is_said_without_money_too(client: Client) -> None:
    row = acts.propose(finding(world.model()), MitigationKind.RETRAIN, "", person())
    headers = fleet.bearer(fleet.token(scopes=["read:drift"]))
    why = client.get(f"{URL}/{row.pk}", headers=headers).json()["estimate"]["why"]
    assert why.startswith("Unknown: the model has no retrain_match")
    assert why.endswith("give this one the scope 'read:costs' too.")
