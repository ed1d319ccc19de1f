"""Signs the addresses at which a person's calendar reads shifts without signing in."""

from dataclasses import dataclass

from django.core.signing import BadSignature, Signer
from django.urls import reverse
from django.utils.crypto import constant_time_compare

from fleetledger.fleet.models import User

EVERYTHING = 0
_SALT = "fleetledger.on-call.calendar"
_HASH = 16


@dataclass(frozen=True, slots=True)
class Link:
    """`schedule_id` EVERYTHING: the person's own shifts in every schedule that they may see."""

    person: User
    schedule_id: int


def address(person: User, base_url: str, schedule_id: int = EVERYTHING) -> str:
    """The same each time, until SECRET_KEY or the person's password changes."""
    signed = _signer().sign(f"{person.pk}.{schedule_id}.{_print(person)}")
    return f"{base_url.rstrip('/')}{reverse('on-call-calendar', args=[signed])}"


def read(signed: str) -> Link | None:
    """None for what we did not sign, and for who is gone or has another password now."""
    try:
        person_id, schedule_id, known = _signer().unsign(signed).split(".")
        person = User.objects.filter(pk=int(person_id), is_active=True).first()
    except (BadSignature, ValueError):
        return None
    if person is None or not constant_time_compare(known, _print(person)):
        return None
    return Link(person, int(schedule_id))


def _signer() -> Signer:
    return Signer(sep=":", salt=_SALT)


def _print(person: User) -> str:
    """A new password ends the links that somebody else may know."""
    return person.get_session_auth_hash()[:_HASH]
