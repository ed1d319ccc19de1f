"""Tells a person what is about no alert, such as a swap that they are asked for: one message, by their first way.

It waits for the end of their quiet hours, and no fallback is told where it cannot be delivered: the pages have it too.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.urls import reverse

from fleetledger.fleet.access import Principal
from fleetledger.fleet.models import User
from monitoring.alerts import outbox
from monitoring.alerts.escalation.ways import ways_to
from monitoring.alerts.message import Body
from monitoring.alerts.models import MessageKind, OutboxMessage, Swap, SwapState
from monitoring.alerts.oncall.wall import wall

NO_SEVERITY = ""


def tell(person: User, note: str, key: str, team_id: int | None, now: datetime) -> bool:
    """Queue it within the caller's transaction, once for each `key`; whether there is a way to them."""
    ways = ways_to(person, NO_SEVERITY, now)
    if not ways.methods or not person.is_active:
        return False
    row = OutboxMessage(
        team_id=team_id,
        destination_id=ways.methods[0].destination_id,
        kind=MessageKind.NOTICE,
        dedupe_key=f"notice:{key}:{person.pk}",
        body=Body(note=note).packed(),
        created_at=now,
        due_at=ways.quiet_until_at or now,
    )
    outbox.enqueue_pages([row])
    return True


def asked(swap: Swap, now: datetime) -> None:
    """To the one who is asked; to nobody where anybody is."""
    if (to := swap.asked_of) is None:
        return
    back = f", for {_times(swap.back_from_at, swap.back_until_at, to)} in return" if swap.back_from_at else ""
    reason = f" Reason: {swap.reason.rstrip('.')}." if swap.reason else ""
    note = f"{_name(swap.asked_by)} asks you to take {_shift(swap, to)}{back}.{reason} Take it or decline it:"
    _tell(swap, to, note, now)


def decided(swap: Swap, by: Principal, now: datetime) -> None:
    """To the asker what the other decided; to both, whoever did not do it, that it was taken back."""
    if swap.state == SwapState.TAKEN:
        _tell(swap, swap.asked_by, f"{_name(swap.taken_by)} takes {_shift(swap, swap.asked_by)}.", now)
    elif swap.state == SwapState.DECLINED:
        note = f"{_name(swap.asked_of)} declines to take {_shift(swap, swap.asked_by)}: it is still yours."
        _tell(swap, swap.asked_by, note, now)
    else:
        for person in (swap.asked_by, swap.asked_of):
            if person is not None and person.username != by.username:
                _tell(swap, person, f"Nobody is asked any more to take {_shift(swap, person)}.", now)


def _tell(swap: Swap, to: User, note: str, now: datetime) -> None:
    is_open = swap.state == SwapState.OPEN
    path = f"{reverse('schedule', args=[swap.schedule.name])}#swaps" if is_open else reverse("on-call")
    text = f"{note} {settings.BASE_URL.rstrip('/')}{path}"
    tell(to, text, f"swap:{swap.pk}:{swap.state}", swap.schedule.team_id, now)


def _shift(swap: Swap, reader: User) -> str:
    whose = "your shift" if reader == swap.asked_by else "the shift"
    return f"{whose} of {swap.schedule.name}, {_times(swap.from_at, swap.until_at, reader)}"


def _times(from_at: datetime | None, until_at: datetime | None, reader: User) -> str:
    """On the reader's clock."""
    zone = ZoneInfo(reader.time_zone)
    begin, end = (f"{wall(at, zone):%a %-d %b %H:%M}" for at in (from_at, until_at) if at is not None)
    return f"{begin} to {end} ({zone.key})"


def _name(person: User | None) -> str:
    return (person.get_full_name() or person.username) if person else "Somebody"
