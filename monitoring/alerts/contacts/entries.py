"""Reads what a person gives as a contact method: a receiver's entry, but nothing that leads into our own network.

Where the mail server is, which certificates are trusted and the like is the installation's to say. What an address may
hold as its secret is sealed; `shown` tells the method from others without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import getaddresses
from typing import Any
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from fleetledger.fleet.sealing import seal
from fleetledger.fleet.secrets import is_reference
from monitoring.alerts.contacts.errors import ContactError
from monitoring.alerts.models import ChannelKind

MAX_ADDRESS = 2000
MAX_SECRET = 500
MAX_NAME = 100
KEYS: Mapping[str, tuple[str, ...]] = {  # the first one is needed
    ChannelKind.EMAIL: ("to",),
    ChannelKind.WEBHOOK: ("url", "secret"),
    ChannelKind.SLACK: ("url", "channel"),
    ChannelKind.PAGERDUTY: ("routing_key",),
    ChannelKind.APPRISE: ("url",),
}
SEALED = frozenset({"url", "secret", "routing_key"})
LABELS: Mapping[str, str] = {
    ChannelKind.EMAIL: "Mail",
    ChannelKind.WEBHOOK: "Webhook",
    ChannelKind.SLACK: "Slack",
    ChannelKind.PAGERDUTY: "PagerDuty",
    ChannelKind.APPRISE: "Apprise",
}
_SCHEMES = ("http", "https")
_LONGEST = {"url": MAX_ADDRESS, "to": MAX_NAME * 3, "channel": MAX_NAME, "secret": MAX_SECRET, "routing_key": MAX_NAME}


@dataclass(frozen=True, slots=True)
class Entry:
    """`config` is as the database keeps it, `shown` as people see it."""

    kind: str
    config: dict[str, Any]
    shown: str


def entry(kind: str, given: Mapping[str, Any], *, may_refer: bool = False) -> Entry:
    """`may_refer`: the configuration file may say where a secret is, people may not. Raises ContactError."""
    if kind not in KEYS:
        raise ContactError(f"No kind is called '{kind[:32]}'. Known: {', '.join(sorted(KEYS))}.", "kind")
    unknown = sorted(key for key in given if key not in KEYS[kind])
    if unknown:
        known = ", ".join(KEYS[kind])
        raise ContactError(f"{LABELS[kind]} has no '{unknown[0][:32]}'. Known: {known}.", unknown[0])
    values = {
        key: _value(key, given[key], may_refer=may_refer) for key in KEYS[kind] if given.get(key) not in (None, "")
    }
    needed = KEYS[kind][0]
    if needed not in values:
        raise ContactError(f"'{needed}' is missing: without it nobody can be reached.", needed)
    config = {key: seal(value) if key in SEALED and isinstance(value, str) else value for key, value in values.items()}
    return Entry(kind, config, _shown(kind, values))


def _value(key: str, value: Any, *, may_refer: bool) -> Any:
    if may_refer and key in SEALED and is_reference(value) and "sealed" not in value:
        return dict(value)
    longest = _LONGEST[key]
    if not isinstance(value, str) or len(value) > longest or not value.isprintable():
        raise ContactError(f"'{key}' is a text of at most {longest} characters.", key)
    return value.strip()


def _shown(kind: str, values: Mapping[str, Any]) -> str:
    """Checks the address too."""
    needed = values[KEYS[kind][0]]
    if not isinstance(needed, str):
        return "as the configuration says"
    match kind:
        case ChannelKind.EMAIL:
            return _mail(needed)
        case ChannelKind.PAGERDUTY:
            return f"key ending in {needed[-4:]}" if len(needed) > 8 else "a key"  # noqa: PLR2004 most stays hidden
        case ChannelKind.APPRISE:
            return _service(needed)
        case _:
            return _place(needed)


def _mail(text: str) -> str:
    found = getaddresses([text])
    try:
        validate_email(text)
    except ValidationError:
        found = []
    if len(found) != 1 or found[0][1] != text:
        raise ContactError("This is no mail address. Write it as mira@example.org.", "to")
    return text


def _place(url: str) -> str:
    """The server alone: the path is often the permission to post."""
    parts = _parts(url)
    if parts is None or parts.scheme not in _SCHEMES or not parts.hostname:
        raise ContactError("This is no address. Write https://HOST/PATH.", "url")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}/…"


def _service(url: str) -> str:
    scheme, colon, rest = url.partition("://")
    if not colon or not rest or not scheme.isascii() or not scheme.isalnum():
        raise ContactError("This is no address of apprise. Write it as SERVICE://PLACE, such as ntfy://TOPIC.", "url")
    return f"{scheme}://…"


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        is_good = parts.port != 0 and url.isascii() and " " not in url
    except ValueError:
        return None
    return parts if is_good else None
