"""Template tags that every page draws with: icons, key figures, bars, sparklines, money, time, sorting."""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from fleetledger.web import words
from fleetledger.web.kpis import Kpi, Share
from fleetledger.web.periods import PRESETS, REFRESHES, Period
from fleetledger.web.shapes import spark_paths
from fleetledger.web.tables import Column, Table

register = template.Library()

GOOD_FROM, WARN_FROM = 60, 25
LEAST_POINTS = 3  # two points tell no course
_TREND_ICONS = {"up": "trending-up", "down": "trending-down"}


@register.simple_tag
def icon(name: str, css: str = "icon") -> SafeString:
    """An icon of the sprite; it is decoration, words stand beside it."""
    return _icon(_sprite(settings.STATIC_URL), name, css)


@lru_cache(maxsize=4)
def _sprite(root: str) -> str:  # noqa: ARG001 another root, another address
    """Looked up once: a page asks for it dozens of times."""
    return static("web/icons.svg")


@lru_cache(maxsize=1000)
def _icon(sprite: str, name: str, css: str) -> SafeString:
    """Kept: a page has dozens of few."""
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>', css, sprite, name
    )


@register.inclusion_tag("partials/kpi.html")
def kpi(card: Kpi) -> dict[str, Any]:
    return {"card": card, "trend_icon": _TREND_ICONS.get(card.delta.trend, "") if card.delta else ""}


@register.simple_tag
def sparkline(values: Sequence[float | None], color: str = "k1", css: str = "", label: str = "") -> SafeString:
    """A line of values with its area below; nothing where no value is known."""
    line, area = spark_paths(values)
    if not line or len(values) < LEAST_POINTS:
        return SafeString("")
    name = format_html('role="img" aria-label="{}"', label) if label else SafeString('aria-hidden="true"')
    return format_html(
        '<svg class="spark {} {}" viewBox="0 0 100 30" preserveAspectRatio="none" {}>{}'
        '<path class="line" d="{}"></path></svg>',
        color,
        css,
        name,
        SafeString("") if css == "spark-cell" else format_html('<path class="area" d="{}"></path>', area),
        line,
    )


@register.simple_tag
def bar(percent: float | None, tone: str = "", label: str = "") -> SafeString:
    """A bar filled to `percent`. `tone` good, warn, bad, idle; "auto" takes it from how busy that is."""
    if percent is None:
        return format_html('<span class="muted">{}</span>', words.NOTHING)
    filled = min(max(percent, 0.0), 100.0)
    css = f"fill-{utilisation_tone(percent) if tone == 'auto' else tone}" if tone else "fill"
    return format_html(
        '<svg class="bar" role="img" aria-label="{}"><rect class="track" width="100%" height="100%" rx="2.5"></rect>'
        '<rect class="fill {}" width="{}%" height="100%" rx="2.5"></rect></svg>',
        label or f"{percent:.0f}%",
        css,
        f"{filled:.1f}",
    )


@register.filter
def utilisation_tone(percent: float | None) -> str:
    """good, warn or bad, as the dots and bars colour utilisation; unknown is none of them."""
    if percent is None:
        return "unknown"
    if percent >= GOOD_FROM:
        return "good"
    return "warn" if percent >= WARN_FROM else "bad"


@register.simple_tag
def shares(parts: Sequence[Share], label: str = "") -> SafeString:
    """Parts of a whole side by side, with the surface showing between them."""
    total = sum(part.amount for part in parts if part.amount > 0)
    if not total:
        return SafeString("")
    drawn, at = [], 0.0
    for part in parts:
        width = max(part.amount, 0.0) / total * 100
        if width:
            name = f"{part.label} {width:.0f}%"
            drawn.append((part.color, f"{at:.2f}", f"{width:.2f}", name))
            at += width
    return format_html(
        '<svg class="shares" role="img" aria-label="{}">{}</svg>',
        label or ", ".join(name for *_, name in drawn),
        format_html_join("", '<rect class="{}" x="{}%" width="{}%" height="100%"><title>{}</title></rect>', drawn),
    )


@register.simple_tag
def money(amount: Decimal | None, currency: str = "USD", *, whole: bool = False) -> SafeString:
    """Rounded to the currency's minor units, all digits in the title."""
    return format_html(
        '<span class="num" title="{}">{}</span>',
        words.exact_money(amount, currency),
        words.money(amount, currency, whole=whole),
    )


@register.filter
def gpu_hours(microseconds: int | None) -> str:
    return words.gpu_hours(microseconds)


@register.filter
def percent(value: float | None, digits: int = 0) -> str:
    return words.percent(value, digits)


@register.filter
def amount(value: float | None, digits: int = 0) -> str:
    """A number with thousands apart."""
    return words.count(value, digits)


@register.filter
def memory(mebibytes: float | None) -> str:
    return words.memory(mebibytes)


@register.filter
def energy(microjoules: int | None) -> str:
    return words.energy(microjoules)


@register.filter
def gpu_model(name: str) -> str:
    """The short name, as in A100 80GB."""
    return words.gpu_model(name)


@register.filter
def any_known(values: Sequence[float | None]) -> bool:
    return any(value is not None for value in values)


@register.simple_tag
def plural(number: int, one: str, many: str = "") -> str:
    return words.plural(number, one, many)


@register.simple_tag
def ago(at: datetime | None, absent: str = "never") -> SafeString:
    """How long ago, with the instant in UTC behind it; the browser adds the reader's own time."""
    if at is None:
        return format_html('<span class="muted">{}</span>', absent)
    return _time(at, words.ago(at, timezone.now()))


@register.simple_tag
def instant(at: datetime | None, form: str = "%d %b %Y %H:%M") -> SafeString:
    """The instant itself, in UTC."""
    if at is None:
        return format_html('<span class="muted">{}</span>', words.NOTHING)
    return _time(at, f"{at.astimezone(UTC).strftime(form).lstrip('0')} UTC")


def _time(at: datetime, text: str) -> SafeString:
    utc = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{} UTC">{}</time>',
        utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        utc.strftime("%Y-%m-%d %H:%M:%S"),
        text,
    )


@register.simple_tag(takes_context=True)
def address(context: template.Context, **changes: object) -> str:
    """The address of the page with some parameters changed; None takes one away. Paging starts anew unless named."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    for name, value in changes.items():
        if value is None or value == "":
            query.pop(name, None)
        else:
            query[name] = str(value)
    encoded = query.urlencode(safe=":")
    return f"{request.path}?{encoded}" if encoded else request.path


@register.simple_tag(takes_context=True)
def page_address(context: template.Context, table: Table[Any], page: int) -> str:
    return address(context, **{f"{table.prefix}page": page if page > 1 else None})


@register.inclusion_tag("partials/head_cell.html", takes_context=True)
def head_cell(context: template.Context, table: Table[Any], column: Column[Any]) -> dict[str, Any]:
    """A table's head: a link that sorts by this column, then the other way round."""
    is_sorted = table.sort == column.name
    descending = not table.is_descending if is_sorted else column.first_descending
    changes = {
        f"{table.prefix}sort": f"{'-' if descending else ''}{column.name}",
        f"{table.prefix}page": None,
        "format": None,
    }
    return {
        "column": column,
        "is_sorted": is_sorted,
        "is_descending": table.is_descending,
        "url": address(context, **changes) if column.key is not None else "",
    }


@register.inclusion_tag("partials/filter.html", takes_context=True)
def filter_box(context: template.Context, table: Table[Any], panel: str, label: str) -> dict[str, Any]:
    """A box that narrows the table while one types; `panel` is the id of the element it replaces."""
    return {
        "table": table,
        "panel": panel,
        "label": label,
        "path": context["request"].path,
        "kept": _other_parameters(context, {f"{table.prefix}q", f"{table.prefix}page", "format"}),
    }


@register.inclusion_tag("partials/pages.html", takes_context=True)
def pagination(context: template.Context, table: Table[Any], panel: str = "") -> dict[str, Any]:
    return {
        "table": table,
        "panel": panel,
        "previous": page_address(context, table, table.page - 1) if table.page > 1 else "",
        "next": page_address(context, table, table.page + 1) if table.page < table.pages else "",
    }


@register.inclusion_tag("partials/csv_button.html", takes_context=True)
def csv_button(context: template.Context, table: str = "") -> dict[str, Any]:
    """A link to the same address as CSV; `table` names one where the page has several."""
    return {"url": address(context, format="csv", table=table or None)}


@register.inclusion_tag("partials/period.html", takes_context=True)
def period_controls(context: template.Context, period: Period) -> dict[str, Any]:
    """Presets, days and refresh; everything they change stands in the address."""
    presets = [(name, address(context, **{"from": f"now-{name}", "to": "now"}), name) for name, _ in PRESETS]
    refreshes = [(label, address(context, refresh=label), seconds) for label, seconds in REFRESHES]
    return {
        "period": period,
        "presets": presets,
        "refreshes": refreshes,
        "path": context["request"].path,
        "kept": _other_parameters(context, {"from", "to", "page", "format"}),
    }


@register.simple_tag
def chart_address(url: str, period: Period | None = None) -> str:
    """A figure's address with the page's own time range."""
    return f"{url}?{period.query}" if period else url


def _other_parameters(context: template.Context, left_out: set[str]) -> list[tuple[str, str]]:
    query = context["request"].GET
    return [(name, value) for name, value in query.items() if name not in left_out]
