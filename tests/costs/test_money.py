"""Money is read exactly, rounded once and split so that nothing is lost."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetledger.lib import money
from fleetledger.lib.money import Share

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=11, allow_nan=False)
WEIGHTS = st.lists(st.integers(min_value=0, max_value=10**12), min_size=1, max_size=20).filter(any)


def _shares(amounts: list[Decimal]) -> dict[str, Share]:
    return {f"{index:02d}": Share(amount, f"{index:02d}") for index, amount in enumerate(amounts)}


@pytest.mark.parametrize(
    ("amount", "currency", "parts"),
    [
        ("100.00", "USD", ["33.34", "33.33", "33.33"]),
        ("-100.00", "USD", ["-33.34", "-33.33", "-33.33"]),
        ("1.000", "KWD", ["0.334", "0.333", "0.333"]),
        ("100", "JPY", ["34", "33", "33"]),
    ],
)
def test_an_amount_over_three_loses_no_minor_unit(amount: str, currency: str, parts: list[str]) -> None:
    assert money.split_minor(Decimal(amount), [1, 1, 1], currency) == [Decimal(part) for part in parts]


@given(amount=st.integers(min_value=-(10**30), max_value=10**30), weights=WEIGHTS)
def test_parts_sum_to_the_whole_and_a_negative_splits_alike(amount: int, weights: list[int]) -> None:
    parts = money.split_whole(amount, weights)
    assert sum(parts) == amount
    assert money.split_whole(-amount, weights) == [-part for part in parts]
    assert all(
        abs(part * sum(weights) - amount * weight) < sum(weights) for part, weight in zip(parts, weights, strict=True)
    )


@given(amounts=st.lists(AMOUNTS, min_size=1, max_size=30), currency=st.sampled_from(["USD", "JPY", "KWD"]))
def test_a_set_rounded_once_sums_to_its_rounded_sum(amounts: list[Decimal], currency: str) -> None:
    rounded = money.round_to_minor(_shares(amounts), currency)
    assert sum(rounded.values()) == money.rounded_minor(money.total(amounts), currency)
    assert money.round_to_minor(_shares([-amount for amount in amounts]), currency) == {
        key: -value for key, value in rounded.items()
    }


def test_three_gpus_in_thirds_cost_ten_each() -> None:
    third = Decimal("3.333333333333")
    exact = [third + third + third + Decimal("0.000000000003"), third * 3, third * 3]
    assert money.round_to_minor(_shares(exact), "USD") == {"00": 1000, "01": 1000, "02": 1000}


def test_a_split_by_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="not all zero"):
        money.split_whole(10, [0, 0])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("35.2E-7", "0.00000352"),
        ("-2.6137", "-2.6137"),
        (".5", "0.5"),
        ("1.12345678901234567890123456", "1.12345678901234567890123456"),
    ],
)
def test_numbers_are_read_with_every_digit(text: str, value: str) -> None:
    assert money.parse_exact(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "NaN", "Infinity", "1,5", "1_000", "0x1", "--1", "1e99999", "٣", "1" * 101])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(money.NotANumberError):
        money.parse_exact(text)


def test_amounts_are_written_in_digits_alone() -> None:
    assert money.plain(Decimal("35.2E-7")) == "0.00000352"
    assert money.from_minor(-1801, "USD") == Decimal("-18.01")
    assert str(money.from_minor(5, "JPY")) == "5"
