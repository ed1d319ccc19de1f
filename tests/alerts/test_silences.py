"""Silences follow Alertmanager's rules, and each tenant has its own."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from monitoring.alerts import clock, matchers, silences
from monitoring.alerts.errors import NotFoundError
from monitoring.alerts.models import Silence
from monitoring.alerts.silences import SilenceError, Status
from monitoring.alerts.tenants import PLATFORM, Tenant, of_team
from tests import world as fleet
from tests.alerts import world
from tests.alerts.world import START, after

pytestmark = pytest.mark.django_db
HOUR = 3600
HOT = {"name": "alertname", "value": "Hot", "isRegex": False, "isEqual": True}
COLD = HOT | {"value": "Cold"}


@pytest.fixture(autouse=True)
def _stopped_clock() -> None:
    world.set_clock()


def silence(tenant: Tenant = PLATFORM, since: float = 0, until: float = HOUR, **fields: Any) -> Silence:
    values: dict[str, Any] = {"matchers": [HOT], "created_by": "mira", "comment": "known", **fields}
    return silences.create_or_update(tenant, starts_at=after(since), ends_at=after(until), **values)


def states() -> dict[str, str]:
    return {row.comment: silences.status(row, clock.now()) for row in silences.listed(PLATFORM)}


def test_a_past_start_becomes_now() -> None:
    made = silence(since=-HOUR)
    assert (made.starts_at, made.ends_at, made.updated_at) == (START, after(HOUR), START)
    assert silences.one(PLATFORM, made.id).matchers == [HOT]


def test_a_matcher_without_is_equal_asks_for_equality() -> None:
    assert silence(matchers=[{"name": "a", "value": "b", "isRegex": False}]).matchers == [
        {"name": "a", "value": "b", "isRegex": False, "isEqual": True}
    ]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"matchers": []}, "A silence needs a list of matchers"),
        ({"matchers": None}, "A silence needs a list of matchers"),
        ({"matchers": ["alertname=Hot"]}, "A matcher is an object"),
        ({"matchers": [HOT | {"value": ""}]}, "At least one matcher must not match the empty string"),
        ({"matchers": [HOT | {"value": ".*", "isRegex": True}]}, "At least one matcher must not match the empty"),
        ({"matchers": [HOT | {"isEqual": False}]}, "At least one matcher must not match the empty"),
        ({"matchers": [HOT | {"value": "(", "isRegex": True}]}, "'\\(' is no regular expression"),
        ({"matchers": [HOT | {"name": "9"}]}, "'9' names no label"),
        ({"matchers": [HOT | {"value": "a\x00"}]}, "A matcher's value must not have a NUL"),
        ({"since": HOUR}, "start time must be before its end"),
        ({"since": -HOUR, "until": -1}, "end time can't be in the past"),
        ({"created_by": "x" * 201}, "is too long"),
        ({"comment": "\x00"}, "has a NUL"),
    ],
)
def test_what_would_hide_everything_or_nothing_is_refused(fields: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SilenceError, match=sentence):
        silence(**fields)
    assert Silence.objects.count() == 0


def test_a_negative_matcher_may_stand_beside_a_positive_one() -> None:
    assert len(silence(matchers=[HOT, {"name": "gpu", "value": "0", "isRegex": False, "isEqual": False}]).matchers) == 2


def test_an_active_silence_keeps_its_id_while_its_matchers_and_start_stay() -> None:
    made = silence()
    world.advance(60)
    same = silence(silence_id=made.id, until=2 * HOUR, comment="longer", created_by="sam")
    assert (same.id, same.starts_at, same.ends_at) == (made.id, START, after(2 * HOUR))
    assert [(row.comment, row.created_by, row.updated_at) for row in Silence.objects.all()] == [
        ("longer", "sam", after(60))
    ]


def test_a_client_that_sends_back_milliseconds_changes_nothing() -> None:
    world.set_clock(START + timedelta(microseconds=388_999))
    made = silence(since=0)
    world.advance(60)
    as_told: datetime = made.starts_at.replace(microsecond=388_000)
    same = silences.create_or_update(
        PLATFORM,
        [HOT],
        starts_at=as_told,
        ends_at=after(HOUR),
        created_by="mira",
        comment="x",
        silence_id=str(made.id),
    )
    assert (same.id, same.starts_at) == (made.id, made.starts_at)


@pytest.mark.parametrize("change", [{"matchers": [COLD]}, {"since": 30}])
def test_other_changes_of_an_active_silence_make_a_new_one(change: dict[str, Any]) -> None:
    made = silence(comment="old")
    world.advance(60)
    new = silence(silence_id=made.id, comment="new", **change)
    assert (new.id == made.id, new.starts_at) == (False, after(60))
    assert states() == {"old": Status.EXPIRED, "new": Status.ACTIVE}
    made.refresh_from_db()
    assert (made.ends_at, made.matchers) == (after(60), [HOT])


def test_a_pending_silence_keeps_its_id_while_it_stays_in_the_future() -> None:
    made = silence(since=600)
    assert silence(silence_id=made.id, since=1200).id == made.id
    assert silence(silence_id=made.id, since=-1).id != made.id
    assert sorted(silences.status(row, START) for row in Silence.objects.all()) == [Status.ACTIVE, Status.EXPIRED]


def test_an_ended_silence_cannot_be_extended() -> None:
    made = silence(until=60)
    world.advance(61)
    new = silence(silence_id=made.id, until=HOUR)
    assert new.id != made.id
    made.refresh_from_db()
    assert made.ends_at == after(60)


def test_ending_a_silence_ends_it_now_and_once() -> None:
    made = silence()
    world.advance(60)
    silences.expire(PLATFORM, made.id)
    world.advance(60)
    assert silences.expire(PLATFORM, str(made.id)).ends_at == after(60)


def test_a_silence_that_never_began_ends_where_it_would_have() -> None:
    ended = silences.expire(PLATFORM, silence(since=600).id)
    assert (ended.starts_at, ended.ends_at, silences.status(ended, START)) == (START, START, Status.EXPIRED)


def test_the_list_is_in_alertmanagers_order_and_forgets_what_ended_long_ago() -> None:
    for comment, since, until in [
        ("second to end", 0, 7200),
        ("first to end", 0, 3600),
        ("later", 1200, 3600),
        ("soon", 600, 3600),
        ("over first", 0, 10),
        ("over last", 0, 20),
    ]:
        silence(comment=comment, since=since, until=until)
    world.advance(30)
    assert [row.comment for row in silences.listed(PLATFORM)] == [
        "first to end", "second to end", "soon", "later", "over last", "over first"
    ]  # fmt: skip
    world.advance(6 * 86_400)
    assert silences.listed(PLATFORM) == ()
    assert Silence.objects.count() == 6


def test_a_filter_asks_for_a_matcher_of_the_silences_own() -> None:
    silence(comment="hot")
    silence(comment="cold", matchers=[COLD, {"name": "gpu", "value": "1", "isRegex": False, "isEqual": False}])
    found = {
        text: [row.comment for row in silences.listed(PLATFORM, matchers.parse_all(text))]
        for text in ("alertname=Hot", "alertname=~.*", "alertname!=Hot", "gpu!=1", "gpu=1", "alertname=Cold,gpu!=1")
    }
    assert found == {
        "alertname=Hot": ["hot"],
        "alertname=~.*": [],
        "alertname!=Hot": [],
        "gpu!=1": ["cold"],
        "gpu=1": [],
        "alertname=Cold,gpu!=1": ["cold"],
    }


def test_another_tenants_silence_does_not_exist() -> None:
    acme = of_team(fleet.team("acme"))
    made = silence(acme)
    for tenant in (PLATFORM, of_team(fleet.team("other"))):
        assert silences.listed(tenant) == ()
        for act in (silences.one, silences.expire):
            with pytest.raises(NotFoundError, match=f"No silence has the id '{made.id}'"):
                act(tenant, made.id)
        with pytest.raises(NotFoundError):
            silence(tenant, silence_id=made.id, comment="stolen")
    assert [row.comment for row in silences.listed(acme)] == ["known"]


@pytest.mark.parametrize("unknown", ["nope", "8b1f0b1e-0000-0000-0000-000000000000", "x" * 500])
def test_an_id_that_nothing_has_is_not_found(unknown: str) -> None:
    with pytest.raises(NotFoundError):
        silence(silence_id=unknown)


@pytest.mark.django_db(transaction=True)
def test_each_change_rings_the_doorbell() -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {clock.DOORBELL}")
        made = silence()
        silences.expire(PLATFORM, made.id)
        rung = list(connection.connection.notifies(timeout=1, stop_after=2))
        cursor.execute("UNLISTEN *")
    assert [note.channel for note in rung] == [clock.DOORBELL] * 2
