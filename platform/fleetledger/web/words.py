"""Says numbers, money and time the way people read them."""

import re
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal

from fleetledger.lib.money import minor_units

SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
NOTHING = "\N{EN DASH}"
MINUS = "\N{MINUS SIGN}"
_US_PER_HOUR = 3_600_000_000
_BOARD = re.compile(r"[- ](SXM\d*|PCIE?|NVL)(?=[- ]|$)-?", re.IGNORECASE)
_MEMORY_KIND = re.compile(r" HBM\d\w*")


def money(amount: Decimal | None, currency: str, *, whole: bool = False) -> str:
    """$1,234.50; with `whole` no minor units from 100 on. Exact amounts are shown rounded, half to even."""
    if amount is None:
        return NOTHING
    digits = minor_units(currency)
    if whole and abs(amount) >= 100:  # noqa: PLR2004 three digits say enough
        digits = 0
    rounded = amount.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
    text = f"{abs(rounded):,.{digits}f}"
    symbol = SYMBOLS.get(currency)
    said = f"{symbol}{text}" if symbol else f"{currency} {text}"
    return f"{MINUS}{said}" if rounded < 0 else said


def exact_money(amount: Decimal | None, currency: str) -> str:
    """All the digits there are, at least the currency's own."""
    if amount is None:
        return NOTHING
    digits = max(minor_units(currency), -int(amount.normalize().as_tuple().exponent))
    text = f"{abs(amount):,.{digits}f}"
    return f"{MINUS if amount < 0 else ''}{text} {currency}"


def gpu_hours(microseconds: int | None) -> str:
    """GPU-hours from GPU-microseconds: three digits at least where there are so many."""
    if microseconds is None:
        return NOTHING
    if not microseconds:
        return "0"
    hours = microseconds / _US_PER_HOUR
    return f"{hours:,.0f}" if abs(hours) >= 100 else f"{hours:,.1f}" if abs(hours) >= 10 else f"{hours:,.2f}"  # noqa: PLR2004


def percent(value: float | None, digits: int = 0) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}%"


def count(value: float | None, digits: int = 0) -> str:
    return NOTHING if value is None else f"{value:,.{digits}f}"


def duration(span: timedelta) -> str:
    """The largest unit that fits: 38 s, 12 min, 5 h, 3 days."""
    seconds = max(0, round(span.total_seconds()))
    if seconds < 90:  # noqa: PLR2004
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 90:  # noqa: PLR2004
        return f"{minutes} min"
    hours = round(seconds / 3600)
    return f"{hours} h" if hours < 48 else f"{round(seconds / 86400)} days"  # noqa: PLR2004


def ago(at: datetime, now: datetime) -> str:
    return f"in {duration(at - now)}" if at > now + timedelta(seconds=5) else f"{duration(now - at)} ago"


def memory(mebibytes: float | None) -> str:
    if mebibytes is None:
        return NOTHING
    return f"{mebibytes / 1024:,.0f} GiB" if mebibytes >= 10240 else f"{mebibytes:,.0f} MiB"  # noqa: PLR2004


def energy(microjoules: int | None) -> str:
    """In kilowatt-hours, or megawatt-hours from a thousand on."""
    if microjoules is None:
        return NOTHING
    kwh = microjoules / 3.6e12
    return f"{kwh / 1000:,.2f} MWh" if kwh >= 1000 else f"{kwh:,.1f} kWh"  # noqa: PLR2004


def gpu_model(name: str) -> str:
    """As people call it: NVIDIA A100-SXM4-80GB is A100 80GB."""
    short = _BOARD.sub(" ", name.removeprefix("NVIDIA "))
    return " ".join(_MEMORY_KIND.sub("", short).split()) or name


def plural(number: int, one: str, many: str = "") -> str:
    """1 GPU, 2 GPUs."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
