"""What is wrong with receivers that the schema cannot see: names, addresses, and secrets in the clear."""

import re
from collections.abc import Iterator, Mapping, Sequence
from email.utils import getaddresses
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.shapes import SECRET_HINT
from monitoring.alerts.config.route_checks import Document, Problem, of_duration, unknown_receiver
from monitoring.alerts.models import ChannelKind

SECRET_WORD = re.compile(
    r"authorization|cookie|token|secret|password|api[-_]?key|signature|\bkey\b|\bsig\b", re.IGNORECASE
)
# Addresses that are themselves the permission to post.
SECRET_PLACES = re.compile(
    r"(^|\.)(slack\.com/services/|discord(app)?\.com/api/webhooks/|webhook\.office\.com/)", re.IGNORECASE
)
# The services of apprise whose addresses name a place and, but for a password, no permission.
OPEN_SERVICES = frozenset(
    {"json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos", "mqtt", "mqtts", "ntfy", "ntfys", "syslog"}
)


def of_receivers(receivers: Sequence[Document], path: Path) -> Iterator[Problem]:
    names = [receiver["name"] for receiver in receivers]
    for index, receiver in enumerate(receivers):
        at = (*path, index)
        if receiver["name"] in names[:index]:
            yield (*at, "name"), f"The receiver '{receiver['name']}' stands twice."
        yield from _fallback(receiver, names, (*at, "fallback"))
        for kind in ChannelKind.values:
            for number, entry in enumerate(receiver.get(kind, ())):
                yield from of_entry(kind, entry, (*at, kind, number))


def is_plain_address(url: str) -> bool:
    """Whether `url` is an address that may stand in the file: none that holds a secret."""
    return not http_address(url)


def _fallback(receiver: Document, names: Sequence[str], path: Path) -> Iterator[Problem]:
    fallback = receiver.get("fallback")
    if fallback is None:
        return
    if fallback == receiver["name"]:
        yield path, "A receiver that cannot be told cannot be its own fallback. Name another one."
    elif fallback not in names:
        yield path, unknown_receiver(fallback, names)


def of_entry(kind: str, entry: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    """One place of a receiver, or a contact method of a person."""
    if isinstance(entry.get("url"), str):
        is_apprise = kind == ChannelKind.APPRISE
        sentence = _apprise_address(entry["url"]) if is_apprise else http_address(entry["url"])
        if sentence:
            yield (*path, "url"), sentence
    for name, value in entry.get("headers", {}).items():
        if isinstance(value, str) and SECRET_WORD.search(name):
            yield (*path, "headers", name), SECRET_HINT
    if "canary" in entry:
        yield from of_duration("canary", entry["canary"], (*path, "canary"))
    for key in ("to", "from"):
        if key in entry and not _are_addresses(entry[key]):
            yield (*path, key), "This is no mail address. Write it as sre@example.org."
    if "auth_password" in entry and not entry.get("auth_username"):
        yield (*path, "auth_password"), "A password belongs to a user. Add 'auth_username'."


def http_address(url: str) -> str:
    """What is wrong with an address, without saying it: it may hold a secret. Empty: nothing."""
    parts = _parts(url)
    if parts is None or not parts.hostname or not url.isascii() or any(letter.isspace() for letter in url):
        return "This is no address. Write http://HOST:PORT/PATH."
    return _secret_in(parts, f"{parts.hostname}{parts.path}")


def _apprise_address(url: str) -> str:
    """Most of apprise's addresses are made of tokens; only of some services is it known that they are not."""
    service = url.partition("://")[0].lower()
    if service not in OPEN_SERVICES:
        return f"An address of {service}:// is made of its token. {SECRET_HINT}"
    parts = _parts(url)
    return _secret_in(parts, "") if parts else "This is no address of apprise. Write it as SERVICE://HOST/PATH."


def _secret_in(parts: SplitResult, place: str) -> str:
    names = [name for name, _ in parse_qsl(parts.query, keep_blank_values=True)]
    if parts.password is not None or SECRET_PLACES.search(place) or any(map(SECRET_WORD.search, names)):
        return f"This address holds a secret. {SECRET_HINT}"
    return ""


def _parts(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        is_good = parts.port != 0
    except ValueError:
        return None
    return parts if is_good else None


def _are_addresses(given: str | Sequence[str]) -> bool:
    found = [address for _, address in getaddresses([given] if isinstance(given, str) else list(given))]
    return bool(found) and all(re.fullmatch(r"[^\s@]+@[^\s@]+", address) for address in found)
