"""Signs the links by which those who are paged acknowledge without signing in, and reads them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.core.signing import BadSignature, Signer
from django.urls import reverse

VALID = timedelta(days=7)
SHOWN = 6  # letters of a signature that may be seen: what is left to guess is out of reach
_SALT = "fleetledger.on-call.page"
_SEPARATOR = ":"


@dataclass(frozen=True, slots=True)
class Link:
    """A page of one person. `from_at`, in whole seconds, is the page's own: no other page of that number fits."""

    page_id: int
    person_id: int
    from_at: datetime

    @property
    def until_at(self) -> datetime:
        return self.from_at + VALID


def link(page_id: int, person_id: int, at: datetime, quiet_until_at: datetime | None) -> Link:
    """The link of a page that began `at`, or told nobody before the end of quiet hours."""
    return Link(page_id, person_id, (quiet_until_at or at).astimezone(UTC).replace(microsecond=0))


def address(of: Link, base_url: str) -> str:
    """The same on every try of a message, until SECRET_KEY and its fallbacks change."""
    signed = _signer().sign(f"{of.page_id}.{of.person_id}.{int(of.from_at.timestamp())}")
    return f"{base_url.rstrip('/')}{reverse('page-link', args=[signed])}"


def read(signed: str) -> Link | None:
    """None for what we did not sign."""
    try:
        page_id, person_id, began = map(int, _signer().unsign(signed).split("."))
    except (BadSignature, ValueError):
        return None
    return Link(page_id, person_id, datetime.fromtimestamp(began, UTC))


def concealed(text: str, url: str, by: str) -> str:
    """`text` with `by` for the signature of the link `url`, in whatever address it stands, cut short or not."""
    _, separator, signature = url.rstrip("/").rpartition(_SEPARATOR)
    return re.sub(re.escape(signature[:SHOWN]) + r"[\w-]*", by, text) if separator else text


def _signer() -> Signer:
    return Signer(sep=_SEPARATOR, salt=_SALT)
