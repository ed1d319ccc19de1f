"""The demo's people: one of each role, with passwords that are different on every installation."""

import hashlib
import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings

from fleetledger.fleet import users
from fleetledger.fleet.models import Role, User

PEOPLE = (
    ("mira", Role.VIEWER, "lead of Vision Research"),
    ("finance", Role.FINANCE, "sees all money, imports bills"),
    ("sre", Role.SRE, "sees all usage, manages sources"),
    ("admin", Role.ADMIN, "may do everything"),
)
_LETTERS = "bcdfghjkmnpqrstvwxz23456789"


@dataclass(frozen=True, slots=True)
class Login:
    username: str
    password: str
    about: str

    def __str__(self) -> str:
        return f"Demo login: {self.username:<8} {self.password}  ({self.about})"


def make() -> Iterator[Login]:
    """Make those who are missing, and set every password again, so that what is printed is what works."""
    for username, role, about in PEOPLE:
        password = _password(username)
        user = User.objects.filter(username=username).first()
        if user is None or not user.has_usable_password():
            users.create(username, password, role=role)
        elif not user.check_password(password):
            users.set_password(user, password)
        yield Login(username, password, about)


def _password(username: str) -> str:
    digest = hmac.digest(settings.SECRET_KEY.encode(), f"demo login {username}".encode(), hashlib.sha256)
    letters = [_LETTERS[byte % len(_LETTERS)] for byte in digest[:16]]
    return "-".join("".join(letters[at : at + 4]) for at in range(0, 16, 4))
