"""Takes subscriptions to the public page: told of nothing until the address itself has said yes.

1. Whoever asks gets the same answer, whether the address is known or not.
2. An address is sent a way to confirm at most every ten minutes and three times a day, and none once it has confirmed.
3. Confirming and ending are POSTs to links that only the address was sent.
4. What nobody confirmed within a week, and what ended a month ago, is forgotten with its address.
"""

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import F, Q
from django.utils.crypto import salted_hmac

from fleetledger.fleet import sealing
from monitoring.alerts import clock, outbox
from monitoring.alerts.message import Body
from monitoring.alerts.models import ChannelKind, Destination, MessageKind, OutboxMessage
from monitoring.availability.models import Subscription
from monitoring.availability.public import links
from monitoring.availability.public.errors import GoneError, SubscribeError, TooManyError

RECEIVER = "public status"
APART = timedelta(minutes=10)
MOST_TRIES_A_DAY = 3
MOST_FROM_ONE_CLIENT = 10
CLIENT_WINDOW_S = 3600
MOST_UNCONFIRMED = 10_000
FORGET_UNCONFIRMED = timedelta(days=7)
FORGET_ENDED = timedelta(days=30)
MAX_URL = 1000
_DAY = timedelta(days=1)
_URL = re.compile(r"https?://[!-~]+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """`secret` signs what a webhook is told; may be empty."""

    kind: ChannelKind
    address: str
    secret: str = ""


def ask(wanted: Wanted, client: str) -> None:
    """Send the address a way to confirm, if it is to have one. Raises SubscribeError and TooManyError."""
    address = _checked(wanted)
    _count(client)
    digest = salted_hmac(__name__, f"{wanted.kind}:{address}", algorithm="sha256").hexdigest()
    with transaction.atomic():
        now = clock.now()
        row = Subscription.objects.select_for_update().filter(kind=wanted.kind, digest=digest).first()
        if row is None:
            row = _new(wanted, address, digest, now)
        elif not _may_be_sent(row, now):
            return
        if row is not None:
            _begin(row, wanted, now)


@transaction.atomic
def confirm(signed: str) -> Subscription:
    """From now on it is told. Raises GoneError."""
    row = links.to_confirm(signed)
    if row is None:
        raise GoneError
    Subscription.objects.filter(pk=row.pk, confirmed_at=None).update(confirmed_at=clock.now())
    row.refresh_from_db()
    return row


@transaction.atomic
def leave(signed: str) -> Subscription:
    """It is told nothing more, not even what waits already. Raises GoneError."""
    row = links.to_leave(signed)
    if row is None:
        raise GoneError
    row.ended_at = clock.now()
    row.save(update_fields=["ended_at"])
    Destination.objects.filter(outside=_outside(row)).update(removed_at=row.ended_at)
    return row


def message(row: Subscription, note: str, facts: Mapping[str, str], key: str, now: datetime) -> OutboxMessage | None:
    """To be queued; None where its destination is gone. `facts` are for programs."""
    place = Destination.objects.filter(outside=_outside(row), removed_at=None).first()
    if place is None:
        return None
    body = Body(note=note, group_labels=facts if row.kind == ChannelKind.WEBHOOK else {})
    return OutboxMessage(
        destination=place,
        kind=MessageKind.NOTICE,
        dedupe_key=key,
        body=body.packed(),
        created_at=now,
        due_at=now,
    )


def forget(now: datetime) -> int:
    """With their destinations and what these were told."""
    never = Q(confirmed_at=None, tried_at__lt=now - FORGET_UNCONFIRMED)
    over = Q(ended_at__lt=now - FORGET_ENDED)
    ids = list(Subscription.objects.filter(never | over).values_list("pk", flat=True)[:1000])
    Destination.objects.filter(outside__in=[f"subscription:{pk}" for pk in ids]).delete()
    Subscription.objects.filter(pk__in=ids).delete()
    return len(ids)


def counted() -> int:
    """How many are told."""
    return Subscription.objects.filter(confirmed_at__isnull=False, ended_at=None).count()


def _checked(wanted: Wanted) -> str:
    address = wanted.address.strip()
    if wanted.kind == ChannelKind.EMAIL:
        try:
            validate_email(address)
        except ValidationError as error:
            raise SubscribeError("That is no mail address.") from error
        local, _, domain = address.rpartition("@")
        return f"{local}@{domain.lower()}"
    if len(address) > MAX_URL or not _URL.fullmatch(address) or not _host(address):
        raise SubscribeError("A webhook's address begins with https:// or http:// and names a host.")
    return address


def _host(url: str) -> str:
    """Empty for what cannot be called; credentials in an address would be ours to keep."""
    try:
        parts = urlsplit(url)
        is_fine = parts.username is None and parts.port != 0
    except ValueError:
        return ""
    return (parts.hostname or "") if is_fine else ""


def _count(client: str) -> None:
    """In this process: it works while Redis is down."""
    key = f"subscribe:{salted_hmac(__name__, client).hexdigest()}"
    cache.add(key, 0, CLIENT_WINDOW_S)
    if cache.incr(key) > MOST_FROM_ONE_CLIENT:
        raise TooManyError


def _new(wanted: Wanted, address: str, digest: str, now: datetime) -> Subscription | None:
    """None where too many wait for a confirmation: the page answers the same."""
    if Subscription.objects.filter(confirmed_at=None).count() >= MOST_UNCONFIRMED:
        return None
    fresh = Subscription(
        kind=wanted.kind,
        digest=digest,
        address=sealing.seal(address),
        shown=_shortened(wanted.kind, address),
        nonce="",
        created_at=now,
        tried_at=now,
    )
    Subscription.objects.bulk_create([fresh], ignore_conflicts=True)
    return Subscription.objects.select_for_update().filter(kind=wanted.kind, digest=digest, nonce="").first()


def _may_be_sent(row: Subscription, now: datetime) -> bool:
    if row.confirmed_at is not None and row.ended_at is None:
        return False
    if row.tried_at > now - APART:
        return False
    if row.tried_at <= now - _DAY:
        Subscription.objects.filter(pk=row.pk).update(tries=0)
        return True
    return row.tries < MOST_TRIES_A_DAY


def _begin(row: Subscription, wanted: Wanted, now: datetime) -> None:
    """A link of before is good no more."""
    row.nonce = secrets.token_urlsafe(16)
    row.secret = sealing.seal(wanted.secret) if wanted.secret else {}
    row.confirmed_at = row.ended_at = None
    row.tried_at = now
    row.save(update_fields=["nonce", "secret", "confirmed_at", "ended_at", "tried_at"])
    Subscription.objects.filter(pk=row.pk).update(tries=F("tries") + 1)
    Destination.objects.update_or_create(
        outside=_outside(row),
        defaults={
            "receiver": RECEIVER,
            "kind": row.kind,
            "config": _config(row),
            "is_guarded": True,
            "removed_at": None,
            "failures": 0,
            "open_until": None,
        },
    )
    link = links.confirm_url(row)
    note = (
        f"Confirm that you want to be told of incidents and planned work. Open {link} and press the button, or send a "
        f"POST there. The link is good for {links.GOOD_FOR.days} days. Whoever did not ask for it may ignore this: "
        "nothing more will come."
    )
    queued = message(row, note, {"event": "confirm", "confirm_url": link}, f"subscribe:{row.pk}:{row.nonce}", now)
    outbox.enqueue_pages([queued] if queued else [])


def _config(row: Subscription) -> dict[str, Any]:
    if row.kind == ChannelKind.EMAIL:
        return {"to": row.address}
    return {"url": row.address} | ({"secret": row.secret} if row.secret else {})


def _outside(row: Subscription) -> str:
    return f"subscription:{row.pk}"


def _shortened(kind: str, address: str) -> str:
    """Enough to know one's own by."""
    if kind == ChannelKind.EMAIL:
        local, _, domain = address.rpartition("@")
        return f"{local[:1]}…@{domain}"[:100]
    return f"{_host(address)}/…"[:100]
