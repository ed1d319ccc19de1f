"""Calendars of others: recurrences, zones, days and people, and what of them nobody understands."""

from datetime import UTC, datetime, timedelta

import pytest

from fleetledger.fleet.models import User
from monitoring.alerts.models import Schedule
from monitoring.alerts.oncall import ical_in
from monitoring.alerts.oncall.calendars import CalendarLayer
from monitoring.alerts.oncall.documents import zone_named
from monitoring.alerts.oncall.ical_in import CalendarError, Event, parse
from monitoring.alerts.oncall.ical_people import Directory, Meaning, Reader
from monitoring.alerts.oncall.now import on_call
from monitoring.alerts.oncall.stretches import Stretch
from tests import world as fleet

BERLIN = zone_named("Europe/Berlin")
DIRECTORY = Directory.of(
    [
        ("mira", "mira@example.org", "Mira Example"),
        ("tom", "tom@example.org", "Tom Jürgen van der Berg"),
        ("ana.li", "", "Ana Li"),
        ("twin-a", "", "Sam Same"),
        ("twin-b", "", "Sam Same"),
    ]
)
ZONE = """\
BEGIN:VTIMEZONE
TZID:Our own
BEGIN:STANDARD
DTSTART:19701025T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
END:VTIMEZONE
"""


def calendar(*events: str, head: str = "") -> str:
    body = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n{head}{body}END:VCALENDAR\n".replace("\n", "\r\n")


def at(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def layer(text: str, zone: str = "Europe/Berlin", **people: str) -> CalendarLayer:
    return CalendarLayer("cal", parse(text), Reader.of(DIRECTORY, people), zone_named(zone))


def shifts(text: str, begin: datetime, end: datetime, **people: str) -> list[tuple[datetime, datetime, str]]:
    found = layer(text, **people).stretches(begin, end)
    return [(one.from_at, one.until_at, "+".join(one.people) or one.source) for one in found]


WEEKLY = """\
UID:1
SUMMARY:mira
DTSTART;TZID=Our own:20260302T090000
DTEND;TZID=Our own:20260309T090000
RRULE:FREQ=WEEKLY;INTERVAL=2
EXDATE;TZID=Our own:20260316T090000
"""


def test_rules_exceptions_and_zones_are_worked_out() -> None:
    moved = """\
UID:1
SUMMARY:tom
RECURRENCE-ID;TZID=Our own:20260330T090000
DTSTART;TZID=Our own:20260331T090000
DTEND;TZID=Our own:20260406T090000
"""
    assert shifts(calendar(WEEKLY, moved, head=ZONE), at(3, 1), at(4, 15)) == [
        (at(3, 2, 8), at(3, 9, 8), "mira"),
        (at(3, 31, 7), at(4, 6, 7), "tom"),
        (at(4, 13, 7), at(4, 15), "mira"),
    ]


def test_a_week_of_a_calendar_has_an_hour_less_where_clocks_change() -> None:
    text = calendar(WEEKLY.replace("20260302T", "20260323T").replace("20260309T", "20260330T"), head=ZONE)
    assert shifts(text, at(3, 20), at(4, 2)) == [(at(3, 23, 8), at(3, 30, 7), "mira")]


def test_what_is_cancelled_does_not_count() -> None:
    one = "UID:1\nRECURRENCE-ID;TZID=Our own:20260330T090000\nSTATUS:CANCELLED\nSUMMARY:mira\n"
    one += "DTSTART;TZID=Our own:20260330T090000\nDTEND;TZID=Our own:20260406T090000"
    whole = "UID:2\nSUMMARY:tom\nSTATUS:CANCELLED\nDTSTART:20260303T000000Z\nDTEND:20260304T000000Z"
    assert shifts(calendar(WEEKLY, one, whole, head=ZONE), at(3, 1), at(4, 12)) == [(at(3, 2, 8), at(3, 9, 8), "mira")]


def test_days_and_times_without_a_zone_are_in_the_layers_zone() -> None:
    days = "UID:1\nSUMMARY:mira\nDTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260330"
    bare = "UID:2\nSUMMARY:tom\nDTSTART:20260330T000000\nDURATION:PT9H"
    assert shifts(calendar(days, bare), at(3, 1), at(4, 12)) == [
        (at(3, 27, 23), at(3, 29, 22), "mira"),
        (at(3, 29, 22), at(3, 30, 7), "tom"),
    ]


def test_events_at_the_same_time_put_people_on_call_together() -> None:
    first = "UID:1\nSUMMARY:tom\nDTSTART:20260301T000000Z\nDTEND:20260303T000000Z"
    second = "UID:2\nSUMMARY:mira\nDTSTART:20260302T000000Z\nDTEND:20260304T000000Z"
    unknown = "UID:3\nSUMMARY:Holiday\nDTSTART:20260302T120000Z\nDTEND:20260305T000000Z"
    assert shifts(calendar(first, second, unknown), at(3, 1), at(3, 6)) == [
        (at(3, 1), at(3, 2), "tom"),
        (at(3, 2), at(3, 3), "mira+tom"),
        (at(3, 3), at(3, 4), "mira"),
        (at(3, 4), at(3, 5), "gap"),
    ]


def test_long_events_have_no_seams() -> None:
    text = calendar("UID:1\nSUMMARY:mira\nDTSTART:20250101T000000Z\nDTEND:20280101T000000Z")
    assert layer(text).stretches(at(1, 1), at(12, 1)) == [Stretch(at(1, 1), at(12, 1), ("mira",), "layer cal")]


@pytest.mark.parametrize(
    ("summary", "mails", "meaning"),
    [
        ("mira", (), Meaning(("mira",))),
        ("  MIRA ", (), Meaning(("mira",))),
        ("Primary: mira", (), Meaning(("mira",))),
        ("mira, Ana.Li", (), Meaning(("mira", "ana.li"))),
        ("mira / tom", (), Meaning(("mira", "tom"))),
        ("On call (tom@example.org)", (), Meaning(("tom",))),
        ("Mira Example is on call", (), Meaning(("mira",))),
        ("On-call – Tom Jürgen van der Berg", (), Meaning(("tom",))),  # noqa: RUF001 a dash of calendars
        ("MIRA EXAMPLE and Ana Li", (), Meaning(("mira", "ana.li"))),
        ("On call", ("tom@example.org",), Meaning(("tom",))),
        ("On call", ("tom@example.org", "x@example.org"), Meaning(("tom",), ("x@example.org",))),
        ("On call", ("x@example.org",), Meaning((), ("On call",))),
        ("", ("x@example.org",), Meaning((), ("x@example.org",))),
        ("", (), Meaning((), ("no summary",))),
        ("Sam Same", (), Meaning((), ("Sam Same",))),
        ("The boss", (), Meaning(("ana.li",))),
        ("Shift of the night", ("pager@example.org",), Meaning(("twin-a",))),
        ("mira", ("pager@example.org",), Meaning(("twin-a",))),
    ],
)
def test_people_are_found_by_the_layer_then_name_mail_and_full_name(
    summary: str, mails: tuple[str, ...], meaning: Meaning
) -> None:
    reader = Reader.of(DIRECTORY, {"the  Boss": "ana.li", "Pager@example.org": "twin-a"})
    assert reader.meant(Event(at(1, 1), at(1, 2), summary, mails)) == meaning


def test_who_attends_counts_before_who_organizes_and_who_declined_does_not() -> None:
    head = "UID:1\nSUMMARY:Shift\nDTSTART:20260301T000000Z\nDTEND:20260302T000000Z\nORGANIZER:mailto:mira@example.org\n"
    room = "ATTENDEE;CUTYPE=ROOM:mailto:mira@example.org\n"
    declined = "ATTENDEE;PARTSTAT=DECLINED:mailto:mira@example.org\n"
    cases = {
        head: "mira",
        head + room + declined: "mira",
        head + declined + "ATTENDEE;CN=Tom:MAILTO:Tom@example.org": "tom",
        head + "ATTENDEE:mailto:x@example.org": "gap",
    }
    assert {text: shifts(calendar(text), at(3, 1), at(3, 2))[0][2] for text in cases} == cases


def test_words_that_mean_nobody_are_told_once_with_their_first_time() -> None:
    text = calendar(
        "UID:1\nSUMMARY:Kim\nDTSTART:20260302T000000Z\nDTEND:20260303T000000Z\nRRULE:FREQ=WEEKLY",
        "UID:2\nSUMMARY:mira\nDTSTART:20260301T000000Z\nDTEND:20260302T000000Z",
    )
    assert layer(text).unknown(at(3, 1), at(5, 1)) == {"Kim": at(3, 2)}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "This is no iCalendar text. It begins with BEGIN:VCALENDAR."),
        ("<html>Sign in</html>", "This is no iCalendar text. It begins with BEGIN:VCALENDAR."),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "This is no iCalendar text. It begins with BEGIN:VCALENDAR."),
        ("BEGIN:VEVENT\nUID:1\nEND:VEVENT\n", "This is no iCalendar text. It begins with BEGIN:VCALENDAR."),
        ("x" * (ical_in.MAX_BYTES + 1), "The calendar is larger than 2 MB. Hand in a part of it."),
        (
            calendar("UID:1\nSUMMARY:mira\nDTSTART:20260302T000000Z\nDURATION:PT1S\nRRULE:FREQ=SECONDLY"),
            "The calendar's rules bring more than 1000 events a day. Take some out.",
        ),
        (
            calendar(
                "UID:1\nSUMMARY:mira\nDTSTART:20260302T000000Z\nDURATION:PT1S\n"
                f"RRULE:FREQ=HOURLY;BYMINUTE={','.join(map(str, range(60)))}"
            ),
            "The calendar's rules bring more than 1000 events a day. Take some out.",
        ),
    ],
)
def test_what_is_no_calendar_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(CalendarError) as caught:
        parse(text)
    assert str(caught.value) == sentence


def test_an_event_that_means_nothing_is_left_out_with_words() -> None:
    text = calendar(
        "UID:1\nSUMMARY:mira\nDTSTART:20260301T000000Z\nDTEND:20260302T000000Z",
        "UID:2\nSUMMARY:tom\nDTSTART:20260303T000000Z\nDTEND:20260301T000000Z",
        "UID:3\nSUMMARY:tom\nDTSTART:yesterday\nDTEND:20260301T000000Z",
        "UID:4\nSUMMARY:tom\nDTSTART:20260303T000000Z\nDTEND:20260304T000000Z\nRRULE:FREQ=NEVER",
    )
    assert shifts(text, at(3, 1), at(3, 6)) == [(at(3, 1), at(3, 2), "mira")]
    assert parse(text).problem == ("3 of the calendar's events cannot be read and are left out: “tom”, “tom”, “tom”.")


@pytest.mark.django_db
def test_a_stored_calendar_says_who_is_on_call() -> None:
    for username in ("mira", "tom"):
        fleet.user(username, email=f"{username}@example.org")
    text = calendar(WEEKLY.replace("SUMMARY:mira", "SUMMARY:On call\nATTENDEE:mailto:mira@example.org"), head=ZONE)
    schedule = Schedule.objects.create(
        name="cal",
        time_zone="UTC",
        layers=[{"name": "shared", "ical": {"text": text}}],
        created_at=at(1, 1),
        changed_at=at(1, 1),
    )
    found = on_call(schedule, at(3, 3))
    assert [person.username for person in found.people] == ["mira"]
    assert (found.source, found.until_at) == ("layer shared", at(3, 9, 8))
    User.objects.filter(username="mira").update(is_active=False)
    assert on_call(schedule, at(3, 3)).source == "gap"
    assert on_call(schedule, at(3, 3) + timedelta(days=4000)).source == "gap"
