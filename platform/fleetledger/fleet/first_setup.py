"""The one-time link by which the first user is made."""

from django.core import signing

from fleetledger.fleet.models import User

SALT = "fleetledger.fleet.first_setup"
LIFETIME_S = 7 * 24 * 3600
_WORD = "first user"


def path() -> str | None:
    """The link's path while there are no users, else None."""
    return None if User.objects.exists() else f"/set-up/{signing.dumps(_WORD, salt=SALT)}/"


def is_open_to(token: str) -> bool:
    """Whether this link may still make the first user: signed here, in the last week, and nobody is there yet."""
    try:
        word = signing.loads(token, salt=SALT, max_age=LIFETIME_S)
    except signing.BadSignature:
        return False
    return word == _WORD and not User.objects.exists()
