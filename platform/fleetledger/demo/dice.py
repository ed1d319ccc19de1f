"""Chance that can be repeated: the same numbers for the same keys, on every machine and in every release."""

import random
from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1


def mix(*parts: int) -> int:
    """64 well-stirred bits that depend on all `parts` and their order (the finaliser of splitmix64, chained)."""
    state = 0x9E3779B97F4A7C15
    for part in parts:
        state = (state ^ (part & _MASK)) + 0x9E3779B97F4A7C15 & _MASK
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & _MASK
        state ^= state >> 31
    return state


def key(text: str) -> int:
    """A number for a name."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


class Dice:
    """A stream of decisions. It draws from `random()` alone, the one method whose stream Python promises to keep."""

    def __init__(self, *seed: int) -> None:
        self._random = random.Random(mix(*seed)).random

    def chance(self, probability: float) -> bool:
        return self._random() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included."""
        return low + int(self._random() * (high - low + 1))

    def span(self, low_minutes: float, high_minutes: float) -> int:
        """A duration in seconds on the 30-second grid, short ones more often than long ones."""
        minutes = low_minutes * (high_minutes / low_minutes) ** self._random()
        return max(30, int(minutes * 2) * 30)

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self._random() * len(choices))]

    def weigh(self, choices: Sequence[tuple[T, int]]) -> T:
        """One of (choice, weight)."""
        mark = self._random() * sum(weight for _, weight in choices)
        for choice, weight in choices:
            mark -= weight
            if mark < 0:
                return choice
        return choices[-1][0]

    def shuffled(self, values: Sequence[T]) -> list[T]:
        left = list(values)
        return [left.pop(int(self._random() * len(left))) for _ in range(len(left))]

    def word(self, length: int) -> str:
        """Letters and digits as Kubernetes puts them behind a pod's name: without vowels."""
        return "".join(self.pick("bcdfghjklmnpqrstvwxz2456789") for _ in range(length))
