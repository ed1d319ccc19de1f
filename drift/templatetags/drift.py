"""Says drift's states, windows and scores in templates."""

from datetime import timedelta

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from drift import wording
from drift.reads import LastReport, State
from drift.reads_findings import FindingRow
from drift.reads_reports import ReportRow, ScoreRow
from fleetledger.lib.durations import duration_text

register = template.Library()


@register.simple_tag
def model_state(state: State) -> SafeString:
    said, tone = wording.STATES[state]
    return format_html('<span class="badge {}">{}</span>', tone, said)


@register.simple_tag
def report_window(row: ReportRow | LastReport) -> str:
    return wording.window_text(row.window_from, row.window_to)


@register.simple_tag
def finding_window(row: FindingRow) -> str:
    return wording.window_text(row.window_from, row.window_to)


@register.filter
def score(value: float | None) -> str:
    return wording.score_text(value)


@register.filter
def share_percent(share: float) -> str:
    """0.923 as 92%, and what is neither none nor all never as such."""
    shown = round(100 * share)
    if shown in (0, 100) and share not in (0, 1):
        return f"{100 * share:.1f}%"
    return f"{shown}%"


@register.filter
def every(seconds: int) -> str:
    return duration_text(timedelta(seconds=seconds))


@register.simple_tag
def drift_flag(*, is_drifted: bool | None, kind: str = "drift") -> SafeString:
    """What the report decided; unknown is grey and never green."""
    if is_drifted is None:
        return format_html('<span class="badge unknown">{}</span>', "Unknown")
    if kind == "quality":
        return format_html('<span class="badge {}">{}</span>', *(("warn", "Raised") if is_drifted else ("", "Noted")))
    if kind in ("estimate", "performance"):
        said, tone = ("Outside", "bad") if is_drifted else ("Inside", "good")
    else:
        said, tone = ("Drifted", "bad") if is_drifted else ("Steady", "good")
    return format_html('<span class="badge {}">{}</span>', tone, said)


@register.simple_tag
def report_state(row: ReportRow) -> SafeString:
    """Of the whole data set where the report says it, else by its columns."""
    if row.state != "imported":
        return format_html('<span class="badge note">{}</span>', "Being read")
    if row.is_drifted:
        return model_state(State.DRIFTED)
    if row.drifted_columns:
        return model_state(State.SOME)
    return model_state(State.STEADY if row.share is not None else State.UNKNOWN)


@register.filter
def direction(row: ScoreRow) -> str:
    return wording.DIRECTIONS[row.direction]
