"""The pages about on-call: overview, a schedule's weeks, overrides, swaps, and calendars that others read."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlsplit

import icalendar
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from fleetledger.fleet.models import Membership, Role, Team, User
from monitoring.alerts.models import CalendarFeed, Override, Schedule, Swap
from monitoring.alerts.oncall import ical_links
from tests import world as fleet
from tests.alerts import world
from tests.alerts.schedules_world import WEEKLY, at, override, person, schedule

pytestmark = pytest.mark.django_db
NAME = "Größte Nacht of 24 & 7"
ADDRESS = f"/alerts/on-call/schedules/{quote(NAME)}/"


@pytest.fixture(autouse=True)
def _clock() -> None:
    world.set_clock()


@pytest.fixture
def vision() -> Team:
    return fleet.team("vision")


@pytest.fixture
def mira(vision: Team) -> User:
    made = person("mira", vision)
    User.objects.filter(pk=made.pk).update(time_zone="Europe/Berlin")
    return made


@pytest.fixture
def tom(vision: Team) -> User:
    return person("tom", vision)


@pytest.fixture
def primary(vision: Team, mira: User, tom: User) -> Schedule:
    return schedule(NAME, team=vision)


def page(who: User, path: str = ADDRESS, status: int = 200) -> str:
    client = Client()
    client.force_login(who)
    answer = client.get(path)
    assert answer.status_code == status, answer.content
    return b"".join(answer).decode() if answer.streaming else answer.content.decode()


def send(who: User, path: str, status: int = 302, **form: Any) -> str:
    client = Client()
    client.force_login(who)
    answer = client.post(path if path.startswith("/") else ADDRESS + path, form)
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def text(html: str) -> str:
    """What a reader sees, on one line."""
    body = html[html.index('<main class="content"') :]
    words = " ".join(re.sub(r"<(title|script)[^>]*>.*?</\1>|<[^>]+>", " ", body, flags=re.DOTALL).split())
    return re.sub(r" ([,.:])", r"\1", words)


def test_the_overview_says_who_is_on_call_now_and_next(primary: Schedule, mira: User) -> None:
    said = text(page(mira, "/alerts/on-call/"))
    assert f"{NAME.replace('&', '&amp;')} Vision Mira Example Mon 09 Nov 09:00 Tom Example none" in said
    assert "Mon 02 Nov 13:00 to Mon 09 Nov 09:00, 164 h" in said
    assert "times in your zone, Europe/Berlin" in said


def test_a_gap_is_told_on_the_overview(primary: Schedule, tom: User, mira: User) -> None:
    User.objects.filter(pk=mira.pk).update(is_active=False)
    said = text(page(tom, "/alerts/on-call/"))
    assert "nobody is on call now, until Mon 09 Nov 08:00. Then its fallback is paged." in said


def test_without_a_schedule_the_overview_says_how_to_write_one(mira: User) -> None:
    html = page(mira, "/alerts/on-call/")
    assert "No schedule is there yet" in html
    assert "people: [mira, tom], every: week" in html


def test_the_overview_takes_as_many_statements_for_many_schedules_as_for_one(primary: Schedule, mira: User) -> None:
    def statements() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            page(mira, "/alerts/on-call/")
        return len(caught)

    Swap.objects.create(schedule=primary, asked_by=mira, from_at=at(11, 3), until_at=at(11, 4), created_at=world.START)
    one = statements()
    for number in range(20):
        made = schedule(f"s{number}", team=primary.team)
        override(made, mira, at(11, 3), at(11, 4))
        Swap.objects.create(schedule=made, asked_by=mira, from_at=at(11, 3), until_at=at(11, 4), created_at=world.START)
    assert statements() == one


def test_a_schedules_weeks_show_everybody_in_one_colour_with_the_layers_beneath(primary: Schedule, mira: User) -> None:
    override(primary, User.objects.get(username="tom"), at(11, 4), at(11, 5), reason="dentist")
    html = page(mira)
    assert html.count('<div class="week">') == 4
    assert html.count("lane-now") == 3  # on-call, overrides, base: of this week alone
    first = html[html.index('<svg class="lane is-final"') :]
    bars = re.findall(r'<svg class="shift ([^"]+)" x="([\d.]+)%" width="([\d.]+)%"', first)
    assert bars[:6] == [
        ("is-gap", "0.000", "5.357"),
        ("k1", "5.357", "28.571"),
        ("k2 is-override", "33.929", "14.286"),
        ("k1", "48.214", "51.786"),
        ("k2 is-override", "33.929", "14.286"),
        ("k1", "5.357", "94.643"),
    ]
    assert "Mira Example, Mon 02 Nov 09:00 to Wed 04 Nov 09:00, layer base" in html
    assert "Tom Example" in html
    assert "Nobody 9 h" in text(html)


def test_a_week_with_a_change_of_clocks_lasts_as_long_as_it_does(primary: Schedule, mira: User) -> None:
    said = text(page(mira, f"{ADDRESS}?from=2027-03-24"))
    assert "22 Mar to 18 Apr 2027" in said
    assert "Mon 22 Mar 09:00 Mon 29 Mar 09:00 167 h" in said


def test_weeks_lead_on_and_back(primary: Schedule, mira: User) -> None:
    html = page(mira, f"{ADDRESS}?from=2026-11-25")
    assert 'href="/alerts/on-call/schedules/' in html
    assert "?from=2026-10-26" in html
    assert "?from=2026-12-21" in html
    for nonsense in ("soon", "0001-01-01", "9999-12-31", "2026-13-01"):
        assert "2 Nov to 29 Nov 2026" in text(page(mira, f"{ADDRESS}?from={nonsense}"))


def test_shifts_come_as_csv(primary: Schedule, mira: User) -> None:
    lines = page(mira, f"{ADDRESS}?from=2026-11-09&format=csv").splitlines()
    assert lines[0] == "schedule,from_at,until_at,hours,people,source"
    assert lines[1] == f"{NAME},2026-11-08T23:00:00Z,2026-11-09T08:00:00Z,9.0,Mira Example,layer base"


def test_problems_and_gaps_stand_on_the_page_with_what_covers_them(primary: Schedule, mira: User) -> None:
    User.objects.filter(username="tom").update(is_active=False)
    Schedule.objects.update(fallback={"team": "vision"})
    said = text(page(mira))
    assert "Layer base: tom is gone: their time counts as nobody's." in said.replace("&#x27;", "'")
    assert "In a gap everybody of Vision is paged" in said
    assert "Mon 09 Nov 09:00 to Mon 16 Nov 09:00 168 h without anybody" in said


def test_a_calendar_that_cannot_be_read_is_told(mira: User) -> None:
    made = schedule("cal", layers=[{"name": "shared", "ical": {"url": "https://x.example.org/a.ics"}}])
    feed = CalendarFeed.objects.create(schedule=made, layer="shared", url={"url": "https://x.example.org/a.ics"})
    assert "Layer shared: The calendar has not been read yet." in text(page(mira, "/alerts/on-call/schedules/cal/"))
    feed.error = "x.example.org answered 404."
    feed.save()
    said = text(page(mira, "/alerts/on-call/schedules/cal/"))
    assert "The calendar cannot be read: x.example.org answered 404. Nothing was read yet." in said


def test_an_override_is_typed_in_the_readers_own_zone(primary: Schedule, mira: User) -> None:
    form = page(mira, f"{ADDRESS}override/?from=2026-11-03T08:00:00Z&until=2026-11-04T08:00:00Z")
    assert 'value="2026-11-03T09:00"' in form
    assert "From, Europe/Berlin" in form
    send(mira, "override/", person="tom", from_at="2026-11-03T09:00", until_at="2026-11-04T09:00", reason="dentist")
    row = Override.objects.get()
    assert (row.person.username, row.from_at, row.until_at, row.reason) == ("tom", at(11, 3), at(11, 4), "dentist")
    assert "Tom Example Tue 03 Nov 09:00 to Wed 04 Nov 09:00: dentist · by mira" in text(page(mira))
    send(mira, f"overrides/{row.pk}/cancel/")
    assert Override.objects.get().cancelled_at == world.START


def test_a_refusal_stands_on_the_form(primary: Schedule, mira: User, tom: User) -> None:
    late = {"person": "tom", "from_at": "2026-11-05T09:00", "until_at": "2026-11-04T09:00"}
    assert "It ends before it starts. Give a later end." in send(mira, "override/", 422, **late)
    assert "Give a day that people will see." in send(mira, "override/", 422, **late | {"from_at": "9999-12-31T23:59"})
    send(tom, "override/", 403, person="tom", from_at="2026-11-03T09:00", until_at="2026-11-04T09:00")
    own = {"asked_of": "", "from_at": "2026-11-03T09:00", "until_at": "2026-11-12T09:00"}
    assert "That is not your shift alone" in send(mira, "swap/", 422, **own)
    assert "has both ends, or none" in send(mira, "swap/", 422, **own, back_from_at="2026-11-15T09:00")


def test_a_swap_is_asked_seen_and_taken(primary: Schedule, mira: User, tom: User) -> None:
    form = page(mira, f"{ADDRESS}swap/")
    assert 'value="2026-11-02T13:00"' in form
    send(mira, "swap/", asked_of="", from_at="2026-11-08T09:00", until_at="2026-11-09T09:00", reason="wedding")
    seen = text(page(tom, "/alerts/on-call/"))
    assert "Mira Example asks anybody in" in seen
    assert "Take it" in seen
    assert "Take back" in text(page(mira, "/alerts/on-call/"))
    swap = Swap.objects.get()
    send(tom, f"swaps/{swap.pk}/take/", next="/alerts/on-call/")
    assert Override.objects.get().person == tom
    assert "Tom Example has taken that shift already." in follow(mira, f"swaps/{swap.pk}/take-back/")
    send(tom, f"swaps/{swap.pk}/steal/", 404)


def follow(who: User, path: str) -> str:
    client = Client()
    client.force_login(who)
    return client.post(ADDRESS + path, follow=True).content.decode()


def test_a_stranger_sees_nothing_of_another_teams_schedule(primary: Schedule) -> None:
    stranger = person("stranger", fleet.team("audio"))
    assert "No schedule is there yet" in page(stranger, "/alerts/on-call/")
    for path in ("", "override/", "swap/"):
        page(stranger, ADDRESS + path, 404)
    for path in ("override/", "swap/", "overrides/1/cancel/", "swaps/1/take/"):
        send(stranger, path, 404)


def calendar_of(who: User, of: Schedule | None = None) -> str:
    return urlsplit(ical_links.address(who, "http://x", of.pk if of else 0)).path


def events(path: str) -> list[tuple[str, datetime, datetime, str]]:
    answer = Client().get(path)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    found: Any = icalendar.Calendar.from_ical(answer.content)
    rows = [(str(one["SUMMARY"]), one["DTSTART"].dt, one["DTEND"].dt, str(one["UID"])) for one in found.walk("VEVENT")]
    return sorted(rows, key=lambda row: row[1])


def test_a_calendar_has_the_shifts_of_eight_weeks_back_and_half_a_year_ahead(primary: Schedule, mira: User) -> None:
    assert calendar_of(mira, primary) in page(mira)
    rows = events(calendar_of(mira, primary))
    assert [row[:3] for row in rows[:2]] == [
        (f"Mira Example ({NAME})", at(11, 2), at(11, 9)),
        (f"Tom Example ({NAME})", at(11, 9), at(11, 16)),
    ]
    assert len(rows) == 26
    assert rows[-1][1:3] == (at(4, 26, 7, year=2027), at(5, 3, 7, year=2027))


def test_uids_stay_as_long_as_a_shift_begins_with_the_same_people(primary: Schedule, mira: User, tom: User) -> None:
    before = {row[1]: row[3] for row in events(calendar_of(mira, primary))}
    override(primary, tom, at(11, 4), at(11, 5))
    world.set_clock(at(11, 20))
    after = {row[1]: row[3] for row in events(calendar_of(mira, primary))}
    assert {begin: uid for begin, uid in after.items() if begin in before} == before
    assert len(set(after.values())) == len(after)


def test_a_shift_without_an_end_keeps_its_uid(mira: User) -> None:
    made = schedule("always", layers=[{**WEEKLY, "people": ["mira"], "start": "2020-01-01 00:00"}])
    ((_, begin, end, uid),) = events(calendar_of(mira, made))
    world.set_clock(at(12, 2))
    ((_, later, _, same),) = events(calendar_of(mira, made))
    assert (uid, (later - begin).days, (end - begin).days) == (same, 30, 34 * 7)


def test_my_shifts_come_from_every_schedule(primary: Schedule, mira: User) -> None:
    schedule("all of us", layers=[{**WEEKLY, "people": ["mira"], "until": "2026-11-03 09:00"}])
    schedule("hidden", team=fleet.team("secret"), layers=[{**WEEKLY, "people": ["mira"]}])
    rows = [row[:2] for row in events(calendar_of(mira))]
    assert rows[:3] == [
        (f"On call: {NAME}", at(11, 2)),
        ("On call: all of us", at(11, 2)),
        (f"On call: {NAME}", at(11, 16)),
    ]
    assert {summary for summary, _ in rows} == {f"On call: {NAME}", "On call: all of us"}


def test_a_calendars_address_ends_with_the_person_the_password_or_the_right_to_see(
    primary: Schedule, vision: Team, mira: User
) -> None:
    path = calendar_of(mira, primary)

    def status(address: str = path) -> int:
        return Client().get(address).status_code

    assert status() == 200
    assert status(path.replace(".ics", "x.ics")) == 404
    assert status("/on-call/calendars/1.0.abc:def.ics") == 404
    Membership.objects.filter(user=mira).delete()
    assert status() == 404
    assert status(calendar_of(mira)) == 200
    Membership.objects.create(user=mira, team=vision, role=Role.VIEWER)
    assert status() == 200
    User.objects.filter(pk=mira.pk).update(is_active=False)
    assert status() == 404
    User.objects.filter(pk=mira.pk).update(is_active=True, password="!")
    assert status() == 404
