"""Says states and availability in templates, and draws their strips."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from fleetledger.lib.buckets import Window
from fleetledger.web import words
from monitoring.availability import charts
from monitoring.availability.figures import Availability
from monitoring.availability.models import ComponentKind, ProbeKind
from monitoring.availability.reads_component import Period
from monitoring.availability.reads_days import Mark
from monitoring.availability.reads_parts import DayRow, EvidenceRow
from monitoring.availability.states import State

register = template.Library()

PLACES = 3
TONES = {
    State.UP: ("good", "circle-check"),
    State.DEGRADED: ("warn", "triangle-alert"),
    State.DOWN: ("bad", "circle-x"),
    State.UNKNOWN: ("unknown", "circle-question-mark"),
    State.MAINTENANCE: ("note", "wrench"),
    State.IDLE: ("", "circle-pause"),
}
_DAY_ROW = (
    '<tr><td class="main nowrap">{}</td><td class="right nowrap">{}</td>'
    + '<td class="right num">{}</td>' * 6
    + "</tr>"
)
_KINDS = {kind.value: str(kind.label) for kind in (*ComponentKind, *ProbeKind)}


@register.simple_tag
def state_badge_of(state: State, word: str = "") -> SafeString:
    """A state by its colour, its icon and its word."""
    tone, name = TONES[State(state)]
    return badge(tone, name, word or str(State(state).label))


@register.filter
def state_tone(state: State) -> str:
    """good, warn, bad, unknown or note, as the dots and tiles colour it."""
    return TONES[State(state)][0]


@register.filter
def state_icon(state: State) -> str:
    return TONES[State(state)][1]


@register.filter
def state_word(state: State) -> str:
    return str(State(state).label)


@register.filter
def kind_word(kind: str) -> str:
    """A component's or a probe's kind as people say it."""
    return _KINDS.get(kind, kind)


@register.filter
def share(value: Fraction | None, places: int = PLACES) -> str:
    """A share as percent; one that is not whole is never rounded to 100 %."""
    if value is None:
        return words.NOTHING
    part, whole = value.numerator, value.denominator
    if part in (0, whole):
        return "100 %" if part else "0 %"
    percent = Decimal(part * 100) / Decimal(whole)
    while places < PLACES * 2 and 0 < part < whole and round(percent, places) in (0, 100):
        places += 1
    return f"{percent:.{places}f} %"


@register.simple_tag
def figure(found: Availability) -> SafeString:
    """What was observed, with its bounds where too little was seen; grey where there is no verdict."""
    if found.coverage is None:
        return format_html('<span class="muted">{}</span>', "no verdict")
    if found.observed is None:
        return format_html('<span class="muted">{}</span>', "not seen")
    if not found.needs_bounds:
        return SafeString(f'<span class="num">{share(found.observed)}</span>')
    low, high = share(found.lower).removesuffix(" %"), share(found.upper)
    title = f"Only {share(found.coverage, 2)} of the time was seen: the truth lies between these"
    return format_html(
        '<span class="num">{}</span> <span class="bounds num" title="{}">{}\N{EN DASH}{}</span>',
        share(found.observed),
        title,
        low,
        high,
    )


@register.filter
def fact_name(key: str) -> str:
    """replication_lag_s: Replication lag."""
    return key.removesuffix("_s").replace("_", " ").capitalize()


@register.filter
def fact_value(fact: EvidenceRow) -> str:
    """Seconds as people say them, other numbers with their unit, or the words."""
    if fact.value is None:
        return fact.text or words.NOTHING
    if fact.unit in ("s", "seconds"):
        said = words.duration(timedelta(seconds=fact.value)) if fact.value >= 1 else f"{fact.value * 1000:.0f} ms"
    else:
        said = f"{fact.value:,.10g} {fact.unit}".strip()
    return f"{said} ({fact.text})" if fact.text else said


@register.filter
def day_seconds(value: Fraction | int | None, nothing: str = words.NOTHING) -> str:
    """Seconds as whole minutes and hours, for tables of days."""
    if not value:
        return nothing
    seconds = float(value)
    if seconds < 90:  # noqa: PLR2004
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:  # noqa: PLR2004
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h {minutes % 60:02d} min" if hours < 100 else f"{seconds / 86_400:,.1f} days"  # noqa: PLR2004


@register.simple_tag
def day_rows(days: Sequence[DayRow]) -> SafeString:
    """A table's rows, the last day first: numbers alone, written at once, since a year has thousands of cells."""
    if not days:
        return SafeString('<tr><td colspan="8" class="muted">No day has been counted yet.</td></tr>')
    return SafeString("".join(_DAY_ROW.format(*_day_cells(row)) for row in reversed(days)))


@register.simple_tag
def days_strip(strips: Mapping[int, Sequence[Mark]], component_id: int, *, wide: bool = False) -> SafeString:
    return charts.strip(strips.get(component_id, ()), charts.WIDE if wide else charts.NARROW)


@register.simple_tag
def state_line(periods: Sequence[Period], window: Window) -> SafeString:
    return charts.timeline(periods, window)


def _day_cells(row: DayRow) -> tuple[str, ...]:
    tally = row.tally
    seconds = (tally.up_s, tally.degraded_s, tally.down_s, tally.unknown_s, tally.maintenance_s, tally.idle_s)
    return (f"{row.day.day} {row.day:%b %Y}", figure(tally.availability), *map(day_seconds, seconds))


def badge(tone: str, name: str, word: str) -> SafeString:
    return _badge(settings.STATIC_URL, tone, name, word)


@lru_cache(maxsize=1000)
def _badge(root: str, tone: str, name: str, word: str) -> SafeString:  # noqa: ARG001 another root, another address
    """Kept: a page has dozens of few."""
    return format_html(
        '<span class="badge {}"><svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>{}</span>',
        tone,
        static("web/icons.svg"),
        name,
        word,
    )
