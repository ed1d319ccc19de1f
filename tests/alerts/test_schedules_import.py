"""import-schedule: a calendar becomes a schedule, and what it cannot carry is listed."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from fleetledger.fleet import config
from monitoring.alerts.models import Schedule
from monitoring.alerts.oncall.now import on_call
from tests import world as fleet
from tests.alerts import world
from tests.alerts.schedules_world import WEEKLY, at, person, schedule
from tests.alerts.test_ical import calendar

pytestmark = pytest.mark.django_db
TURNS = """\
UID:1
SUMMARY:On call: Mira Example
DESCRIPTION:the pager
LOCATION:home
DTSTART;VALUE=DATE:20261102
DTEND;VALUE=DATE:20261109
RRULE:FREQ=WEEKLY;INTERVAL=2
BEGIN:VALARM
TRIGGER:-PT1H
ACTION:DISPLAY
DESCRIPTION:soon
END:VALARM
"""
KIM = "UID:2\nSUMMARY:Kim\nDTSTART:20261109T000000Z\nDTEND:20261110T000000Z\nRRULE:FREQ=MONTHLY;COUNT=3"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    world.set_clock()
    person("mira")
    path = tmp_path / "on-call.ics"
    path.write_bytes(calendar(TURNS, KIM, head="X-WR-TIMEZONE:Europe/Berlin\n").encode())
    return path


def run(*arguments: object) -> str:
    out = StringIO()
    call_command("import-schedule", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_a_calendar_becomes_a_schedule_and_says_what_it_is(file: Path) -> None:
    fleet.team("vision")
    assert run("pager", file, "--team", "vision").splitlines() == [
        "The schedule pager was made, in Europe/Berlin.",
        "  recognised Mira Example (mira): 27 shifts",
        "  nobody we know: 'Kim', 3 shifts, the first on 2026-11-09 00:00 UTC",
        "Their time counts as nobody's. Name them in the configuration under the layer's people.",
        "Not carried: 1 description, 1 place, 1 reminder",
    ]
    made = Schedule.objects.get()
    assert (made.name, made.team and made.team.slug, made.time_zone) == ("pager", "vision", "Europe/Berlin")
    found = on_call(made, at(11, 3))
    assert ([who.username for who in found.people], found.until_at) == (["mira"], at(11, 8, 23))


def test_a_dry_run_changes_nothing(file: Path) -> None:
    assert "would be made, in America/New_York." in run("pager", file, "--dry-run", "--time-zone", "America/New_York")
    assert not Schedule.objects.exists()


def test_what_came_in_is_exported_and_applies_as_no_change(file: Path) -> None:
    run("pager", file)
    assert config.apply([("fleet.yaml", config.export())]).changes == ()


def test_a_newer_calendar_takes_the_place_of_the_older_and_people_stay_known(file: Path) -> None:
    run("pager", file)
    made = Schedule.objects.get()
    made.layers[0]["people"] = {"Kim": "mira"}
    made.save()
    told = json.loads(run("pager", file, "--json"))
    assert (told["is_new"], told["unknown"], told["recognised"][0]["shifts"]) == (False, [], 30)
    assert Schedule.objects.get().layers[0]["people"] == {"Kim": "mira"}


def test_a_schedule_with_layers_of_its_own_stays(file: Path) -> None:
    schedule("pager", layers=[WEEKLY])
    with pytest.raises(CommandError, match="has layers of its own"):
        run("pager", file)


def test_a_calendar_takes_the_name_of_a_schedule_that_was_removed(file: Path) -> None:
    team = fleet.team("vision")
    gone = schedule("pager", layers=[WEEKLY], team=team, removed_at=world.START)
    run("pager", file)
    row = Schedule.objects.get()
    assert (row.pk, row.removed_at, row.team, [layer["name"] for layer in row.layers]) == (
        gone.pk, None, None, ["calendar"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("a/b", "{file}"), "A schedule's name has 1 to 200 characters, none of them /. Give another one."),
        (("a", "/nowhere.ics"), "/nowhere.ics: No such file or directory. Name a file that this user can read."),
        (("a", "{file}", "--team", "vision", "--dry-run"), "No team is called 'vision'. Known: none."),
        (
            ("a", "{file}", "--time-zone", "Mars"),
            "No time zone is called 'Mars'. Write it as Europe/Berlin, America/New_York or UTC.",
        ),
        (("a", __file__), "This is no iCalendar text. It begins with BEGIN:VCALENDAR."),
    ],
)
def test_what_cannot_come_in_is_refused(file: Path, arguments: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CommandError) as caught:
        run(*(argument.format(file=file) for argument in arguments))
    assert str(caught.value) == sentence
    assert not Schedule.objects.exists()
