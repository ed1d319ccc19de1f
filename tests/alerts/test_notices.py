"""Who is asked for a swap is told, and the asker what became of it: by their own ways, and outside of quiet hours."""

from collections.abc import Iterator
from datetime import time

import pytest
from django.test import Client

from fleetledger.fleet.models import User
from monitoring.alerts import drain, fallback
from monitoring.alerts.models import ContactMethod, MessageState, OutboxMessage, QuietHours, Schedule
from monitoring.alerts.oncall import swaps
from monitoring.alerts.oncall.swaps import Wanted
from tests import world as fleet
from tests.alerts import world
from tests.alerts.receiver import CLOSE, Receiver, Reply, receiving
from tests.alerts.schedules_world import at, person, schedule
from tests.alerts.test_escalation import reachable

pytestmark = pytest.mark.django_db
WHOLE = Wanted(at(11, 7), at(11, 9), "tom", (at(11, 14), at(11, 16)), "dentist")
BACK = "Sat 14 Nov 08:00 to Mon 16 Nov 08:00 (UTC)"
SHIFT = "Sat 7 Nov 08:00 to Mon 9 Nov 08:00 (UTC)"


@pytest.fixture
def primary() -> Schedule:
    world.set_clock()
    team = fleet.team("vision")
    for name in ("mira", "tom"):
        person(name, team)
    return schedule(team=team)


@pytest.fixture
def server(primary: Schedule) -> Iterator[Receiver]:
    with receiving() as found:
        for name in ("mira", "tom"):
            reachable(of(name), found.url)
        yield found


def of(username: str) -> User:
    return User.objects.get(username=username)


def told(server: Receiver) -> list[tuple[str, str]]:
    """Whom, and what without the address; and nothing twice."""
    drain.drain_due()
    found = [(item.path.split("/")[2], item.document["note"]) for item in server.told]
    assert all("http" in text for _, text in found)
    server.told.clear()
    return [(who, text[: text.index(" http")]) for who, text in found]


def test_who_is_asked_is_told_and_the_asker_of_the_decision(primary: Schedule, server: Receiver) -> None:
    asked = swaps.ask(primary, WHOLE, of("mira"))
    question = f"Mira Example asks you to take the shift of primary, {SHIFT}, for {BACK} in return. Reason: dentist. "
    assert told(server) == [("tom", f"{question}Take it or decline it:")]
    swaps.decline(primary, asked.pk, of("tom"))
    assert told(server) == [
        ("mira", f"Tom Example declines to take your shift of primary, {SHIFT}: it is still yours.")
    ]
    swaps.take(primary, swaps.ask(primary, WHOLE, of("mira")).pk, of("tom"))
    assert told(server)[1:] == [("mira", f"Tom Example takes your shift of primary, {SHIFT}.")]
    assert set(OutboxMessage.objects.values_list("kind", "state")) == {("notice", "sent")}


def test_a_question_to_anybody_tells_nobody_and_one_that_is_taken_back_tells_who_was_asked(
    primary: Schedule, server: Receiver
) -> None:
    swaps.take_back(primary, swaps.ask(primary, Wanted(at(11, 7), at(11, 9)), of("mira")).pk, of("mira"))
    assert told(server) == []
    swaps.take_back(primary, swaps.ask(primary, WHOLE, of("mira")).pk, of("mira"))
    assert told(server)[-1] == ("tom", f"Nobody is asked any more to take the shift of primary, {SHIFT}.")


def test_a_notice_waits_for_the_end_of_quiet_hours_on_the_readers_own_clock(
    primary: Schedule, server: Receiver
) -> None:
    User.objects.filter(username="tom").update(time_zone="Europe/Berlin")
    QuietHours.objects.create(user=of("tom"), from_time=time(12), until_time=time(14), days=list(range(7)))
    swaps.ask(primary, WHOLE, of("mira"))
    assert told(server) == []
    world.advance(3590)
    assert told(server) == []
    world.advance(20)
    ((who, text),) = told(server)
    assert (who, "Sat 7 Nov 09:00 to Mon 9 Nov 09:00 (Europe/Berlin)" in text) == ("tom", True)


def test_a_notice_that_cannot_be_delivered_calls_no_fallback(primary: Schedule, server: Receiver) -> None:
    server.decide = lambda _: Reply(410)
    swaps.ask(primary, WHOLE, of("mira"))
    drain.drain_due()
    assert OutboxMessage.objects.get().state == MessageState.DEAD
    server.decide = lambda _: Reply(CLOSE)
    swaps.ask(primary, WHOLE, of("mira"))
    drain.drain_due()
    world.advance(600)
    assert fallback.tell_overdue() == 0
    assert set(OutboxMessage.objects.values_list("kind", flat=True)) == {"notice"}


def test_the_page_says_where_nobody_could_be_told(primary: Schedule) -> None:
    assert not ContactMethod.objects.exists()
    client = Client()
    client.force_login(of("mira"))
    form = {"from_at": "2026-11-07T08:00", "until_at": "2026-11-09T08:00", "asked_of": "tom", "reason": ""}
    answer = client.post("/alerts/on-call/schedules/primary/swap/", form, follow=True)
    said = "Asked. The shift stays yours until somebody takes it. Tom Example has no verified contact method, so tell"
    assert said in answer.content.decode()
    assert OutboxMessage.objects.count() == 0
