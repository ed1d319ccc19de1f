"""Alerts as Prometheus and amtool post them to Alertmanager's API, version 2."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from monitoring.alerts.sources import fields
from monitoring.alerts.sources.fields import Clock, PostedError
from monitoring.alerts.sources.posted import Posted

RESOLVE_TIMEOUT = timedelta(minutes=5)
_ERRORS_SHOWN = 20

Read = tuple[list[Posted], list[str]]


def read(body: bytes, now: Clock) -> Read:
    """The valid alerts of a posted list, and a sentence for each other. `now` is asked for ends that are missing."""
    document = fields.document_of(body)
    if document is None:
        return [], []
    if not isinstance(document, list):
        raise PostedError("The body is no list. Send a list of alerts, each with labels.")
    return each(document, lambda item: _alert(item, now))


def each(items: Sequence[Any], read_one: Callable[[dict[str, Any]], Posted]) -> Read:
    """`items` one by one: one that is refused costs no other."""
    posted: list[Posted] = []
    errors: list[str] = []
    for place, item in enumerate(items):
        try:
            posted.append(read_one(_object(item)))
        except PostedError as error:
            errors.append(f"alert {place}: {error}")
    return posted, errors


def joined(errors: Sequence[str]) -> str:
    """One text of all `errors`, of many the first."""
    more = len(errors) - _ERRORS_SHOWN
    return "; ".join([*errors[:_ERRORS_SHOWN], *([f"and {more} more"] if more > 0 else [])])


def _object(item: Any) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise PostedError("an alert is an object with labels")
    return item


def _alert(document: Mapping[str, Any], now: Clock) -> Posted:
    starts_at, ends_at = fields.instant_of(document, "startsAt"), fields.instant_of(document, "endsAt")
    until = ends_at or now() + RESOLVE_TIMEOUT
    fields.check_order(starts_at, until)
    return Posted(
        labels=fields.labels_of(document),
        annotations=fields.annotations_of(document),
        starts_at=starts_at,
        ends_at=until,
        generator_url=fields.address_of(document),
    )
