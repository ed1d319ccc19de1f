"""Whole numbers out of addresses, where anybody may write anything."""

import pytest

from fleetledger.lib.numbers import whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0),
        ("17", 17),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, None),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
    ],
)
def test_what_is_no_whole_number_is_the_default(text: str, expected: int | None) -> None:
    assert whole(text, None) == expected
