"""Calendars read from their addresses: kept where they cannot be read again, bounded, and never from inside."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.test import override_settings

from monitoring.alerts.channels.deadline import Deadline
from monitoring.alerts.channels.errors import ChannelError
from monitoring.alerts.models import CalendarFeed, Schedule
from monitoring.alerts.oncall import feeds, fetch, ical_in
from monitoring.alerts.oncall.ical_reduced import reduced
from monitoring.alerts.oncall.now import on_call
from tests import world as fleet
from tests.alerts import world
from tests.alerts.receiver import CLOSE, Receiver, Reply, Told, receiving
from tests.alerts.test_ical import WEEKLY, ZONE, calendar

GOOD = calendar("UID:1\nSUMMARY:mira\nDTSTART:20261101T000000Z\nDTEND:20261201T000000Z\nDESCRIPTION:secret\n")
NOTHING = override_settings(NOTIFY_ALLOW=[])


@pytest.fixture
def schedule() -> Callable[[str], Schedule]:
    def make(url: str) -> Schedule:
        world.set_clock()
        fleet.user("mira")
        layers = [{"name": "cal", "ical": {"url": url}}]
        made = Schedule.objects.create(name="a", layers=layers, created_at=world.START, changed_at=world.START)
        feeds.keep(made)
        return made

    return make


@pytest.fixture
def server() -> Iterator[Receiver]:
    replies = {"/good": Reply(body=GOOD), "/moved": Reply(302, {"Location": "/good"}), "/bad": Reply(404)}
    replies["/page"] = Reply(body="<html>Sign in</html>")
    replies["/loop"] = Reply(301, {"Location": "/loop"})
    replies["/large"] = Reply(body="x" * (ical_in.MAX_BYTES + 10))
    replies["/short"] = Reply(200, {"Content-Length": "1000", "Connection": "close"}, "BEGIN")
    replies["/file"] = Reply(302, {"Location": "file:///etc/passwd"})
    replies["/gone"] = Reply(CLOSE)

    def decide(told: Told) -> Reply:
        return replies[told.path.partition("?")[0]]

    with receiving(decide=decide) as made:
        yield made


def at(server: Receiver, path: str) -> str:
    return server.url.replace("/hook", path)


@pytest.mark.django_db
def test_a_calendar_is_read_and_says_who_is_on_call(schedule: Callable[[str], Schedule], server: Receiver) -> None:
    made = schedule(at(server, "/moved?token=1"))
    assert on_call(made, world.START).source == "gap"
    assert feeds.read_due(world.START) == "1 calendars read, 0 of them in vain."
    assert [person.username for person in on_call(made, world.START).people] == ["mira"]
    feed = CalendarFeed.objects.get()
    assert (feed.read_at, feed.tried_at, feed.error) == (world.START, world.START, "")
    assert "secret" not in feed.text


@pytest.mark.django_db
def test_a_calendar_is_read_every_quarter_of_an_hour(schedule: Callable[[str], Schedule], server: Receiver) -> None:
    schedule(at(server, "/good"))
    for minutes, tried in ((0, 1), (14, 0), (15, 1), (16, 0)):
        assert feeds.read_due(world.START + timedelta(minutes=minutes)) == f"{tried} calendars read, 0 of them in vain."


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/bad", "127.0.0.1 answered 404 Word."),
        ("/page", "This is no iCalendar text. It begins with BEGIN:VCALENDAR."),
        ("/loop", "127.0.0.1 points on and on to other addresses. Configure the final one."),
        ("/large", "127.0.0.1 sent more than 2 MB."),
        ("/short", "127.0.0.1 did not send everything within 1 s."),
        ("/file", "The address is no http:// or https:// URL. Mend the layer's ical.url."),
        ("/gone", "127.0.0.1 did not answer as HTTP has it (RemoteDisconnected)."),
    ],
)
def test_what_was_read_well_stays_where_it_cannot_be_read_again(
    schedule: Callable[[str], Schedule], server: Receiver, monkeypatch: pytest.MonkeyPatch, path: str, error: str
) -> None:
    monkeypatch.setattr(feeds, "SECONDS", 1.0)
    made = schedule(at(server, path))
    CalendarFeed.objects.update(text=GOOD, read_at=world.START)
    assert feeds.read_due(world.after(900)) == "1 calendars read, 1 of them in vain."
    feed = CalendarFeed.objects.get()
    assert (feed.text, feed.read_at, feed.tried_at, feed.error) == (GOOD, world.START, world.after(900), error)
    assert [person.username for person in on_call(made, world.START).people] == ["mira"]


@NOTHING
@pytest.mark.django_db
def test_an_internal_address_is_reached_only_where_it_is_allowed(
    schedule: Callable[[str], Schedule], server: Receiver
) -> None:
    schedule(at(server, "/good?token=abc"))
    feeds.read_due(world.START)
    error = CalendarFeed.objects.get().error
    assert error == "127.0.0.1 has the internal address 127.0.0.1. FLEETLEDGER_NOTIFY_ALLOW may allow it."
    assert server.told == []


def test_a_redirect_is_no_way_inside(server: Receiver) -> None:
    def only_first(address: object, seen: list[object] = []) -> bool:  # noqa: B006 remembers
        seen.append(address)
        return len(seen) == 1

    with pytest.raises(ChannelError):
        fetch.get(at(server, "/moved"), Deadline(5), 1000, only_first)
    assert [told.path for told in server.told] == ["/moved"]


def test_a_server_that_feeds_byte_by_byte_ends_with_the_deadline() -> None:
    with receiving(Reply(body="x" * 1000, body_s=0.05)) as slow, pytest.raises(ChannelError) as caught:
        fetch.get(slow.url, Deadline(0.3), 10_000, lambda _address: True)
    assert "within 0.3 s" in str(caught.value)


@pytest.mark.django_db
def test_an_address_may_be_a_secret_of_the_environment(
    schedule: Callable[[str], Schedule], server: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule("")
    CalendarFeed.objects.create(schedule=Schedule.objects.get(), layer="other", url={"env": "ON_CALL_ICS"})
    CalendarFeed.objects.filter(layer="cal").delete()
    feeds.read_due(world.START)
    assert CalendarFeed.objects.get().error == (
        "The environment variable ON_CALL_ICS is empty. Set it where the worker runs."
    )
    monkeypatch.setenv("ON_CALL_ICS", at(server, "/good"))
    feeds.read_due(world.after(900))
    assert CalendarFeed.objects.get().error == ""


def test_a_reduced_calendar_has_the_same_events() -> None:
    noise = (
        "DESCRIPTION:a\\nb\n  folded\nDTSTAMP:20260101T000000Z\nBEGIN:VALARM\nTRIGGER:-PT5M\nSUMMARY:alarm\nEND:VALARM"
    )
    text = calendar(WEEKLY + noise, head="X-WR-CALNAME:Ours\n" + ZONE)
    todo = "BEGIN:VTODO\r\nUID:2\r\nSUMMARY:do\r\nEND:VTODO\r\nEND:VCALENDAR\r\n"
    assert reduced(text.replace("END:VCALENDAR\r\n", todo)) == calendar(WEEKLY, head=ZONE)
    assert reduced("<html>") == "<html>"
