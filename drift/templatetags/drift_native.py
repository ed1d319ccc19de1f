"""Says states of references and windows, and draws the buckets of a column small."""

from collections.abc import Sequence
from datetime import datetime

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from drift import wording
from drift.models import ReferenceState, WindowSource, WindowState
from drift.reads_native import Bucket, ReferenceRow, WindowRow

register = template.Library()

BARS = 24  # drawn of a column; categories beyond are one bar
_GAP = 0.18
_ODD = ("null", "other type")
_REFERENCE_TONES = {
    ReferenceState.WAITING: "note",
    ReferenceState.UNREADABLE: "bad",
    ReferenceState.PROPOSED: "warn",
    ReferenceState.ACTIVE: "good",
    ReferenceState.REFUSED: "bad",
}


@register.simple_tag
def reference_state(row: ReferenceRow) -> SafeString:
    tone = _REFERENCE_TONES.get(ReferenceState(row.state), "")
    return format_html('<span class="badge {}">{}</span>', tone, row.state_label)


@register.simple_tag
def window_state(row: WindowRow) -> SafeString:
    """Events wait for their window to be over, a file waits for a worker."""
    if row.state == WindowState.UNREADABLE:
        return format_html('<span class="badge bad">{}</span>', row.state_label)
    if row.state == WindowState.COMPUTED:
        return format_html('<span class="badge good">{}</span>', row.state_label)
    words = "Collects events" if row.source == WindowSource.EVENTS else "Being read"
    return format_html('<span class="badge note">{}</span>', words)


@register.simple_tag
def span_text(start: datetime | None, end: datetime | None) -> str:
    return wording.window_text(start, end)


@register.simple_tag
def share_bars(buckets: Sequence[Bucket]) -> SafeString:
    """One bar per bucket, as tall as its share of the tallest; the words of each stand in its title."""
    shown = _drawn(buckets)
    tallest = max((one.share for one in shown), default=0.0)
    if not tallest:
        return SafeString("")
    wide = 100 / max(len(shown), 6)
    bars = [
        (
            "odd" if one.label in _ODD else "",
            f"{wide * place:.2f}",
            f"{24 - 24 * one.share / tallest:.2f}",
            f"{wide * (1 - _GAP):.2f}",
            f"{24 * one.share / tallest:.2f}",
            _said(one),
        )
        for place, one in enumerate(shown)
    ]
    fullest = max(shown, key=lambda one: one.share)
    return format_html(
        '<svg class="share-bars" viewBox="0 0 100 24" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        f"Shares of rows in {len(buckets)} buckets, most in {_said(fullest)}",
        format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"><title>{}</title></rect>', bars),
    )


def _drawn(buckets: Sequence[Bucket]) -> list[Bucket]:
    if len(buckets) <= BARS:
        return list(buckets)
    ordered = sorted(buckets, key=lambda one: -one.share)
    kept, rest = ordered[: BARS - 1], ordered[BARS - 1 :]
    return [*kept, Bucket(f"{len(rest)} more", sum(one.share for one in rest))]


def _said(one: Bucket) -> str:
    return f"{one.label[:80]}: {100 * one.share:.3g}%"
