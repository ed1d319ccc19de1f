"""Tells a claimed message to its destination: secrets are put in for the try, and kept out of what is said of it."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings

from fleetledger.fleet.sealing import SealError
from fleetledger.fleet.secrets import SecretError, is_reference, resolve
from monitoring.alerts import channels
from monitoring.alerts.channels import Outcome, Verdict
from monitoring.alerts.claims import Claim
from monitoring.alerts.message import Message
from monitoring.alerts.models import ChannelKind
from monitoring.alerts.oncall import links

DEADLINE_S = 10.0
SHORTEST_SECRET = 6
REDACTED = "[secret]"


def dispatch(claim: Claim) -> Outcome:
    """One try, at most ten seconds; reads no database."""
    return tell(claim.channel, claim.config, claim.message, is_personal=claim.is_personal)


def tell(channel: str, written: Mapping[str, Any], message: Message, *, is_personal: bool) -> Outcome:
    """One try by the entry `written`. What a person set up for themselves reaches no internal address unallowed."""
    try:
        config = {**_defaults(channel, is_personal=is_personal), **_resolved(written)}
    except SealError as error:
        return Outcome(Verdict.REFUSED, answer=str(error))
    except SecretError as error:
        return Outcome(Verdict.RETRY, answer=str(error))  # may be set by the next try
    outcome = channels.send(channel, message, config, DEADLINE_S)
    answer = _redacted(_storable(outcome.answer), config, written)
    return replace(outcome, answer=_without_link(answer, message))


def _defaults(channel: str, *, is_personal: bool) -> dict[str, Any]:
    """What the installation brings for a channel."""
    if channel == ChannelKind.EMAIL:
        named = {
            "smarthost": settings.SMTP_HOST,
            "from": settings.SMTP_FROM,
            "auth_username": settings.SMTP_USER,
            "auth_password": settings.SMTP_PASSWORD,
        }
        return {name: value for name, value in named.items() if value}
    return {"allow": settings.NOTIFY_ALLOW} if is_personal or channel == ChannelKind.APPRISE else {}


def _resolved(value: Any) -> Any:
    if is_reference(value):
        return resolve(value)
    if isinstance(value, Mapping):
        return {name: _resolved(item) for name, item in value.items()}
    return [_resolved(item) for item in value] if isinstance(value, list) else value


def _storable(answer: str) -> str:
    """`answer` without what the database cannot keep: a receiver may say anything."""
    return answer.encode(errors="replace").decode().replace("\x00", "\ufffd")


def _redacted(answer: str, config: Mapping[str, Any], references: Mapping[str, Any]) -> str:
    """`answer` without what the destination may have echoed of its secrets."""
    for secret in sorted(set(_secrets(config, references)), key=len, reverse=True):
        for text in {secret, quote(secret, safe="")}:
            answer = answer.replace(text, REDACTED)
    return answer


def _without_link(answer: str, message: Message) -> str:
    """`answer` without the link by which somebody acknowledges, which the destination may have echoed."""
    return links.concealed(answer, message.page.url, REDACTED) if message.page else answer


def _secrets(config: Mapping[str, Any], references: Mapping[str, Any]) -> Iterator[str]:
    """Every value that came from a reference, the password for mail, and what addresses carry beside the host."""
    found = [*_from_references(config, references), str(config.get("auth_password", ""))]
    found += _of_address(str(config.get("url", "")))
    yield from (text for text in found if len(text) >= SHORTEST_SECRET)


def _from_references(resolved: Any, written: Any) -> Iterator[str]:
    if is_reference(written):
        yield str(resolved)
    elif isinstance(written, Mapping):
        for name, item in written.items():
            yield from _from_references(resolved[name], item)
    elif isinstance(written, list):
        for one, item in zip(resolved, written, strict=True):
            yield from _from_references(one, item)


def _of_address(url: str) -> list[str]:
    try:
        parts = urlsplit(url)
        return [parts.password or "", parts.path.strip("/"), parts.query, *parts.path.split("/")[2:]]
    except ValueError:
        return []
