"""Two people who take one shift at the same moment, many times: one has it, the other is told who."""

from functools import partial

import pytest
from django.core.exceptions import PermissionDenied

from fleetledger.fleet.models import User
from monitoring.alerts.errors import ConflictError
from monitoring.alerts.models import Override, Swap
from monitoring.alerts.oncall import overrides, swaps
from monitoring.alerts.oncall.now import on_call
from tests import world as fleet
from tests.alerts import world
from tests.alerts.schedules_world import at, person, schedule
from tests.alerts.test_acknowledge_race import at_once

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.realtime]
TIMES = 30


def test_one_of_two_takers_has_the_shift() -> None:
    world.set_clock()
    team = fleet.team("vision")
    mira, tom, ana = (person(name, team) for name in ("mira", "tom", "ana"))
    primary = schedule(team=team)
    for number in range(TIMES):
        begin, end = at(11, 3, number % 20), at(11, 3, number % 20 + 1)
        asked = swaps.ask(primary, swaps.Wanted(begin, end), mira)
        refused: list[str] = []

        def take(who: User, pk: int = asked.pk, refused: list[str] = refused) -> None:
            try:
                swaps.take(primary, pk, who)
            except ConflictError as error:
                refused.append(str(error))

        at_once(partial(take, tom), partial(take, ana))
        taker = Swap.objects.select_related("taken_by").get(pk=asked.pk).taken_by
        assert taker is not None
        assert refused == [f"{taker.get_full_name()} has taken that shift already."]
        assert [who.username for who in on_call(primary, begin).people] == [taker.username]
        assert Override.objects.filter(swap=asked).count() == 1
        Override.objects.all().delete()


def test_a_shift_is_not_taken_once_an_override_gave_it_away() -> None:
    world.set_clock()
    team = fleet.team("vision")
    mira, tom, ana = (person(name, team) for name in ("mira", "tom", "ana"))
    primary = schedule(team=team)
    begin, end = at(11, 3), at(11, 4)
    for _ in range(TIMES):
        asked = swaps.ask(primary, swaps.Wanted(begin, end), mira)
        refused: list[str] = []

        def take(pk: int = asked.pk, refused: list[str] = refused) -> None:
            try:
                swaps.take(primary, pk, tom)
            except ConflictError as error:
                refused.append(str(error))

        def give(refused: list[str] = refused) -> None:
            try:
                overrides.make(primary, overrides.Wanted("ana", begin, end), mira)
            except PermissionDenied as error:  # the taker was first: it is no shift of hers any more
                refused.append(str(error))

        at_once(take, give)
        assert len(refused) == 1
        (row,) = Override.objects.all()
        assert row.person == (ana if "no more" in refused[0] else tom)
        Override.objects.all().delete()
        Swap.objects.all().delete()
