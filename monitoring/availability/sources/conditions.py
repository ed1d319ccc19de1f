"""Conditions on a value, such as ">= 1", and the state that a value has by them."""

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from monitoring.availability.slots import Seen
from monitoring.availability.states import State

PATTERN = r"^\s*(>=|<=|==|!=|>|<)\s*([-+]?\d{1,15}(\.\d{1,9})?)\s*$"
_CONDITION = re.compile(PATTERN)
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
}


@dataclass(frozen=True, slots=True)
class Condition:
    sign: str
    number: float

    @classmethod
    def parse(cls, text: str) -> "Condition":
        """Raises ValueError with a sentence."""
        found = _CONDITION.match(text)
        if found is None or not text.isascii():
            raise ValueError(f"'{text[:40]}' is no condition. Write one as '>= 1'.")
        return cls(found[1], float(found[2]))

    def holds(self, value: float) -> bool:
        return _OPERATORS[self.sign](value, self.number)

    def __str__(self) -> str:
        return f"{self.sign} {_written(self.number)}"


@dataclass(frozen=True, slots=True)
class Conditions:
    """Asked in the order down, up, degraded; what fits none is up where only `down` is given, or above 0."""

    up: Condition | None = None
    degraded: Condition | None = None
    down: Condition | None = None
    sentence: str = ""

    @classmethod
    def of(cls, spec: Mapping[str, str]) -> "Conditions":
        up, degraded, down = (
            Condition.parse(spec[name]) if name in spec else None for name in ("up", "degraded", "down")
        )
        return cls(up, degraded, down)

    def judge(self, value: float) -> Seen | None:
        """None for what is no number: then nothing is known."""
        if math.isnan(value):
            return None
        if self.down is not None and self.down.holds(value):
            return self._seen(State.DOWN, value, f"which is {self.down}")
        if self.up is not None and self.up.holds(value):
            return Seen(State.UP)
        if self.degraded is not None and self.degraded.holds(value):
            return self._seen(State.DEGRADED, value, f"which is {self.degraded}")
        if self.up is None and (self.down is not None or value > 0):
            return Seen(State.UP)
        return self._seen(State.DOWN, value, f"wanted {self.up or '> 0'}")

    def _seen(self, state: State, value: float, why: str) -> Seen:
        return Seen(
            state, self.sentence.format(value=value) if self.sentence else f"The value is {_written(value)}, {why}."
        )


def _written(number: float) -> str:
    """12.5, 59,846,400: no exponent, which few people read at night."""
    return f"{number:,.0f}" if math.isfinite(number) and abs(number) >= 1000 else f"{number:g}"  # noqa: PLR2004
