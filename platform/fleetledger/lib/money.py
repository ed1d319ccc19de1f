"""Money, exact: amounts read from text, rounded to a currency's minor units, and split so that nothing is lost."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TypeVar

EXACT = Context(prec=400, Emax=999_999, Emin=-999_999)  # wide enough for sums of a bill's longest numbers
DEFAULT_MINOR_UNITS = 2
MAX_DIGITS = 100

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_WITHOUT_MINOR_UNITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_WITH_THREE = "BHD IQD JOD KWD LYD OMR TND"
_WITH_FOUR = "CLF UYW"
_WITH_TWO = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF "
    "CHW CNY COP COU CRC CUC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HRK "
    "HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR "
    "MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
    "SLE SLL SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER "
    "ZAR ZMW ZWG ZWL"
)
MINOR_UNITS: Mapping[str, int] = {
    code: digits
    for digits, codes in ((0, _WITHOUT_MINOR_UNITS), (2, _WITH_TWO), (3, _WITH_THREE), (4, _WITH_FOUR))
    for code in codes.split()
}

Key = TypeVar("Key")


class NotANumberError(ValueError):
    """Text that is no decimal number."""

    def __init__(self, text: str) -> None:
        super().__init__(f"'{text}' is no decimal number, such as 12.34 or 35.2E-7")


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a split: the exact amount that falls to it with its place in a stable order."""

    exact: Decimal
    order: str


def parse_exact(text: str) -> Decimal:
    """The number that `text` says, with every digit; raises NotANumberError."""
    if len(text) > MAX_DIGITS or _NUMBER.fullmatch(text) is None:
        raise NotANumberError(text[:MAX_DIGITS])
    return Decimal(text)


def plain(amount: Decimal) -> str:
    """The amount in digits alone, without an exponent."""
    return format(amount, "f")


def minor_units(currency: str) -> int:
    """How many decimals a currency has by ISO 4217; two where the code is unknown."""
    return MINOR_UNITS.get(currency, DEFAULT_MINOR_UNITS)


def from_minor(amount_minor: int, currency: str) -> Decimal:
    """An amount in minor units as a Decimal with the currency's decimals: 1801 USD is 18.01."""
    return Decimal(amount_minor).scaleb(-minor_units(currency), EXACT)


def rounded_minor(exact: Decimal, currency: str) -> int:
    """The amount in minor units, halves away from zero, so that the rounding of -x is that of x."""
    scaled = exact.copy_abs().scaleb(minor_units(currency), EXACT)
    whole = int(EXACT.add(scaled, Decimal("0.5")))
    return whole if exact >= 0 else -whole


def total(amounts: Sequence[Decimal]) -> Decimal:
    """The exact sum; Python's own would round to 28 digits."""
    result = Decimal(0)
    for amount in amounts:
        result = EXACT.add(result, amount)
    return result


def round_to_minor(shares: Mapping[Key, Share], currency: str, wanted: int | None = None) -> dict[Key, int]:
    """Round a whole set once: minor units whose sum is the rounded sum of all, by largest remainder.

    Each amount is cut towards zero; what is then missing goes, one minor unit each, to the largest fractions of the
    missing sign, ties by `order`. Rounding the negatives gives the exact negatives. `wanted` is the sum
    where the rounding of a larger set has decided it already.
    """
    digits = minor_units(currency)
    if wanted is None:
        wanted = rounded_minor(total([share.exact for share in shares.values()]), currency)
    scaled = {key: share.exact.scaleb(digits, EXACT) for key, share in shares.items()}
    cut = {key: int(value) for key, value in scaled.items()}
    missing = wanted - sum(cut.values())
    sign = 1 if missing > 0 else -1
    fractions = {key: EXACT.multiply(EXACT.subtract(scaled[key], Decimal(cut[key])), Decimal(sign)) for key in shares}
    favoured = sorted(shares, key=lambda key: (fractions[key].copy_negate(), shares[key].order))
    for position in range(abs(missing)):
        cut[favoured[position % len(favoured)]] += sign
    return cut


def split_whole(amount: int, weights: Sequence[int]) -> list[int]:
    """Split a whole number by weights so that the parts sum to it: cut towards zero, the rest by largest remainder.

    Ties go to the earlier part. `split_whole(-x)` is the exact negative of `split_whole(x)`. The weights are not
    negative and not all zero: what falls to nobody needs a name, and only the caller knows it.
    """
    denominator = sum(weights)
    if denominator <= 0 or min(weights) < 0:
        raise ValueError("A split needs weights that are not negative and not all zero.")
    size = abs(amount)
    parts = [size * weight // denominator for weight in weights]
    missing = size - sum(parts)
    if missing:
        remainders = [size * weight % denominator for weight in weights]
        for index in sorted(range(len(weights)), key=lambda index: (-remainders[index], index))[:missing]:
            parts[index] += 1
    return parts if amount >= 0 else [-part for part in parts]


def split_minor(exact: Decimal, weights: Sequence[int], currency: str) -> list[Decimal]:
    """Split an amount into parts in the currency's minor units: 100.00 USD over three is 33.34, 33.33, 33.33."""
    return [from_minor(part, currency) for part in split_whole(rounded_minor(exact, currency), weights)]
