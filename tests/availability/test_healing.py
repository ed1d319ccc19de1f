"""Hooks that are called when something breaks: approval, rate, dry run, signature, callback, and what is well again."""

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.test import Client

from fleetledger.fleet.access import TokenPrincipal
from fleetledger.fleet.models import ApiToken, Team
from monitoring.alerts import drain
from monitoring.alerts.channels.webhook import SIGNATURE, signature
from monitoring.alerts.models import MessageState, OutboxMessage, Silence
from monitoring.availability.healing import deciding
from monitoring.availability.healing.errors import DecidedError, OnlyPeopleError
from monitoring.availability.models import HealingRun, State
from tests import world as fleet
from tests.alerts import world as alerts
from tests.alerts.receiver import Receiver, Reply, receiving
from tests.availability.healing_world import history, hook, look, probed, say

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _world(monkeypatch: pytest.MonkeyPatch) -> None:
    alerts.set_clock()
    alerts.intake_was_up()
    monkeypatch.setenv("HEALING_SECRET", "only we two")


@pytest.fixture
def server() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def vision() -> Team:
    return fleet.team("vision")


def run() -> HealingRun:
    return HealingRun.objects.get()


def approve(of: HealingRun) -> None:
    deciding.decide(of.pk, fleet.user(first_name="Ada"), is_approved=True)


def call_back(path: str, body: str, *, key: str = "only we two", age_s: int = 0) -> int:
    raw = body.encode()
    headers = {SIGNATURE: signature(key, raw, int(time.time()) - age_s)}
    client = Client(enforce_csrf_checks=True)
    return client.post(path, raw, content_type="application/json", headers=headers).status_code


def test_nothing_is_sent_before_a_person_approves(server: Receiver) -> None:
    hook(server.url)
    alerts.post("Down", node="n1")
    assert look() == look() == [("proposed", "")]
    drain.drain_due()
    assert server.told == []
    approve(run())
    look()
    drain.drain_due()
    (told,) = server.told
    facts = told.document["groupLabels"]
    assert (facts["event"], facts["hook"], facts["run"]) == ("heal", "restart", str(run().key))
    assert facts["evidence_labels"] == "alertname=Down,node=n1"
    look()
    assert history(run()) == ["Proposed", "Ada: Approved", "Queued for the receiver", "The receiver took it"]


def test_the_call_is_signed_and_its_key_is_equal_on_every_try(server: Receiver) -> None:
    server.decide = lambda _: Reply(500 if len(server.told) < 2 else 200)
    hook(server.url, needs_approval=False)
    alerts.post("Down")
    look()
    drain.drain_due()
    alerts.advance(10)
    drain.drain_due()
    first, second = server.told[:2]
    assert first.key == second.key
    stamp = int(second.headers[SIGNATURE.lower()].partition(",")[0].removeprefix("t="))
    assert second.headers[SIGNATURE.lower()] == signature("only we two", second.raw, stamp)


def test_the_receiver_says_what_became_of_it_signed(server: Receiver) -> None:
    hook(server.url, needs_approval=False)
    alerts.post("Down")
    look()
    drain.drain_due()
    path = urlsplit(server.told[0].document["groupLabels"]["callback_url"]).path
    key = server.told[0].document["groupLabels"]["run"]
    good = json.dumps({"run": key, "outcome": "failed", "message": "No such host"})
    assert call_back(path, good, key="another") == 403
    assert call_back(path, good, age_s=301) == 403
    assert Client().post(path, good, content_type="application/json").status_code == 403
    assert call_back(path, "[]") == 422
    assert call_back(path, json.dumps({"run": key, "outcome": {}})) == 422
    assert call_back(path, json.dumps({"run": str(uuid4()), "outcome": "succeeded"})) == 422
    assert call_back(f"{path[:-5]}0000/", good) == 403
    assert call_back(path, "x" * 10_001) == 413
    assert run().state == "sent"
    assert call_back(path, good) == call_back(path, good) == 200
    assert call_back(path, json.dumps({"run": key, "outcome": "succeeded"})) == 409
    assert (run().state, run().result) == ("failed", "No such host")
    assert history(run())[-1] == "receiver of restart: Failed: No such host"


def test_what_is_well_again_after_the_call_has_succeeded(server: Receiver) -> None:
    api, probe = probed()
    hook(server.url, component=api, after_s=60, needs_approval=False)
    say(probe, State.DOWN)
    assert look() == []
    alerts.advance(60)
    say(probe, State.DOWN)
    assert look() == [("sent", "")]
    drain.drain_due()
    look()
    alerts.advance(30)
    say(probe, State.UP)
    assert look() == [("succeeded", "It is well again, 30 s after the call.")]


def test_one_trouble_is_healed_once_a_new_one_anew() -> None:
    api, probe = probed()
    hook(component=api, states=["down", "degraded"], needs_approval=False, is_dry_run=True)
    for state in (State.DEGRADED, State.DOWN, State.DOWN):
        say(probe, state)
        look()
        alerts.advance(30)
    assert len(look()) == 1
    say(probe, State.UP)
    look()
    alerts.advance(30)
    say(probe, State.DOWN)
    assert len(look()) == 2


def test_planned_work_and_silences_are_nobodys_to_heal() -> None:
    hook(needs_approval=False, is_dry_run=True)
    now = alerts.START
    matchers = [{"name": "alertname", "value": "Down", "isRegex": False, "isEqual": True}]
    Silence.objects.create(
        matchers=matchers, starts_at=now, ends_at=alerts.after(60), updated_at=now, created_by="m", comment="known"
    )
    alerts.post("Down")
    assert look() == []


def test_what_is_well_again_before_somebody_approves_runs_out() -> None:
    hook()
    alerts.post("Down")
    look()
    alerts.advance(10)
    alerts.resolve("Down")
    assert look() == [("expired", "It is well again, so nothing was sent.")]
    with pytest.raises(DecidedError, match="does not wait any more: it is ran out"):
        approve(run())


def test_what_nobody_approves_in_time_runs_out() -> None:
    hook(approve_within_s=600)
    alerts.post("Down")
    look()
    alerts.advance(599)
    assert look() == [("proposed", "")]
    alerts.advance(1)
    assert look() == [("expired", "Nobody approved it in time.")]


def test_a_refused_run_sends_nothing_and_names_who(server: Receiver) -> None:
    hook(server.url)
    alerts.post("Down")
    look()
    deciding.decide(run().pk, fleet.user(first_name="Ada"), is_approved=False)
    look()
    drain.drain_due()
    assert (server.told, run().state, run().decided_by) == ([], "refused", "Ada")


def test_a_program_approves_nothing() -> None:
    hook()
    alerts.post("Down")
    look()
    fleet.token("robot", scopes=["admin"])
    with pytest.raises(OnlyPeopleError):
        deciding.decide(run().pk, TokenPrincipal(ApiToken.objects.get()), is_approved=True)
    assert run().state == "proposed"


def test_a_dry_run_is_written_down_and_not_sent(server: Receiver) -> None:
    hook(server.url, needs_approval=False, is_dry_run=True)
    alerts.post("Down")
    assert look() == [("succeeded", "A dry run: nothing was sent.")]
    drain.drain_due()
    assert (server.told, OutboxMessage.objects.count()) == ([], 0)


def test_more_than_the_rate_waits_for_its_turn(server: Receiver) -> None:
    hook(server.url, needs_approval=False, most_per_hour=2)
    for node in ("n1", "n2", "n3"):
        alerts.post("Down", node=node)
        look()
        alerts.advance(60)
    assert [state for state, _ in look()] == ["sent", "sent", "approved"]
    held = HealingRun.objects.order_by("pk")[2]
    assert held.held_for == "Waits: 2 runs within the last hour. The next may go at 13:00:00 UTC."
    assert history(held)[-1] == held.held_for


def test_what_waits_for_its_turn_goes_when_it_comes(server: Receiver) -> None:
    hook(server.url, needs_approval=False, most_per_hour=1, answer_within_s=86_400)
    for node in ("n1", "n2"):
        alerts.post("Down", node=node, end=alerts.after(86_400))
    assert [state for state, _ in look()] == ["sent", "approved"]
    alerts.advance(3599)
    assert [state for state, _ in look()] == ["sent", "approved"]
    alerts.advance(1)
    assert [state for state, _ in look()] == ["sent", "sent"]


def test_a_call_that_comes_too_late_is_not_made_any_more(server: Receiver) -> None:
    hook(server.url, needs_approval=False, answer_within_s=300)
    alerts.post("Down", end=alerts.after(86_400))
    look()
    alerts.advance(300)
    assert look() == [("expired", "The receiver did not say in time what became of it.")]
    drain.drain_due()
    assert (server.told, OutboxMessage.objects.get().state) == ([], MessageState.DROPPED)


def test_a_receiver_that_refuses_is_a_failure(server: Receiver) -> None:
    server.decide = lambda _: Reply(404, body="no such job")
    hook(server.url, needs_approval=False)
    alerts.post("Down")
    look()
    drain.drain_due()
    ((state, result),) = look()
    assert (state, result.startswith("The receiver refused it: 404")) == ("failed", True)


def test_a_hook_is_about_alerts_of_its_own_tenant_only(vision: Team) -> None:
    hook(needs_approval=False, is_dry_run=True)
    alerts.post("Down", team=vision)
    assert look() == []
    hook(name="theirs", team=vision, needs_approval=False, is_dry_run=True)
    assert len(look()) == 1


def test_a_removed_hook_sends_nothing_more(server: Receiver) -> None:
    made = hook(server.url)
    alerts.post("Down")
    look()
    approve(run())
    made.removed_at = alerts.START
    made.save()
    assert look() == [("expired", "The hook was removed, so nothing was sent.")]


def test_without_its_secret_nobody_is_believed(server: Receiver, monkeypatch: Any) -> None:
    hook(server.url, needs_approval=False)
    alerts.post("Down")
    look()
    drain.drain_due()
    path = urlsplit(server.told[0].document["groupLabels"]["callback_url"]).path
    monkeypatch.delenv("HEALING_SECRET")
    assert call_back(path, '{"outcome": "succeeded"}', key="") == 403
