"""How many requests the chat service gets: a number for each half minute of the day, so that sums are closed."""

from collections.abc import Mapping
from itertools import accumulate

from fleetledger.demo.outages import CYCLE_S, FULL_OUTAGE, ORIGIN
from fleetledger.demo.work import DAY_S, GRID_S, HOUR_S

_A_DAY = (14, 10, 8, 8, 9, 14, 24, 38, 56, 72, 84, 92, 96, 94, 92, 95, 98, 100, 96, 88, 74, 56, 38, 22)
PER_SLOT = tuple(6 * share for share in _A_DAY)
"""In each half minute of an hour of the day, in UTC."""
SLOTS_AN_HOUR = HOUR_S // GRID_S
_BY_HOUR = tuple(accumulate((count * SLOTS_AN_HOUR for count in PER_SLOT), initial=0))
CODES = ("200", "503")
ONE_FAILS_OF = 5000
LATENCIES = (("0.5", 412), ("1", 801), ("2.5", 962), ("5", 993), ("10", 999), ("+Inf", 1000))
"""Of a thousand requests so many take no longer than so many seconds."""


def requests(start: int, end: int) -> int:
    """In [start, end)."""
    return _until(end) - _until(start)


def by_code(at: int) -> Mapping[str, int]:
    """Since the cycle began: those that come during the full outage end as 503, and a few at any time."""
    begins = cycle_start(at)
    lost = sum(requests(one.start, min(one.end, at)) for one in FULL_OUTAGE.within(begins, at))
    others = requests(begins, at) - lost
    return {"200": others - others // ONE_FAILS_OF, "503": lost + others // ONE_FAILS_OF}


def cycle_start(at: int) -> int:
    return ORIGIN + (at - ORIGIN) // CYCLE_S * CYCLE_S


def _until(at: int) -> int:
    days, second = divmod(at - ORIGIN, DAY_S)
    hour, rest = divmod(second, HOUR_S)
    return days * _BY_HOUR[-1] + _BY_HOUR[hour] + rest // GRID_S * PER_SLOT[hour]
