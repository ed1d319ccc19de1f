"""Signs the links by which somebody confirms or ends a subscription, and reads them."""

from datetime import timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer, TimestampSigner
from django.urls import reverse

from monitoring.availability.models import Subscription

GOOD_FOR = timedelta(days=3)
_SALT = "monitoring.availability.public"


def confirm_url(row: Subscription) -> str:
    """Good for three days."""
    return _address("public-confirm", TimestampSigner(salt=f"{_SALT}.confirm").sign(_named(row)))


def leave_url(row: Subscription) -> str:
    """Good until the subscription ends."""
    return _address("public-leave", Signer(salt=f"{_SALT}.leave").sign(_named(row)))


def to_confirm(signed: str) -> Subscription | None:
    try:
        return _found(TimestampSigner(salt=f"{_SALT}.confirm").unsign(signed, max_age=GOOD_FOR))
    except BadSignature:
        return None


def to_leave(signed: str) -> Subscription | None:
    try:
        return _found(Signer(salt=f"{_SALT}.leave").unsign(signed))
    except BadSignature:
        return None


def _named(row: Subscription) -> str:
    return f"{row.pk}.{row.nonce}"


def _found(text: str) -> Subscription | None:
    """None where it was begun anew since."""
    pk, _, nonce = text.partition(".")
    return Subscription.objects.filter(pk=int(pk), nonce=nonce, ended_at=None).first() if pk.isdecimal() else None


def _address(name: str, signed: str) -> str:
    return f"{settings.BASE_URL.rstrip('/')}{reverse(name, args=[signed])}"
