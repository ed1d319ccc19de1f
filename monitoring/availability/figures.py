"""How available something was, exactly: what was seen, out of what should have been, and what it can be at most."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from monitoring.availability.states import State

Seconds = int | Fraction
SHOWN_WITHOUT_BOUNDS = Fraction(99, 100)
"""Pages show the bounds below this coverage."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Seconds by state. Maintenance and time without traffic are not expected, so they count neither way."""

    up_s: Seconds = 0
    degraded_s: Seconds = 0
    down_s: Seconds = 0
    maintenance_s: Seconds = 0
    idle_s: Seconds = 0
    unknown_s: Seconds = 0

    @classmethod
    def of(cls, seconds: Mapping[State, Seconds]) -> "Tally":
        return cls(**{f"{state.value}_s": value for state, value in seconds.items()})

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.up_s + other.up_s,
            self.degraded_s + other.degraded_s,
            self.down_s + other.down_s,
            self.maintenance_s + other.maintenance_s,
            self.idle_s + other.idle_s,
            self.unknown_s + other.unknown_s,
        )

    def seconds(self) -> tuple[Seconds, ...]:
        """In the order of the fields."""
        return self.up_s, self.degraded_s, self.down_s, self.maintenance_s, self.idle_s, self.unknown_s

    @property
    def good_s(self) -> Seconds:
        """It served, be it with less than it should have had."""
        return self.up_s + self.degraded_s

    @property
    def observed_s(self) -> Seconds:
        return self.good_s + self.down_s

    @property
    def expected_s(self) -> Seconds:
        return self.observed_s + self.unknown_s

    @property
    def availability(self) -> "Availability":
        return Availability.of(self)


@dataclass(frozen=True, slots=True)
class Availability:
    """Shares from 0 to 1. `observed`: of what was seen; the truth lies from `lower` to `upper`.

    None where there is nothing to divide by: nothing was expected (no verdict), or for `observed` nothing was seen.
    """

    observed: Fraction | None
    coverage: Fraction | None
    lower: Fraction | None
    upper: Fraction | None

    @classmethod
    def of(cls, tally: Tally) -> "Availability":
        expected = tally.expected_s
        return cls(
            observed=_share(tally.good_s, tally.observed_s),
            coverage=_share(tally.observed_s, expected),
            lower=_share(tally.good_s, expected),
            upper=_share(tally.good_s + tally.unknown_s, expected),
        )

    @property
    def has_verdict(self) -> bool:
        return self.observed is not None

    @property
    def needs_bounds(self) -> bool:
        """Whether the observed share alone would say more than is known."""
        return self.coverage is not None and self.coverage < SHOWN_WITHOUT_BOUNDS


@dataclass(frozen=True, slots=True)
class Member:
    """A child of a service, for its redundancy."""

    name: str
    zone: str
    state: State


@dataclass(frozen=True, slots=True)
class Redundancy:
    """Whether a service goes on without its largest zone. `survives` None: that cannot be said, and why."""

    survives: bool | None
    ready: int
    needs: int
    zones: Mapping[str, int]
    sentence: str


def total(tallies: Iterable[Tally]) -> Tally:
    return sum(tallies, start=Tally())


def redundancy(members: Sequence[Member], needs: int) -> Redundancy:
    """By what is ready in each zone now: ready - the largest zone's ready >= needs."""
    counted = [member for member in members if member.state not in (State.MAINTENANCE, State.IDLE)]
    ready = [member for member in counted if member.state is State.UP]
    zones: dict[str, int] = defaultdict(int)
    for member in ready:
        zones[member.zone] += 1
    homeless = sorted(member.name for member in counted if not member.zone)
    largest = max(zones, key=lambda zone: (zones[zone], zone), default="")
    left = len(ready) - zones.get(largest, 0)
    known = {zone: count for zone, count in zones.items() if zone}
    unseen = sum(member.state is State.UNKNOWN for member in counted)
    survives: bool | None = False
    sentence = f"Without {largest} {left} would be left, {needs} needed."
    if not members:
        survives, sentence = None, "There is nothing below it."
    elif homeless:
        has = "has" if len(homeless) == 1 else "have"
        survives, sentence = None, f"Nobody knows: {_listed(homeless)} {has} no zone."
    elif left >= needs:
        survives, sentence = True, f"Without {largest} {left} are left, {needs} needed."
    elif unseen and left + unseen >= needs:
        survives, sentence = None, f"Nobody knows: {unseen} cannot be seen."
    elif not ready:
        sentence = f"None is ready, {needs} needed."
    return Redundancy(survives, len(ready), needs, known, sentence)


def _listed(names: Sequence[str], shown: int = 3) -> str:
    rest = len(names) - shown
    return ", ".join(names[:shown]) + (f" and {rest} more" if rest > 0 else "")


def _share(part: Seconds, whole: Seconds) -> Fraction | None:
    return Fraction(part, whole) if whole else None
