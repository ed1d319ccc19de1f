"""What single steps of an escalation do with real receivers: webhooks, everyone, and steps of a route that is muted."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from fleetledger.fleet.models import Role, User
from monitoring.alerts import acts, clock, flush
from monitoring.alerts.channels.webhook import signature
from monitoring.alerts.escalation import advance, webhooks
from monitoring.alerts.models import ContactMethod, Escalation, Event, MessageState, OutboxMessage, Page
from tests import world as fleet
from tests.alerts import world
from tests.alerts.delivery_world import hook, notes
from tests.alerts.receiver import Receiver, Reply, receiving
from tests.alerts.schedules_world import person
from tests.alerts.test_escalation import MIRA, chain, go, paged, reachable, run

pytestmark = pytest.mark.django_db
MUTED = "Muted by the time interval 'lunch'"


@pytest.fixture
def server() -> Iterator[Receiver]:
    world.set_clock()
    with receiving() as found:
        world.tree(route=escalating(), receivers=[hook(f"{found.url}/root")])
        for name in ("mira", "tom"):
            reachable(person(name), found.url)
        yield found


def escalating() -> dict[str, Any]:
    """A route that tells at once, and escalates by 'primary'."""
    timing = {"group_by": ["alertname"], "group_wait": "0s", "group_interval": "1m"}
    return {"receiver": "default", "escalation": "primary", **timing}


def test_a_webhook_step_calls_its_address_signed_and_again_with_the_end(
    server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEP_SECRET", "of-the-step")
    step = {"webhook": {"url": f"{server.url}/step", "secret": {"env": "STEP_SECRET"}}}
    row = chain([step, {"wait": "5m"}, {"person": "tom"}])
    webhooks.bring_to(row, row.steps, world.START)
    world.post()
    go(60)
    (called,) = [told for told in server.told if told.path == "/hook/step"]
    stamp = int(called.headers["x-fleetledger-signature"].partition(",")[0].removeprefix("t="))
    assert called.headers["x-fleetledger-signature"] == signature("of-the-step", called.raw, stamp)
    assert (called.document["note"], [one["labels"]["alertname"] for one in called.document["alerts"]]) == (
        "Escalation 'primary': nobody has acknowledged yet.",
        ["Hot"],
    )
    assert notes("escalated")[1] == "step 1 of 3: told primary by Webhook"
    acts.acknowledge([world.alert().pk], MIRA)
    go(600)
    assert paged(server) == ["step: firing"]
    world.resolve()
    go(60)
    assert paged(server) == ["step: firing", "step: resolved"]
    assert "of-the-step" not in str(list(OutboxMessage.objects.values_list("body", "last_error")))


def test_a_webhook_that_refuses_is_told_to_the_fallback_and_the_steps_go_on(server: Receiver) -> None:
    server.decide = lambda told: Reply(404) if told.path == "/hook/step" else Reply()
    row = chain([{"webhook": {"url": f"{server.url}/step"}}, {"wait": "1m"}, {"person": "tom"}])
    webhooks.bring_to(row, row.steps, world.START)
    world.post()
    go(70)
    fallen = OutboxMessage.objects.get(kind="fallback")
    assert (fallen.state, fallen.body["note"].partition(".")[0]) == (
        MessageState.SENT,
        "The webhook of escalation 'primary' could not be told by webhook",
    )
    assert paged(server) == ["step: firing", "tom: firing"]


def test_everyone_is_paged_once_by_their_own_ways_and_who_has_none_is_named(server: Receiver) -> None:
    vision = fleet.team("vision")
    for name, role in (("ana", Role.LEAD), ("ben", Role.VIEWER), ("cleo", Role.VIEWER)):
        reachable(person(name, vision, role=role), server.url)
    reachable(person("sam", role=Role.SRE), server.url)
    ContactMethod.objects.filter(user__username="cleo").update(verified_at=None)
    for name in ("mira", "tom"):  # of no team: not theirs
        assert User.objects.filter(username=name, memberships=None).exists()
    world.tree(vision, route=escalating(), receivers=[hook(f"{server.url}/root")])
    chain([{"everyone": True}], team=vision)
    world.post(team=vision)
    go()
    assert sorted(paged(server)) == ["ana: firing", "ben: firing", "sam: firing"]
    assert sorted(Page.objects.values_list("person__username", "problem")) == [
        ("ana", ""),
        ("ben", ""),
        ("cleo", "Cleo Example has no verified contact method."),
        ("sam", ""),
    ]
    assert list(Event.objects.filter(kind="not_told").values_list("note", flat=True)) == [
        "Cleo Example has no verified contact method (everyone)."
    ]


def test_everyone_costs_no_more_statements_than_a_few(server: Receiver) -> None:
    vision = fleet.team("vision")
    counts = []
    for number in (3, 30):
        for place in range(number):
            reachable(person(f"p{number}-{place}", vision), server.url)
        world.tree(vision, route=escalating(), receivers=[hook(f"{server.url}/root")])
        Escalation.objects.filter(name="primary").delete()
        chain([{"everyone": True}], team=vision)
        world.post(f"Hot{number}", team=vision)
        flush.flush_due(clock.now())
        with CaptureQueriesContext(connection) as ran:
            advance.advance_due(clock.now())
        counts.append(len(ran))
        assert Page.objects.count() >= number
    assert counts[0] == counts[1]


def test_a_muted_route_puts_the_run_off_until_its_interval_is_over(server: Receiver) -> None:
    lunch = {"name": "lunch", "time_intervals": [{"times": [{"start_time": "12:01", "end_time": "13:00"}]}]}
    child = {"matchers": ['alertname="Hot"'], "mute_time_intervals": ["lunch"]}
    world.tree(route=escalating() | {"routes": [child]}, receivers=[hook(f"{server.url}/root")], time_intervals=[lunch])
    chain()
    world.post(end=world.after(36_000))
    go(360)
    assert (paged(server), run().step) == (["mira: firing"], 2)
    assert run().held_for == MUTED
    go(3220)
    assert paged(server) == ["mira: firing"]
    go(30)
    assert (paged(server), run().held_for) == (["mira: firing", "tom: firing"], "")
    assert [note for note in notes("escalated") if "put off" in note or "goes on" in note] == [
        f"'primary' is put off: {MUTED}.",
        "'primary' goes on.",
    ]
