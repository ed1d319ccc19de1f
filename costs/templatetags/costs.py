"""Template filters of the pages about money: exact amounts, sums by currency, a snapshot's net change."""

from collections.abc import Iterable
from decimal import Decimal

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from costs.reads_imports import ImportDifference, ImportSummary, ImportTotal
from fleetledger.lib import money
from fleetledger.web import words

register = template.Library()

SHOWN_DIGITS = 6


@register.filter
def exact(amount: Decimal | None, currency: str) -> str:
    """Every digit there is."""
    return words.exact_money(amount, currency)


@register.filter
def exact_short(amount: Decimal, currency: str) -> SafeString:
    """Six decimals at most, every digit in the title; as money where the minor units say it all."""
    digits = money.minor_units(currency)
    whole = amount == amount.quantize(Decimal(1).scaleb(-digits), context=money.EXACT)
    if whole:
        text = words.money(amount, currency)
    else:
        cut = amount.quantize(Decimal(1).scaleb(-SHOWN_DIGITS), context=money.EXACT)
        text = words.exact_money(cut or amount, currency).removesuffix(f" {currency}")
    return format_html('<span class="num" title="{}">{}</span>', words.exact_money(amount, currency), text)


@register.filter
def by_currency(totals: Iterable[ImportTotal]) -> list[tuple[str, Decimal]]:
    """(currency, billed), one pair each: currencies are never added to each other."""
    sums: dict[str, Decimal] = {}
    for total in totals:
        sums[total.currency] = money.total([sums.get(total.currency, Decimal(0)), total.billed])
    return sorted(sums.items())


@register.filter
def net(difference: ImportDifference) -> Decimal:
    """Money that came less money that went."""
    return money.total([difference.added_billed, -difference.removed_billed])


@register.filter
def difference_of(summary: ImportSummary, total: ImportTotal) -> tuple[ImportDifference, ...]:
    """The delivery's change in this total's period and currency."""
    return tuple(one for one in summary.differences if (one.period, one.currency) == (total.period, total.currency))
