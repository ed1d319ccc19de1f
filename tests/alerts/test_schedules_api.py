"""The endpoints about schedules: on call now and then, shifts, gaps, overrides, swaps, and what strangers see."""

from typing import Any
from urllib.parse import quote

import orjson
import pytest
from django.core.cache import cache
from django.test import Client

from fleetledger.fleet.models import Role, Team, User
from monitoring.alerts.models import Schedule
from tests import world as fleet
from tests.alerts import world
from tests.alerts.schedules_world import WEEKLY, at, override, person, schedule

pytestmark = pytest.mark.django_db
MIRA, TOM = {"username": "mira", "name": "Mira Example"}, {"username": "tom", "name": "Tom Example"}
NAME = "Größte Nacht 24/7".replace("/", " of ")


@pytest.fixture(autouse=True)
def _fresh() -> None:
    cache.clear()
    world.set_clock()


@pytest.fixture
def vision() -> Team:
    return fleet.team("vision")


@pytest.fixture
def primary(vision: Team) -> Schedule:
    person("mira", vision)
    person("tom", vision)
    return schedule(NAME, team=vision, fallback={"person": "tom"})


def as_program(team: Team | None = None) -> dict[str, Any]:
    return {"headers": fleet.bearer(fleet.token(scopes=["read", "write"], team=team))}


def call(
    path: str, who: User | None = None, *, method: str = "GET", body: Any = None, status: int = 200, **extra: Any
) -> Any:
    """The answer below the schedule NAME; as a program of the whole fleet where no person asks."""
    client = Client()
    if who is not None:
        client.force_login(who)
    else:
        extra = as_program() | extra
    address = path if path.startswith("/") else f"/api/v1/schedules/{quote(NAME)}{'/' if path else ''}{path}"
    data = orjson.dumps({} if body is None else body)
    sent: dict[str, Any] = {"data": data, "content_type": "application/json"} if method != "GET" else {}
    answer = client.generic(method, address, **sent, **extra)
    assert answer.status_code == status, answer.content
    return answer.json() if answer.content and "json" in answer["Content-Type"] else answer.content.decode()


def shift(begin: str, end: str | None, *people: dict[str, str], source: str = "layer base") -> dict[str, Any]:
    return {
        "from_at": begin,
        "until_at": end,
        "people": list(people),
        "source": source if people else "gap",
        "gap": not people,
    }


def test_who_is_on_call_now_and_next(primary: Schedule) -> None:
    assert call("on-call") == {
        "schedule": NAME,
        "at": "2026-11-02T12:00:00Z",
        "people": [MIRA],
        "source": "layer base",
        "until_at": "2026-11-09T08:00:00Z",
        "next": shift("2026-11-09T08:00:00Z", "2026-11-16T08:00:00Z", TOM),
        "fallback": {"person": "tom"},
    }
    assert call("on-call?at=2026-10-25T00:30:00%2B01:00")["source"] == "gap"
    assert call("on-call?at=2199-12-31T00:00:00Z")["people"] == [TOM]


def test_schedules_are_listed_and_one_shows_its_problems(primary: Schedule) -> None:
    User.objects.filter(username="tom").update(is_active=False)
    (row,) = call("/api/v1/schedules")["results"]
    found = call("")
    assert found == {
        "schedule": row,
        "problems": [
            {
                "layer": "base",
                "problem": "tom is gone: their time counts as nobody's. Change the layer's people.",
            }
        ],
    }
    assert row == {
        "name": NAME,
        "team": "vision",
        "description": "",
        "time_zone": "Europe/Berlin",
        "fallback": {"person": "tom"},
        "layers": ["base"],
        "now": shift("2026-11-02T12:00:00Z", "2026-11-09T08:00:00Z", MIRA),
        "next": shift("2026-11-09T08:00:00Z", "2026-11-16T08:00:00Z"),
        "next_gap": shift("2026-11-09T08:00:00Z", "2026-11-16T08:00:00Z"),
    }


def test_shifts_and_gaps_are_exact(primary: Schedule) -> None:
    override(primary, User.objects.get(username="tom"), at(11, 3), at(11, 4))
    window = "from=2026-11-01T00:00:00Z&to=2026-11-05T00:00:00Z"
    gap = shift("2026-11-01T00:00:00Z", "2026-11-02T08:00:00Z")
    assert call(f"shifts?{window}")["results"] == [
        gap,
        shift("2026-11-02T08:00:00Z", "2026-11-03T08:00:00Z", MIRA),
        shift("2026-11-03T08:00:00Z", "2026-11-04T08:00:00Z", TOM, source="override"),
        shift("2026-11-04T08:00:00Z", "2026-11-05T00:00:00Z", MIRA),
    ]
    assert call(f"gaps?{window}")["results"] == [gap]
    assert call(f"shifts?{window}&format=csv").splitlines()[:2] == [
        "from_at,until_at,people,source,gap",
        "2026-11-01T00:00:00Z,2026-11-02T08:00:00Z,[],gap,true",
    ]
    first = call(f"shifts?{window}&limit=3")
    assert len(first["results"]) == 3
    assert call(first["next"].removeprefix("http://testserver"))["results"][0]["people"] == [MIRA]


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("on-call?at=soon", "'at' is an instant such as 2026-11-01T00:00:00Z, or seconds since 1970."),
        ("on-call?at=9998-01-01T00:00:00Z", "'at' lies in a year from 1970 to 2199."),
        ("on-call?when=now", "No parameter is called 'when'. Known: at, cursor, format, limit."),
        ("shifts?from=9998-12-31T00:00:00Z", "'from' lies in a year from 1970 to 2199."),
        ("shifts?to=2026-11-01T00:00:00Z", "'to' comes after 'from'."),
        ("gaps?to=2030-11-01T00:00:00Z", "Ask for at most 366 days at a time."),
    ],
)
def test_what_cannot_be_asked_is_refused(primary: Schedule, path: str, detail: str) -> None:
    assert call(path, status=422)["detail"] == detail


def test_an_answer_that_the_client_has_is_304(primary: Schedule) -> None:
    client = Client(**as_program())
    for path in ("", "/on-call", "/shifts", "/gaps"):
        address = f"/api/v1/schedules/{quote(NAME)}{path}"
        tag = client.get(address)["ETag"]
        assert client.get(address, headers={"If-None-Match": tag}).status_code == 304


def test_an_override_is_made_listed_and_taken_back(primary: Schedule) -> None:
    body = {"person": "tom", "from_at": "2026-11-03T09:00:00+01:00", "until_at": "2026-11-04T08:00:00Z"}
    made = call("overrides", method="POST", body=body | {"reason": "dentist"}, status=201)
    assert made == {
        "id": made["id"],
        "person": TOM,
        "from_at": "2026-11-03T08:00:00Z",
        "until_at": "2026-11-04T08:00:00Z",
        "reason": "dentist",
        "created_by": made["created_by"],
        "created_at": "2026-11-02T12:00:00Z",
        "cancelled_at": None,
        "swap": False,
    }
    assert made["created_by"].startswith("token ")
    assert call("overrides")["results"] == [made]
    call(f"overrides/{made['id']}", method="DELETE", status=204)
    assert call("overrides")["results"][0]["cancelled_at"] == "2026-11-02T12:00:00Z"
    assert call(f"overrides/{made['id']}", method="DELETE", status=409)["detail"] == (
        "This override has ended already."
    )
    call(f"overrides/{10**30}", method="DELETE", status=404)


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ({}, "'person' is a text of at most 150 characters."),
        ({"person": "tom"}, "'until_at' is an instant such as 2026-11-01T00:00:00Z."),
        ({"who": "tom"}, "No part is called 'who'. Known: from_at, person, reason, until_at."),
        ({"person": "tom", "until_at": "2026-11-01T00:00:00Z"}, "It ends before it starts. Give a later end."),
        (
            {"person": "tom", "from_at": "9000-11-01T00:00:00Z", "until_at": "9000-11-02T00:00:00Z"},
            "It begins more than five years ahead. Give an earlier day.",
        ),
    ],
)
def test_an_override_that_cannot_be_is_refused(primary: Schedule, body: dict[str, Any], detail: str) -> None:
    assert call("overrides", method="POST", body=body, status=422)["detail"] == detail


def test_people_swap_shifts(primary: Schedule) -> None:
    mira, tom = User.objects.get(username="mira"), User.objects.get(username="tom")
    body = {"from_at": "2026-11-08T08:00:00Z", "until_at": "2026-11-09T08:00:00Z", "asked_of": "tom"}
    back = {"back_from_at": "2026-11-10T08:00:00Z"}
    detail = "The shift in return has both ends: 'back_until_at' is missing."
    assert call("swaps", mira, method="POST", body=body | back, status=422)["detail"] == detail
    back["back_until_at"] = "2026-11-11T08:00:00Z"
    made = call("swaps", mira, method="POST", body=body | back, status=201)
    assert (made["state"], made["asked_by"], made["asked_of"], made["taken_by"]) == ("open", MIRA, TOM, None)
    taken = call(f"swaps/{made['id']}/take", tom, method="POST")
    assert (taken["state"], taken["taken_by"], taken["decided_at"]) == ("taken", TOM, "2026-11-02T12:00:00Z")
    assert call("swaps", tom)["results"] == [taken]
    assert [row["person"] for row in call("overrides")["results"]] == [MIRA, TOM]
    assert call(f"swaps/{made['id']}", mira, method="DELETE", status=409)["detail"] == (
        "Tom Example has taken that shift already."
    )


def test_a_swap_is_declined_or_taken_back(primary: Schedule) -> None:
    mira, tom = User.objects.get(username="mira"), User.objects.get(username="tom")
    body = {"until_at": "2026-11-03T08:00:00Z", "asked_of": "tom"}
    first = call("swaps", mira, method="POST", body=body, status=201)
    assert call(f"swaps/{first['id']}/decline", tom, method="POST")["state"] == "declined"
    second = call("swaps", mira, method="POST", body=body | {"asked_of": None}, status=201)
    assert call(f"swaps/{second['id']}", mira, method="DELETE")["state"] == "cancelled"
    assert call("swaps", method="POST", body=body, status=403)["detail"] == (
        "A swap is between people: sign in as one."
    )


def test_a_stranger_sees_no_schedule_of_another_team(primary: Schedule) -> None:
    stranger = person("stranger", fleet.team("audio"))
    assert call("/api/v1/schedules", stranger)["results"] == []
    for path in ("", "on-call", "shifts", "gaps", "overrides", "swaps"):
        detail = call(path, stranger, status=404)["detail"]
        assert detail == f"No schedule is called '{NAME}', or none that you may see."
    body = {"person": "stranger", "until_at": "2026-11-04T08:00:00Z"}
    call("overrides", stranger, method="POST", body=body, status=404)
    call("swaps", stranger, method="POST", body={"until_at": "2026-11-04T08:00:00Z"}, status=404)
    call("swaps/1/take", stranger, method="POST", status=404)
    call("overrides/1", stranger, method="DELETE", status=404)
    call("on-call", status=404, **as_program(fleet.team("robots")))


def test_the_platforms_schedule_is_seen_by_everybody_but_changed_by_few(vision: Team) -> None:
    mira = person("mira", vision)
    tom = person("tom", vision, role=Role.LEAD)
    schedule(NAME, layers=[WEEKLY])
    assert call("on-call", tom)["people"] == [MIRA]
    body = {"person": "tom", "from_at": "2026-11-03T08:00:00Z", "until_at": "2026-11-04T08:00:00Z"}
    refusal = "You may hand over your own shifts, and no others. Ask a lead of the team, or an SRE."
    assert call("overrides", tom, method="POST", body=body, status=403)["detail"] == refusal
    call("overrides", mira, method="POST", body=body, status=201)
    assert call("on-call", method="GET", status=200, **as_program(vision))["people"] == [MIRA]
    call("overrides", method="POST", body=body, status=403, **as_program(vision))


def test_nobody_is_told_anything_without_signing_in(primary: Schedule) -> None:
    for path in ("", "/on-call", "/shifts", "/gaps", "/overrides", "/swaps"):
        assert Client().get(f"/api/v1/schedules/{quote(NAME)}{path}").status_code == 401
