"""Overrides and swaps: who may make them, what they do to the shifts, and who comes first."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied

from fleetledger.fleet.access import Principal, TeamScope, TokenPrincipal
from fleetledger.fleet.models import ApiToken, Role, User
from monitoring.alerts.errors import AlertsError, ConflictError, NotFoundError
from monitoring.alerts.models import Override, Schedule, Swap
from monitoring.alerts.oncall import overrides, reads, swaps
from monitoring.alerts.oncall.overrides import Wanted
from tests import world as fleet
from tests.alerts import world
from tests.alerts.schedules_world import at, override, person, schedule

pytestmark = pytest.mark.django_db
EVERYTHING = TeamScope.everything()
TUESDAY, WEDNESDAY = at(11, 3), at(11, 4)


@dataclass
class Cast:
    """mira is on call from 2 to 9 November, tom until the 16th, and so on; it is Monday noon."""

    schedule: Schedule
    mira: User
    tom: User
    ana: User
    lead: User
    sre: User
    stranger: User


@pytest.fixture
def cast() -> Cast:
    world.set_clock()
    team = fleet.team("vision")
    return Cast(
        schedule=schedule(team=team),
        mira=person("mira", team),
        tom=person("tom", team),
        ana=person("ana", team),
        lead=person("lead", team, role=Role.LEAD),
        sre=person("sre", role=Role.SRE),
        stranger=person("stranger", fleet.team("audio")),
    )


def shown(of: Schedule, begin: datetime, end: datetime) -> list[tuple[datetime, str]]:
    return [
        (one.from_at, "+".join(who.username for who in one.people) or "gap") for one in reads.shifts(of, begin, end)
    ]


def refusal(do: Callable[[], Any]) -> tuple[type[Exception], str]:
    with pytest.raises((AlertsError, PermissionDenied)) as caught:
        do()
    return type(caught.value), str(caught.value)


def make(cast: Cast, by: Principal, who: str = "ana", begin: datetime = TUESDAY, end: datetime = WEDNESDAY) -> Override:
    return overrides.make(cast.schedule, Wanted(who, begin, end, "dentist"), by)


def test_an_override_splits_the_shift(cast: Cast) -> None:
    row = reads.override(make(cast, cast.sre))
    assert (row.person.name, row.reason, row.created_by, row.is_by_swap) == ("Ana Example", "dentist", "sre", False)
    assert shown(cast.schedule, at(11, 2), at(11, 10)) == [
        (at(11, 2), "mira"),
        (at(11, 3), "ana"),
        (at(11, 4), "mira"),
        (at(11, 9), "tom"),
    ]


def test_the_later_made_override_counts(cast: Cast) -> None:
    make(cast, cast.sre)
    make(cast, cast.sre, "tom", at(11, 3, 12), at(11, 5))
    assert shown(cast.schedule, at(11, 3), at(11, 6)) == [
        (at(11, 3), "ana"),
        (at(11, 3, 12), "tom"),
        (at(11, 5), "mira"),
    ]


def test_who_may_make_an_override(cast: Cast) -> None:
    people: dict[str, Principal] = {
        "whose shift it is": cast.mira,
        "an SRE": cast.sre,
        "a lead": cast.lead,
        "whose shift it is not": cast.tom,
        "a stranger": cast.stranger,
        "a token that writes": TokenPrincipal(ApiToken(name="w", scopes=["write"])),
        "a token that reads": TokenPrincipal(ApiToken(name="r", scopes=["read"])),
    }
    may = {name: _may(partial(make, cast, who)) for name, who in people.items()}
    assert may == {
        "an SRE": True,
        "a lead": True,
        "whose shift it is": True,
        "whose shift it is not": False,
        "a stranger": False,
        "a token that writes": True,
        "a token that reads": False,
    }


def test_a_person_hands_over_their_own_shift_and_no_minute_more(cast: Cast) -> None:
    assert _may(lambda: make(cast, cast.mira, begin=at(11, 8), end=at(11, 9)))
    assert not _may(lambda: make(cast, cast.mira, begin=at(11, 7), end=at(11, 9, 8, 1)))
    assert not _may(lambda: make(cast, cast.mira, begin=at(11, 8, 12), end=at(11, 8, 14)))  # ana's by now


@pytest.mark.parametrize(
    ("who", "begin", "end", "sentence"),
    [
        ("ana", at(11, 4), at(11, 4), "It ends before it starts. Give a later end."),
        ("ana", at(11, 1), at(11, 2, 12), "It has ended already. Give a later end."),
        (
            "ana",
            at(11, 3),
            at(11, 5, year=2027),
            "It lasts 366 days at most. Change the schedule's layers for longer.",
        ),
        (
            "stranger",
            at(11, 3),
            at(11, 4),
            "'stranger' cannot be on call here. Name somebody of its layers, of its team, or an SRE.",
        ),
        (
            "no\x00body",
            at(11, 3),
            at(11, 4),
            "'no\x00body' cannot be on call here. Name somebody of its layers, of its team, or an SRE.",
        ),
    ],
)
def test_an_override_that_cannot_be_is_refused(
    cast: Cast, who: str, begin: datetime, end: datetime, sentence: str
) -> None:
    assert refusal(lambda: make(cast, cast.sre, who, begin, end)) == (AlertsError, sentence)


def test_what_was_stays_as_it_was(cast: Cast) -> None:
    row = make(cast, cast.sre, begin=at(11, 1))
    assert row.from_at == world.START
    world.set_clock(at(11, 3))
    overrides.cancel(cast.schedule, row.pk, cast.sre)
    assert shown(cast.schedule, at(11, 2), at(11, 5)) == [
        (at(11, 2), "mira"),
        (world.START, "ana"),
        (at(11, 3), "mira"),
    ]


def test_an_override_that_has_not_begun_never_was(cast: Cast) -> None:
    row = make(cast, cast.sre)
    assert overrides.cancel(cast.schedule, row.pk, cast.lead).cancelled_at == world.START
    assert shown(cast.schedule, at(11, 2), at(11, 5)) == [(at(11, 2), "mira")]
    ended = (ConflictError, "This override has ended already.")
    assert refusal(lambda: overrides.cancel(cast.schedule, row.pk, cast.sre)) == ended
    assert refusal(lambda: overrides.cancel(schedule("other"), row.pk, cast.sre))[0] is NotFoundError


def test_who_may_take_an_override_back(cast: Cast) -> None:
    row = make(cast, cast.mira)
    assert not _may(lambda: overrides.cancel(cast.schedule, row.pk, cast.ana))
    assert not _may(lambda: overrides.cancel(cast.schedule, row.pk, cast.stranger))
    assert _may(lambda: overrides.cancel(cast.schedule, row.pk, cast.mira))


def ask(cast: Cast, by: Principal | None = None, **wanted: Any) -> Swap:
    values: dict[str, Any] = {"from_at": at(11, 7), "until_at": at(11, 9), "reason": "wedding"} | wanted
    return swaps.ask(cast.schedule, swaps.Wanted(**values), by or cast.mira)


def test_a_swap_that_is_taken_makes_both_overrides(cast: Cast) -> None:
    asked = ask(cast, asked_of="tom", back=(at(11, 14), at(11, 16)))
    (row,) = reads.open_swaps(teams=EVERYTHING, at=world.START)
    assert (row.asked_by.username, row.asked_of and row.asked_of.username, row.state) == ("mira", "tom", "open")
    swaps.take(cast.schedule, asked.pk, cast.tom)
    assert shown(cast.schedule, at(11, 2), at(11, 23)) == [
        (at(11, 2), "mira"),
        (at(11, 7), "tom"),
        (at(11, 9), "tom"),
        (at(11, 14), "mira"),
        (at(11, 16), "mira"),
    ]
    assert reads.open_swaps(teams=EVERYTHING, at=world.START) == ()
    assert [row.swap_id for row in Override.objects.all()] == [asked.pk, asked.pk]


def test_anybody_of_the_schedule_may_take_what_is_asked_of_anybody(cast: Cast) -> None:
    asked = ask(cast)
    assert not _may(lambda: swaps.take(cast.schedule, asked.pk, cast.stranger))
    own = (ConflictError, "You asked for this swap yourself. Take it back instead.")
    assert refusal(lambda: swaps.take(cast.schedule, asked.pk, cast.mira)) == own
    assert swaps.take(cast.schedule, asked.pk, cast.ana).taken_by == cast.ana
    late = (ConflictError, "Ana Example has taken that shift already.")
    assert refusal(lambda: swaps.take(cast.schedule, asked.pk, cast.tom)) == late
    assert Override.objects.count() == 1


def test_a_shift_that_changed_hands_meanwhile_cannot_be_taken(cast: Cast) -> None:
    asked = ask(cast)
    override(cast.schedule, cast.ana, at(11, 8), at(11, 8, 12))
    changed = (ConflictError, "That is Mira Example's shift no more: the schedule has changed.")
    assert refusal(lambda: swaps.take(cast.schedule, asked.pk, cast.tom)) == changed
    assert Swap.objects.get().state == "open"


def test_a_shift_in_return_that_changed_hands_cannot_be_given(cast: Cast) -> None:
    asked = ask(cast, asked_of="tom", back=(at(11, 14), at(11, 16)))
    override(cast.schedule, cast.ana, at(11, 15), at(11, 16))
    changed = (ConflictError, "The shift in return is not yours alone. Ask for another swap.")
    assert refusal(lambda: swaps.take(cast.schedule, asked.pk, cast.tom)) == changed
    assert Override.objects.count() == 1


def test_a_swap_is_declined_by_who_was_asked_and_taken_back_by_who_asked(cast: Cast) -> None:
    asked = ask(cast, asked_of="tom")
    assert not _may(lambda: swaps.take(cast.schedule, asked.pk, cast.ana))
    assert not _may(lambda: swaps.decline(cast.schedule, asked.pk, cast.ana))
    assert not _may(lambda: swaps.take_back(cast.schedule, asked.pk, cast.tom))
    assert swaps.decline(cast.schedule, asked.pk, cast.tom).state == "declined"
    declined = (ConflictError, "That was declined already.")
    assert refusal(lambda: swaps.take(cast.schedule, asked.pk, cast.tom)) == declined
    again = ask(cast, asked_of="tom")
    assert swaps.take_back(cast.schedule, again.pk, cast.mira).state == "cancelled"
    assert refusal(lambda: swaps.take(cast.schedule, again.pk, cast.tom)) == (ConflictError, "That was taken back.")


def test_a_swap_that_has_begun_hands_over_what_is_left(cast: Cast) -> None:
    asked = ask(cast)
    world.set_clock(at(11, 8))
    swaps.take(cast.schedule, asked.pk, cast.tom)
    assert shown(cast.schedule, at(11, 6), at(11, 9)) == [(at(11, 6), "mira"), (at(11, 8), "tom")]
    late = ask(cast, cast.tom, from_at=at(11, 10), until_at=at(11, 11))
    world.set_clock(at(11, 11))
    assert refusal(lambda: swaps.take(cast.schedule, late.pk, cast.mira)) == (ConflictError, "That shift is over.")


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        (
            {"until_at": at(11, 9, 9)},
            "That is not your shift alone, from beginning to end. Ask for one of your own.",
        ),
        ({"asked_of": "mira"}, "You are asking yourself. Name somebody else, or nobody for anybody."),
        (
            {"asked_of": "stranger"},
            "'stranger' cannot be on call here. Name somebody of its layers, of its team, or an SRE.",
        ),
        (
            {"asked_of": "tom", "back": (at(11, 8), at(11, 10))},
            "The shift in return overlaps the one that you give. Name another one.",
        ),
        (
            {"asked_of": "tom", "back": (at(11, 17), at(11, 18))},
            "The shift in return is not Tom Example's alone, from beginning to end.",
        ),
        ({"until_at": at(11, 6)}, "It ends before it starts. Give a later end."),
    ],
)
def test_a_swap_that_cannot_be_is_refused(cast: Cast, wanted: dict[str, Any], sentence: str) -> None:
    assert refusal(lambda: ask(cast, **wanted)) == (AlertsError, sentence)


def test_a_program_swaps_nothing(cast: Cast) -> None:
    token = TokenPrincipal(ApiToken(name="w", scopes=["admin"]))
    assert refusal(lambda: ask(cast, token)) == (PermissionDenied, "A swap is between people: sign in as one.")


def test_a_shared_shift_cannot_be_given_away(cast: Cast) -> None:
    cast.schedule.layers = [{**cast.schedule.layers[0], "people": [["mira", "ana"], "tom"]}]
    cast.schedule.save()
    assert not _may(lambda: ask(cast))
    assert not _may(lambda: make(cast, cast.mira))
    assert _may(lambda: make(cast, cast.lead))


def test_own_shifts_come_from_every_schedule_that_may_be_seen(cast: Cast) -> None:
    schedule("all of us", layers=[{"name": "l", "people": ["tom"], "every": "day", "start": "2026-11-20 00:00"}])
    schedule("hidden", team=fleet.team("secret"))
    scope = TeamScope(fleet=False, team_ids=frozenset([cast.schedule.team_id or 0]))
    mine = reads.own_shifts(cast.tom, teams=scope, at=world.START, most=3)
    assert [(own.schedule, own.shift.from_at) for own in mine] == [
        ("primary", at(11, 9)),
        ("all of us", at(11, 19, 23)),
        ("primary", at(11, 23)),
    ]


def test_schedules_say_who_is_on_call_now_next_and_where_nobody_is(cast: Cast) -> None:
    ends = {**cast.schedule.layers[0], "until": "2026-11-20 09:00"}
    schedule("ends", layers=[ends], time_zone="UTC")
    found = {row.name: row for row in reads.schedules(teams=EVERYTHING, at=world.START)}
    assert list(found) == ["ends", "primary"]
    row = found["ends"]
    assert row.next is not None
    assert row.next_gap is not None
    assert [who.username for who in row.now.people + row.next.people] == ["mira", "tom"]
    assert (row.now.until_at, row.next_gap.from_at, row.next_gap.source) == (at(11, 9, 9), at(11, 20, 9), "gap")
    assert found["primary"].next_gap is None
    assert reads.schedules(teams=TeamScope.nothing(), at=world.START) == (row,)


def _may(do: Callable[[], Any]) -> bool:
    try:
        do()
    except (PermissionDenied, AlertsError):
        return False
    return True
