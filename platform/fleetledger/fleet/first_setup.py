"""The one-time link by which the first administrator is made."""

from django.core import signing

from fleetledger.fleet.models import Role, User

SALT = "fleetledger.fleet.first_setup"
LIFETIME_S = 7 * 24 * 3600
_WORD = "first user"


def path() -> str | None:
    """The link's path while nobody can sign in as administrator, else None."""
    return f"/set-up/{signing.dumps(_WORD, salt=SALT)}/" if _is_needed() else None


def is_open_to(token: str) -> bool:
    """Whether this link may still make the first administrator: signed here, in the last week, nobody there yet."""
    try:
        word = signing.loads(token, salt=SALT, max_age=LIFETIME_S)
    except signing.BadSignature:
        return False
    return word == _WORD and _is_needed()


def _is_needed() -> bool:
    """Members named in the configuration exist without a password: they do not close the link."""
    admins = User.objects.filter(role=Role.ADMIN, is_active=True)
    return not any(user.has_usable_password() for user in admins)
