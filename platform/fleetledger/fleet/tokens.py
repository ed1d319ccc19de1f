"""API tokens: made once, kept as a SHA-256, checked in constant time."""

import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from fleetledger.fleet.errors import FleetError, UnknownNameError
from fleetledger.fleet.models import ApiToken, Team, User

LEVELS = ("read", "write", "admin")
AREAS = ("costs", "telemetry", "fleet", "alerts", "drift")
LAST_USED_EVERY = timedelta(minutes=1)
_FORM = re.compile(r"fl_([0-9a-z]{8})_([0-9A-Za-z_-]{43})")
_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"


class TokenRefusedError(FleetError):
    http_status = 401


class TokenInputError(FleetError):
    """A token that cannot be made as asked."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """`secret` is shown once; afterwards nobody has it."""

    token: ApiToken
    secret: str


def create(
    name: str,
    scopes: Sequence[str],
    *,
    team: Team | None = None,
    expires_at: datetime | None = None,
    created_by: User | None = None,
) -> NewToken:
    """Make a token; raises TokenInputError."""
    name = name.strip()
    if not name or len(name) > 100:  # noqa: PLR2004 the column's width
        raise TokenInputError("A token needs a name of at most 100 characters, for example --name grafana.")
    if expires_at is not None and expires_at <= timezone.now():
        raise TokenInputError("A token expires in the future. Give a later instant, or none.")
    prefix = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    secret = f"fl_{prefix}_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        name=name,
        prefix=prefix,
        digest=_digest(secret),
        scopes=checked_scopes(scopes),
        team=team,
        expires_at=expires_at,
        created_by=created_by,
    )
    return NewToken(token, secret)


def authenticate(secret: str) -> ApiToken:
    """The live token with this secret; raises TokenRefusedError. Notes its use at most once a minute."""
    match = _FORM.fullmatch(secret)
    token = ApiToken.objects.select_related("team").filter(prefix=match[1]).first() if match else None
    expected = token.digest if token else "0" * 64
    if not hmac.compare_digest(_digest(secret), expected) or token is None:
        raise TokenRefusedError("This token is not known. Make one with: fleetledger token create.")
    now = timezone.now()
    if token.revoked_at is not None:
        raise TokenRefusedError(f"The token '{token.name}' was revoked. Make a new one.")
    if token.expires_at is not None and token.expires_at <= now:
        raise TokenRefusedError(f"The token '{token.name}' expired on {token.expires_at:%Y-%m-%d}. Make a new one.")
    _note_use(token, now)
    return token


def revoke(token: ApiToken) -> bool:
    """Whether this call revoked it; a token that was revoked before stays as it is."""
    if token.revoked_at is not None:
        return False
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    return True


def find(name_or_prefix: str) -> ApiToken:
    """The one live token of this prefix or name; raises FleetError where there is none, or more than one."""
    live = ApiToken.objects.filter(revoked_at__isnull=True)
    wanted = (
        name_or_prefix.removeprefix("fl_").partition("_")[0] if name_or_prefix.startswith("fl_") else name_or_prefix
    )
    found = list(live.filter(prefix=wanted) or live.filter(name=name_or_prefix))
    if not found:
        raise UnknownNameError("live token", name_or_prefix[:40], live.values_list("name", flat=True))
    if len(found) > 1:
        prefixes = ", ".join(sorted(token.prefix for token in found))
        raise TokenInputError(f"{len(found)} tokens are called '{name_or_prefix}'. Name one by its prefix: {prefixes}.")
    return found[0]


def checked_scopes(scopes: Sequence[str]) -> list[str]:
    """`scopes` in order and once each; raises TokenInputError for a word that is none."""
    if not scopes:
        raise TokenInputError("A token needs a scope. Known: read, write, admin, narrowed as read:costs.")
    for scope in scopes:
        level, colon, area = scope.partition(":")
        if level not in LEVELS or (colon and area not in AREAS):
            raise TokenInputError(
                f"'{scope}' is no scope. Known: {', '.join(LEVELS)}; narrowed by {', '.join(AREAS)}, as in read:costs."
            )
    return list(dict.fromkeys(scopes))


def _note_use(token: ApiToken, now: datetime) -> None:
    """One cheap write a minute, which nobody waits for: of two requests at once, one writes."""
    if token.last_used_at is None or token.last_used_at <= now - LAST_USED_EVERY:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - LAST_USED_EVERY)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
