"""Says objectives, their budgets and their months in templates."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

from django import template
from django.utils.safestring import SafeString

from fleetledger.web import words
from monitoring.availability.figures import Availability
from monitoring.availability.slo import sentences
from monitoring.availability.slo.budget import Budget
from monitoring.availability.slo.burn import Unit
from monitoring.availability.slo.reads import Health, SloRow
from monitoring.availability.slo.reads_report import MonthRow
from monitoring.availability.states import State
from monitoring.availability.templatetags.availability import badge, day_seconds, figure

register = template.Library()

LITTLE = Fraction(1, 4)
"""With less of a budget left than this its bar is yellow."""
LONGEST_S = 3650.0 * 86_400
HEALTHS = {
    Health.BURNING: ("bad", "flame"),
    Health.EXHAUSTED: ("bad", "circle-x"),
    Health.UNKNOWN: ("unknown", "circle-question-mark"),
    Health.NO_VERDICT: ("unknown", "minus"),
    Health.OK: ("good", "circle-check"),
}
_STATE_OF_TONE = {"bad": State.DOWN, "unknown": State.UNKNOWN, "good": State.UP}


@register.simple_tag
def health_badge(health: Health) -> SafeString:
    tone, name = HEALTHS[health]
    return badge(tone, name, health.label)


@register.filter
def health_icon(health: Health) -> str:
    return HEALTHS[health][1]


@register.filter
def health_state(health: Health) -> str:
    """Which state's colour it has."""
    return _STATE_OF_TONE[HEALTHS[health][0]].value


@register.simple_tag
def attained(found: Budget) -> SafeString:
    """What was attained, with its bounds where too little was seen."""
    return figure(Availability(found.attained, found.coverage, found.lower, found.upper))


@register.filter
def budget_tone(found: Budget) -> str:
    """How a bar of what is left is coloured."""
    if found.left is None:
        return "idle"
    return "bad" if found.left <= 0 else "warn" if found.left < LITTLE else "good"


@register.filter
def bar_tone(row: SloRow) -> str:
    """Grey without a verdict: an old budget says nothing about now."""
    return "idle" if row.health in (Health.UNKNOWN, Health.NO_VERDICT) else budget_tone(row.budget)


@register.simple_tag
def met(row: MonthRow) -> str:
    """Whether a month kept its promise; not for certain where what was not seen could have broken it."""
    if row.is_met is None:
        return "No verdict"
    if not row.is_met:
        return "Missed" if row.is_complete else "Over budget"
    if not _is_certain(row):
        return "Met, in what was seen"
    return "Met" if row.is_complete else "Met so far"


@register.filter
def met_tone(row: MonthRow) -> str:
    if row.is_met is None or (row.is_met and not _is_certain(row)):
        return "unknown"
    return "good" if row.is_met else "bad"


@register.filter
def met_icon(row: MonthRow) -> str:
    return {"unknown": "circle-question-mark", "good": "check", "bad": "x"}[met_tone(row)]


@register.filter
def counted(number: Fraction, unit: Unit) -> str:
    """Events, or time."""
    return day_seconds(number, "0 s") if unit is Unit.TIME else f"{round(number):,}"


@register.filter
def lasts(seconds: Fraction) -> str:
    return words.duration(timedelta(seconds=min(float(seconds), LONGEST_S)))


@register.filter
def budget(value: Fraction | None) -> str:
    return words.NOTHING if value is None else sentences.budget_left(value)


@register.filter
def rate(value: Fraction | None) -> str:
    """How many times faster than allowed: 14.4x."""
    return words.NOTHING if value is None else f"{sentences.times(value)}\N{MULTIPLICATION SIGN}"


@register.filter
def plain_percent(value: Decimal) -> str:
    """99.9 %, without zeros that say nothing."""
    return f"{value.normalize():f} %"


@register.filter
def as_percent(value: Fraction | None) -> float | None:
    """For bars: from 0 to 100."""
    return None if value is None else max(0.0, min(100.0, float(value) * 100))


def _is_certain(row: MonthRow) -> bool:
    """Whether it would be met if all that was not seen had failed."""
    found = row.budget
    return not found.needs_bounds or (found.lower is not None and found.lower * 100 >= Fraction(row.objective))
