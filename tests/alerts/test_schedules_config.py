"""Schedules in the configuration file: brought in with a difference, refused with file, line and key, written back."""

import pytest
import yaml

from fleetledger.fleet import config
from monitoring.alerts.models import CalendarFeed, Override, Schedule
from tests import world as fleet
from tests.alerts import world

pytestmark = pytest.mark.django_db
WHOLE = """\
teams: [{slug: vision, members: [{user: mira}, {user: tom}, {user: ana}]}]
route: {receiver: sre}
receivers: [{name: sre, webhook: [{url: "http://127.0.0.1:9/x"}]}]
schedules:
  - name: primary
    team: vision
    description: Who has the fleet's pager
    time_zone: Europe/Berlin
    fallback: {person: ana}
    layers:
      - {name: base, people: [mira, [tom, ana]], every: week, start: 2026-03-02 09:00}
      - name: nights
        people: [tom]
        every: 12h
        start: "2026-03-02 21:00"
        until: 2027-03-02
        active: [{days: [mon, tue], from: "22:00", until: "06:00"}]
        time_zone: America/New_York
  - name: calendar
    time_zone: UTC
    fallback: {receiver: sre}
    layers: [{name: cal, ical: {url: "https://calendars.example.org/on-call.ics"}, people: {Mira Example: mira}}]
"""


@pytest.fixture(autouse=True)
def _clock() -> None:
    world.set_clock()


def apply(text: str) -> config.Outcome:
    return config.apply([("fleet.yaml", text)])


def lines(text: str) -> list[str]:
    return [str(change) for change in apply(text).changes]


def refused(schedule: str) -> list[str]:
    """The mistakes of one schedule, without its file."""
    text = f"schedules:\n  - {schedule}\n"
    with pytest.raises(config.ConfigError) as caught:
        apply(text)
    return [line.removeprefix("fleet.yaml:2: schedules[0]") for line in str(caught.value).splitlines()]


def test_schedules_are_brought_in_and_shown() -> None:
    assert lines(WHOLE)[-2:] == [
        (
            "+ schedule primary: team vision, description Who has the fleet's pager, time_zone Europe/Berlin, "
            "fallback {person: ana}, layers base, nights"
        ),
        "+ schedule calendar: time_zone UTC, fallback {receiver: sre}, layers cal",
    ]
    assert apply(WHOLE).changes == ()


def test_a_difference_names_what_changed_in_which_layer() -> None:
    apply(WHOLE)
    changed = (
        WHOLE.replace("people: [tom]", "people: [ana]")
        .replace("fallback: {person: ana}", "")
        .replace(
            "      - {name: base, people: [mira, [tom, ana]], every: week, start: 2026-03-02 09:00}",
            "      - {name: day, people: [mira], every: day, start: 2026-03-02 09:00}",
        )
    )
    assert lines(changed) == [
        (
            "~ schedule primary: fallback {person: ana} -> none, layer day added, layer base removed, "
            "layer nights people [tom] -> [ana]"
        )
    ]
    assert Schedule.objects.get(name="primary").changed_at == world.START


def test_what_is_exported_applies_as_no_change() -> None:
    apply(WHOLE)
    exported = config.export()
    assert apply(exported).changes == ()
    written = yaml.safe_load(WHOLE)["schedules"]
    written[0]["layers"][1]["until"] = "2027-03-02"
    assert yaml.safe_load(exported)["schedules"] == [written[1], written[0]]


def test_what_the_file_does_not_name_stays() -> None:
    apply(WHOLE)
    schedule = Schedule.objects.get(name="primary")
    Override.objects.create(
        schedule=schedule,
        person=fleet.user("li"),
        from_at=world.START,
        until_at=world.after(60),
        created_by="li",
        created_at=world.START,
    )
    outcome = apply("schedules: [{name: other, time_zone: UTC, layers: []}]")
    assert list(outcome.notes) == ["Not named in the file, so left as it is: 2 of schedules (calendar, primary)."]
    apply(WHOLE.replace("every: week", "every: day"))
    assert Schedule.objects.count() == 3
    assert Override.objects.get().schedule == schedule


def test_a_calendar_keeps_its_text_until_its_address_changes() -> None:
    apply(WHOLE)
    CalendarFeed.objects.update(text="read", read_at=world.START)
    apply(WHOLE.replace("description: Who has", "description: who has").replace("Mira Example: mira", "M: mira"))
    assert CalendarFeed.objects.get().text == "read"
    apply(WHOLE.replace("on-call.ics", "other.ics"))
    assert (CalendarFeed.objects.get().text, CalendarFeed.objects.get().url) == (
        "",
        {"url": "https://calendars.example.org/other.ics"},
    )
    apply(WHOLE.replace('{url: "https://calendars.example.org/on-call.ics"}', "{url: {env: ON_CALL_ICS}}"))
    assert CalendarFeed.objects.get().url == {"env": "ON_CALL_ICS"}
    apply("schedules: [{name: calendar, time_zone: UTC, layers: []}]")
    assert not CalendarFeed.objects.exists()


BASE = "name: a, time_zone: UTC"
TURNS = "every: week, start: 2026-03-02 09:00"


@pytest.mark.parametrize(
    ("schedule", "mistakes"),
    [
        (f"{{{BASE}}}", [": 'layers' is missing."]),
        ("{name: a, layers: []}", [": 'time_zone' is missing."]),
        ("{name: a/b, time_zone: UTC, layers: []}", [".name: 'a/b' does not fit. Write: A name without /."]),
        (
            "{name: a, time_zone: Berlin, layers: []}",
            [".time_zone: No time zone is called 'Berlin'. Write it as Europe/Berlin, America/New_York or UTC."],
        ),
        (
            f"{{{BASE}, layers: [{{name: l, people: [mirra], {TURNS}}}]}}",
            [
                (
                    ".layers[0].people: No user is called 'mirra'. Did you mean 'mira'? "
                    "Make one with: fleetledger user create mirra"
                )
            ],
        ),
        (f"{{{BASE}, layers: [{{name: l, people: [], {TURNS}}}]}}", None),
        (
            f"{{{BASE}, layers: [{{name: l, people: [mira]}}]}}",
            [
                ".layers[0]: 'every' is missing. A layer has people, every and start, or ical.",
                ".layers[0]: 'start' is missing. A layer has people, every and start, or ical.",
            ],
        ),
        (
            f"{{{BASE}, layers: [{{name: l, people: [mira], every: 30m, start: 2026-03-02}}]}}",
            [".layers[0].every: A turn lasts whole minutes, and one hour at least."],
        ),
        (
            f"{{{BASE}, layers: [{{name: l, people: [mira], {TURNS}}}, {{name: l, people: [mira], {TURNS}}}]}}",
            [".layers[1].name: The layer 'l' stands twice. Give one another name."],
        ),
        (
            f"{{{BASE}, layers: [{{name: l, people: {{m: mira}}, {TURNS}}}]}}",
            [".layers[0].people: A rotation's people are a list, as in [mira, tom]."],
        ),
        (
            f"{{{BASE}, layers: [{{name: l, ical: {{url: 'https://x.org/private-abc/a.ics'}}, every: day}}]}}",
            [
                ".layers[0].every: 'every' has no meaning beside 'ical'. Take it out.",
                (
                    ".layers[0].ical.url: This address holds a secret. "
                    "A secret never stands in the file: write {env: NAME} or {file: PATH}."
                ),
            ],
        ),
        (
            f"{{{BASE}, layers: [{{name: l, ical: {{text: nothing}}, people: [mira]}}]}}",
            [
                ".layers[0].people: Beside 'ical' these are {SUMMARY OR MAIL: NAME}.",
                ".layers[0].ical.text: This is no iCalendar text. It begins with BEGIN:VCALENDAR.",
            ],
        ),
        (
            f"{{{BASE}, fallback: {{person: x}}, layers: []}}",
            [".fallback.person: No user is called 'x'. Make one with: fleetledger user create x"],
        ),
        (f"{{{BASE}, fallback: {{team: x}}, layers: []}}", [".fallback.team: No team is called 'x'. Known: vision."]),
        (
            f"{{{BASE}, fallback: {{receiver: srf}}, layers: []}}",
            [".fallback.receiver: No receiver is called 'srf'. Did you mean 'sre'? Known: sre."],
        ),
        (f"{{{BASE}, team: audio, layers: []}}", [".team: No team is called 'audio'. Known: vision."]),
        (
            f"{{{BASE}, fallback: {{person: mira, team: vision}}, layers: []}}",
            [".fallback: a mapping does not fit. Write: one of {person: NAME}, {team: SLUG} and {receiver: NAME}"],
        ),
    ],
)
def test_a_mistake_is_refused_where_it_stands(schedule: str, mistakes: list[str] | None) -> None:
    apply(WHOLE)
    found = refused(schedule)
    if mistakes is not None:
        assert found == mistakes
    assert not Schedule.objects.filter(name="a").exists()


def test_a_schedule_stands_once() -> None:
    entry = "{name: a, time_zone: UTC, layers: []}"
    with pytest.raises(config.ConfigError) as caught:
        apply(f"schedules:\n  - {entry}\n  - {entry}\n")
    assert str(caught.value) == (
        "fleet.yaml:3: schedules[1].name: The schedule 'a' stands twice. Give one another name."
    )
