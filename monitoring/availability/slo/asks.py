"""What is asked of whoever can count: how much within a stretch of time, and how much of another was seen."""

from collections.abc import Mapping
from dataclasses import dataclass

from monitoring.availability.slo.burn import Counted


@dataclass(frozen=True, slots=True)
class Ask:
    """Both stretches end at `until`, in seconds since 1970. 0 s: not asked for."""

    until: int
    counts_s: int
    coverage_s: int

    @classmethod
    def window(cls, until: int, seconds: int) -> "Ask":
        return cls(until, seconds, seconds)


Answers = Mapping[Ask, Counted]
