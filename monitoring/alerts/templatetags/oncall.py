"""Says who is on call and when in templates, on the wall of the reader's own zone."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from fleetledger.web import words
from monitoring.alerts.oncall.loading import OnCallPerson
from monitoring.alerts.oncall.wall import wall

register = template.Library()
FORM = "%a %d %b %H:%M"


@register.simple_tag
def at_wall(at: datetime | None, zone: ZoneInfo, form: str = FORM) -> SafeString:
    """An instant as the reader's clock shows it, with UTC behind it; the zone is named once on the page."""
    if at is None:
        return format_html('<span class="muted">{}</span>', words.NOTHING)
    utc = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        utc.strftime("%Y-%m-%d %H:%M:%S"),
        wall(at, zone).strftime(form),
    )


@register.filter
def names(people: Sequence[OnCallPerson]) -> str:
    return ", ".join(person.name for person in people) or "Nobody"


@register.filter
def iso(at: datetime) -> str:
    """For an address."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@register.filter
def has(people: Sequence[OnCallPerson], username: str) -> bool:
    """Whether this person is among them."""
    return any(person.username == username for person in people)


@register.simple_tag
def hours_between(begin: datetime, end: datetime | None) -> str:
    """167 h, or 1 h 30 min: exact, since a change of the clocks shows here."""
    if end is None:
        return words.NOTHING
    minutes = (end - begin) // timedelta(minutes=1)
    whole, rest = divmod(minutes, 60)
    return f"{whole} h {rest} min" if rest and whole else f"{whole} h" if whole else f"{rest} min"
