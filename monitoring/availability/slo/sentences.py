"""What a verdict and a budget say, each in a sentence."""

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Decimal
from fractions import Fraction

from monitoring.availability.slo.burn import ENOUGH_COVERAGE, Counted, Outcome, Terms, Unit, Verdict, span_text

MOST_PLACES = 6


def of_verdict(verdict: Verdict, terms: Terms) -> str:
    if verdict.outcome is Outcome.GAP:
        return _gap(verdict)
    if verdict.outcome is Outcome.FEW_EVENTS:
        return _few_events(verdict, terms)
    long, pair = verdict.long, verdict.pair
    limit = percent(pair.factor * terms.allowed)
    if verdict.outcome is Outcome.FEW_ERRORS:
        had, needed = amount(long.bad, terms.unit), amount(terms.guard.min_errors, terms.unit)
        return (
            f"No verdict: {percent(_ratio(long))} failed in {pair.name}, but those are {had}, and {needed} are needed."
        )
    if verdict.outcome is Outcome.FIRES:
        both = f"{percent(_ratio(long))} failed in {pair.name} and {percent(_ratio(verdict.short))} in "
        return f"{both}{span_text(pair.short_s)}, both more than {limit}: {times(pair.factor)} times what is allowed."
    return f"{percent(_ratio(long))} of {amount(long.total, terms.unit)} failed in {pair.name}; it fires above {limit}."


def percent(share: Fraction, places: int = 2) -> str:
    """As people read it: with more places where it would be rounded to none, to all, or to what it is not."""
    value = Decimal(share.numerator * 100) / Decimal(share.denominator)
    while places < MOST_PLACES and 0 < share < 1 and round(value, places) in (0, 100):
        places += 1
    return f"{value:.{places}f} %"


def budget_left(left: Fraction) -> str:
    """With one place; what is left is never rounded up to more than there is between 0 and 1 %."""
    value = Decimal(left.numerator * 100) / Decimal(left.denominator)
    rounding = ROUND_DOWN if 0 < value < 1 else ROUND_HALF_EVEN
    return f"{value.quantize(Decimal('0.1'), rounding)} %"


def times(factor: Fraction) -> str:
    """14.4, 6, 0.7: at most two places, and none that say nothing."""
    text = f"{float(factor):.2f}".rstrip("0").rstrip(".")
    return text or "0"


def amount(number: Fraction | int, unit: Unit) -> str:
    """Events as a whole number, or seconds."""
    whole = round(number)
    if unit is Unit.TIME:
        return f"{whole:,} s"
    return f"{whole:,} event" if whole == 1 else f"{whole:,} events"


def _ratio(counted: Counted) -> Fraction:
    return counted.ratio or Fraction(0)


def _gap(verdict: Verdict) -> str:
    pair = verdict.pair
    looked = ((verdict.long, pair.long_s), (verdict.short, pair.short_s))
    share, seconds = min((counted.coverage or Fraction(0), s) for counted, s in looked if counted.coverage is not None)
    return f"No verdict: {percent(share, 1)} of the last {span_text(seconds)} was seen, and {_enough()} is needed."


def _few_events(verdict: Verdict, terms: Terms) -> str:
    long, needed = verdict.long, amount(terms.guard.min_events, terms.unit)
    if not long.total:
        return f"No verdict: nothing was counted in {verdict.pair.name}."
    return f"No verdict: only {amount(long.total, terms.unit)} in {verdict.pair.name}, and {needed} are needed."


def _enough() -> str:
    return percent(ENOUGH_COVERAGE, 0)
