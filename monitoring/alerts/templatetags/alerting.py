"""Says alerts' states, labels, impact and durations in templates."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from fleetledger.lib.durations import duration_text
from fleetledger.web import words
from monitoring.alerts import severities

register = template.Library()

CHIPS = 5
_TOLD_ELSEWHERE = frozenset({"alertname", "severity", "team"})
_FIRST = ("cluster", "node", "instance", "gpu", "UUID", "namespace", "workload", "pod", "job")
_STATES = {
    "firing": ("Firing", "bad", "flame"),
    "unknown": ("Unknown", "unknown", "circle-question-mark"),
    "resolved": ("Resolved", "good", "check"),
}
_OWN = ("impact_gpu_hours_per_day", "impact_per_day", "impact_currency", "impact_unknown")


@register.filter
def severity_tone(severity: str) -> str:
    return severities.tone(severity)


@register.simple_tag
def severity_badge(severity: str) -> SafeString:
    if not severity:
        return SafeString("")
    return format_html('<span class="badge {}">{}</span>', severities.tone(severity), severity)


@register.simple_tag
def state_badge(state: str) -> SafeString:
    """Firing, unknown or resolved; unknown is grey and never green."""
    said, tone, _ = _STATES.get(state, (state.capitalize(), "", ""))
    title = "Its sender fell silent: nobody knows whether it still fires" if state == "unknown" else ""
    return format_html('<span class="badge {}" title="{}">{}</span>', tone, title, said)


@register.simple_tag
def label_chips(labels: Mapping[str, str], limit: int = CHIPS) -> SafeString:
    """The labels that tell alerts of one name apart, what people look for first."""
    names = sorted((name for name in labels if name not in _TOLD_ELSEWHERE), key=_place)
    chips = format_html_join(
        "", '<span class="label"><b>{}</b>{}</span>', ((name, labels[name]) for name in names[:limit])
    )
    more = len(names) - limit
    return chips if more <= 0 else chips + format_html('<span class="label">+{}</span>', more)


@register.filter
def impact(annotations: Mapping[str, str]) -> str:
    """What it costs, in one line: $412.00 a day, else GPU-hours a day, else nothing."""
    amount, currency = annotations.get("impact_per_day"), annotations.get("impact_currency", "")
    said = _money(amount, currency) if amount else ""
    if said:
        return f"{said} a day"
    hours = annotations.get("impact_gpu_hours_per_day")
    return f"{hours} GPU-hours a day" if hours else ""


@register.filter
def other_impacts(annotations: Mapping[str, str]) -> list[tuple[str, str]]:
    """Impacts under other names, as they came."""
    return [
        (name.removeprefix("impact_").replace("_", " "), value)
        for name, value in sorted(annotations.items())
        if name.startswith("impact_") and name not in _OWN
    ]


@register.filter
def seconds(value: float | None) -> str:
    """A duration from seconds, as people say it."""
    return words.NOTHING if value is None else words.duration(timedelta(seconds=value))


@register.filter
def span(value: timedelta | None) -> str:
    return words.NOTHING if value is None else words.duration(value)


@register.filter
def took(value: float | None) -> str:
    """How long something of ours took: 41 ms, 2.3 s."""
    if value is None:
        return words.NOTHING
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


@register.filter
def as_written(value: float) -> str:
    """A duration from seconds as the configuration has it: 30s, 5m, 4h."""
    return duration_text(timedelta(seconds=value))


@register.simple_tag
def lasted(start: datetime, end: datetime) -> str:
    return words.duration(end - start)


@register.filter
def items(mapping: Mapping[str, str]) -> list[tuple[str, str]]:
    """Pairs, by name."""
    return sorted(mapping.items())


@register.filter
def known_as(slug: str | None) -> str:
    """A tenant's slug; the platform has none."""
    return slug or "platform"


def _place(name: str) -> tuple[int, str]:
    return (_FIRST.index(name) if name in _FIRST else len(_FIRST), name)


def _money(amount: str, currency: str) -> str:
    try:
        return words.money(Decimal(amount), currency)
    except (InvalidOperation, ValueError, KeyError):
        return f"{amount} {currency}".strip()
