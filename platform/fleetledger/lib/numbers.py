"""Reads whole numbers out of addresses and forms, where anybody may write anything."""

from typing import TypeVar

DIGITS = 18  # what a 64-bit id holds for certain
T = TypeVar("T")


def whole(text: str, default: T) -> int | T:
    """A whole number from 0 on; `default` for anything else."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= DIGITS else default
