"""Who is paged next where nobody acknowledges, and what stops it."""

from collections.abc import Iterator
from datetime import time, timedelta
from typing import Any

import pytest

from fleetledger.fleet.models import Role, User
from monitoring.alerts import acts, clock, drain, fallback, flush
from monitoring.alerts.escalation import advance, timeouts
from monitoring.alerts.models import (
    ContactMethod,
    Destination,
    Escalation,
    MessageState,
    OutboxMessage,
    Page,
    QuietHours,
    Run,
    RunStep,
    Silence,
)
from tests import world as fleet
from tests.alerts import world
from tests.alerts.delivery_world import hook, notes
from tests.alerts.receiver import Receiver, receiving
from tests.alerts.schedules_world import person, schedule

pytestmark = pytest.mark.django_db
CHAIN: list[dict[str, Any]] = [{"person": "mira"}, {"wait": "5m"}, {"person": "tom"}, {"wait": "5m"}]
MIRA = acts.Actor("mira")


@pytest.fixture
def server() -> Iterator[Receiver]:
    world.set_clock()
    with receiving() as found:
        route = {"receiver": "default", "group_by": ["alertname"], "group_wait": "0s", "group_interval": "1m"}
        world.tree(route=route | {"escalation": "primary"}, receivers=[hook(f"{found.url}/root")])
        for name in ("mira", "tom"):
            reachable(person(name), found.url)
        yield found


def reachable(who: User, url: str, label: str = "Phone", position: int = 0) -> Destination:
    method = ContactMethod.objects.create(
        user=who, kind="webhook", label=label, position=position, created_at=world.START, verified_at=world.START
    )
    config = {"url": f"{url}/{who.username}/{label.lower()}"}
    return Destination.objects.create(contact=method, receiver=who.username, kind="webhook", config=config)


def chain(steps: list[dict[str, Any]] | None = None, **fields: Any) -> Escalation:
    return Escalation.objects.create(name="primary", steps=steps or CHAIN, **fields)


def go(seconds: float = 0) -> None:
    """The notifier's turns of so many seconds, one every ten."""
    end = world.advance(0) + timedelta(seconds=seconds)
    while True:
        now = clock.now()
        flush.flush_due(now)
        timeouts.expire_acknowledgements(now)
        advance.advance_due(now)
        drain.drain_due()
        if now >= end:
            return
        world.advance(min(10, (end - now).total_seconds()))


def paged(server: Receiver) -> list[str]:
    """Who was told as firing or not, in order, the route's own receiver left out."""
    return [
        f"{told.path.split('/')[2]}: {told.document['status']}"
        for told in server.told
        if not told.path.endswith("/root")
    ]


def run() -> Run:
    return Run.objects.latest("pk")


def test_what_nobody_acknowledges_escalates_until_all_steps_are_done(server: Receiver) -> None:
    chain()
    world.post()
    go(299)
    assert paged(server) == ["mira: firing"]
    go(1)
    assert paged(server) == ["mira: firing", "tom: firing"]
    go(300)
    assert (run().state, run().due_at) == ("exhausted", None)
    assert "step 1 of 4: paged Mira Example by Phone now (named by the step)" in notes("escalated")
    assert notes("escalated")[-1] == "All steps of 'primary' are done, and nobody has acknowledged."
    assert OutboxMessage.objects.filter(kind="fallback").count() == 1


def test_an_acknowledgement_stops_it_and_stays_as_the_first(server: Receiver) -> None:
    chain()
    world.post()
    go(60)
    acts.acknowledge([world.alert().pk], MIRA)
    first = clock.now()
    go(600)
    assert paged(server) == ["mira: firing"]
    assert run().state == "acknowledged"
    acts.unacknowledge([world.alert().pk], MIRA)
    go()
    acts.acknowledge([world.alert().pk], MIRA)
    assert paged(server) == ["mira: firing", "tom: firing"]
    assert world.episodes()[0].first_acknowledged_at == first
    assert world.episodes()[0].told_at == world.START


def test_an_acknowledgement_times_out_and_the_run_goes_on_where_it_stood(server: Receiver) -> None:
    chain(acknowledge_timeout_s=1800)
    world.post(end=world.after(36_000))
    go(60)
    acts.acknowledge([world.alert().pk], MIRA)
    go(1799)
    assert paged(server) == ["mira: firing"]
    go(1)
    assert paged(server) == ["mira: firing", "tom: firing"]
    assert notes("timed_out") == ["Nobody resolved it within 30 minutes of the acknowledgement."]


def test_an_exhausted_run_begins_again_when_it_is_given_back(server: Receiver) -> None:
    chain([{"person": "mira"}], repeat=1)
    world.post()
    go(120)
    assert (run().state, paged(server)) == ("exhausted", ["mira: firing"] * 2)
    acts.acknowledge([world.alert().pk], MIRA)
    acts.unacknowledge([world.alert().pk], MIRA)
    go(120)
    assert (run().state, paged(server)) == ("exhausted", ["mira: firing"] * 4)


def test_firing_again_begins_anew_and_the_end_is_told_to_who_was_paged(server: Receiver) -> None:
    chain()
    world.post()
    go(60)
    world.resolve()
    go(60)
    assert (run().state, paged(server)) == ("resolved", ["mira: firing", "mira: resolved"])
    world.post(start=clock.now())
    go(60)
    assert paged(server) == ["mira: firing", "mira: resolved", "mira: firing"]
    assert Run.objects.count() == 2


def test_a_new_alert_of_the_group_has_a_run_of_its_own(server: Receiver) -> None:
    chain()
    world.post(gpu="0")
    go(60)
    acts.acknowledge([world.alert(gpu="0").pk], MIRA)
    world.post(gpu="1")
    go(60)
    assert [(row.state, row.members.count()) for row in Run.objects.order_by("pk")] == [
        ("acknowledged", 1),
        ("active", 1),
    ]
    assert paged(server) == ["mira: firing"] * 2


def test_a_silence_puts_the_step_off_and_its_end_lets_it_go_on(server: Receiver) -> None:
    chain()
    world.post(end=world.after(36_000))
    go(60)
    Silence.objects.create(
        matchers=[{"name": "alertname", "value": "Hot", "isRegex": False, "isEqual": True}],
        starts_at=clock.now(),
        ends_at=clock.now() + timedelta(minutes=30),
        updated_at=clock.now(),
        created_by="mira",
        comment="x",
    )
    go(1790)
    assert (paged(server), run().step) == (["mira: firing"], 2)
    assert run().held_for.startswith("silence ")
    go(20)
    assert (paged(server), run().held_for) == (["mira: firing", "tom: firing"], "")


def test_a_gap_pages_the_fallback(server: Receiver) -> None:
    schedule("primary", layers=[], fallback={"person": "tom"})
    chain([{"schedule": "primary"}])
    world.post()
    go()
    assert paged(server) == ["tom: firing"]
    assert Page.objects.get().why == "fallback of schedule primary"


def test_quiet_hours_hold_a_warning_back_but_nothing_critical(server: Receiver) -> None:
    QuietHours.objects.create(
        user=User.objects.get(username="mira"), from_time=time(11), until_time=time(13), days=list(range(7))
    )
    chain([{"person": "mira"}])
    world.post("Warm", severity="warning", end=world.after(36_000))
    go(3590)
    assert paged(server) == []
    world.post("Hot", severity="critical")
    go(0)
    assert paged(server) == ["mira: firing"]
    go(10)
    assert len(paged(server)) == 2
    assert Page.objects.earliest("pk").quiet_until_at == world.after(3600)


def test_a_later_way_is_withheld_once_somebody_has_it(server: Receiver) -> None:
    reachable(User.objects.get(username="mira"), server.url, "Mail", 1)
    chain()
    world.post()
    go(60)
    acts.acknowledge([world.alert().pk], MIRA)
    go(300)
    assert paged(server) == ["mira: firing"]
    later = OutboxMessage.objects.filter(kind="page").latest("pk")
    assert (later.state, later.due_at) == (MessageState.WITHHELD, world.after(300))


def test_a_page_whose_turn_has_not_come_is_not_overdue(server: Receiver) -> None:
    for position in (1, 2):
        reachable(User.objects.get(username="mira"), server.url, f"Mail{position}", position)
    chain([{"person": "mira"}, {"wait": "1h"}])
    world.post()
    go(310)
    fallback.tell_overdue()
    assert OutboxMessage.objects.filter(kind="fallback").count() == 0


def test_who_cannot_be_told_is_named_and_the_fallback_is_told_at_once(server: Receiver) -> None:
    ContactMethod.objects.update(verified_at=None)
    chain()
    world.post()
    go()
    assert Page.objects.get().problem == "Mira Example has no verified contact method."
    assert [told.path for told in server.told] == ["/hook/root"] * 2
    assert notes("not_told") == ["Mira Example has no verified contact method (named by the step)."]


def test_one_person_named_twice_by_a_step_is_paged_once(server: Receiver) -> None:
    chain([{"schedule": "primary"}])
    schedule(
        "primary", layers=[{"name": "a", "people": [["mira", "tom"]], "every": "week", "start": "2026-10-05 09:00"}]
    )
    world.post()
    go()
    assert sorted(paged(server)) == ["mira: firing", "tom: firing"]


def test_steps_whose_condition_does_not_hold_are_passed_over(server: Receiver) -> None:
    chain(
        [
            {"person": "mira", "if": {"time": {"from": "14:00", "until": "17:00"}}},
            {"person": "tom", "if": {"more_than": {"alerts": 0, "within": "10m"}}},
            {"person": "mira", "if": {"more_than": {"alerts": 5, "within": "10m"}}},
        ]
    )
    world.post()
    go()
    assert paged(server) == ["tom: firing"]
    assert list(RunStep.objects.order_by("pk").values_list("words", "is_passed_over")) == [
        ("passed over: it is outside the step's hours", True),
        ("paged Tom Example by Phone now (named by the step)", False),
        ("passed over: 1 alerts came in within 10m, not more than 5", True),
    ]


def test_an_escalation_that_is_not_there_is_said_once(server: Receiver) -> None:
    world.post()
    go(180)
    assert len(notes("not_told")) == 1
    assert Run.objects.count() == 0


def test_whoever_is_given_an_escalating_alert_is_paged_once(server: Receiver) -> None:
    chain()
    world.post()
    go(10)
    acts.assign(world.alert().pk, User.objects.get(username="tom"), MIRA)
    go(10)
    assert paged(server) == ["mira: firing", "tom: firing"]
    acts.acknowledge([world.alert().pk], MIRA)
    acts.assign(world.alert().pk, User.objects.get(username="mira"), MIRA)
    go(10)
    assert len(paged(server)) == 2


def test_a_page_by_a_contact_method_that_was_removed_goes_to_the_fallback(server: Receiver) -> None:
    chain([{"person": "mira"}, {"wait": "1h"}])
    later = reachable(User.objects.get(username="mira"), server.url, "Mail", 1)
    world.post()
    go(60)
    Destination.objects.filter(pk=later.pk).update(removed_at=clock.now())
    go(240)
    assert paged(server) == ["mira: firing"]
    assert OutboxMessage.objects.get(destination=later).state == MessageState.DEAD
    assert OutboxMessage.objects.get(kind="fallback").state == MessageState.SENT


def test_a_team_step_pages_those_who_may_handle_alerts_and_a_receiver_step_its_places(server: Receiver) -> None:
    vision = fleet.team("vision")
    for name, role in (("ana", Role.LEAD), ("ben", Role.VIEWER)):
        reachable(person(name, vision, role=role), server.url)
    chain([{"team": "vision"}, {"wait": "5m"}, {"receiver": "default"}, {"wait": "5m"}])
    world.post()
    go(300)
    assert paged(server) == ["ana: firing"]
    assert notes("escalated")[-1] == "step 3 of 4: told default by Webhook"
    world.resolve()
    go(60)
    assert paged(server) == ["ana: firing", "ana: resolved"]
