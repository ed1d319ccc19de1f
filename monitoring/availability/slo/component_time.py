"""Counts time: a component's seconds by its own intervals, those that were up or degraded being the good ones."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from fractions import Fraction

from fleetledger.lib.buckets import Window, from_us
from monitoring.availability import loading
from monitoring.availability.figures import Tally
from monitoring.availability.slo.asks import Answers, Ask
from monitoring.availability.slo.burn import Counted
from monitoring.availability.slo.errors import SloError
from monitoring.availability.slots import SECOND_US
from monitoring.availability.tree import Past, Tree


def count(tree: Tree, component_id: int, asks: Sequence[Ask], now: datetime) -> Answers:
    """Every ask with what was counted; planned work and time without traffic count neither way."""
    if component_id not in tree.nodes:
        raise SloError("Its component is removed. Name another under 'component', or remove the objective.")
    if not asks:
        return {}
    first = min(ask.until - max(ask.counts_s, ask.coverage_s) for ask in asks)
    last = max(ask.until for ask in asks)
    window = Window(from_us(first * SECOND_US), from_us(last * SECOND_US))
    past = loading.past(tree, [component_id], window, now)
    return {ask: _counted(past, component_id, ask) for ask in asks}


def _counted(past: Past, component_id: int, ask: Ask) -> Counted:
    amounts = _tally(past, component_id, ask.until, ask.counts_s)
    seen = amounts if ask.coverage_s == ask.counts_s else _tally(past, component_id, ask.until, ask.coverage_s)
    return Counted(
        Fraction(amounts.down_s), Fraction(amounts.observed_s), Fraction(seen.observed_s), Fraction(seen.expected_s)
    )


def _tally(past: Past, component_id: int, until: int, seconds: int) -> Tally:
    if not seconds:
        return Tally()
    stretch = replace(past, from_us=(until - seconds) * SECOND_US, until_us=until * SECOND_US)
    return stretch.tally(component_id)
