"""What the public page says, as data that can lie in a file: no names, no reasons, nothing but what is public."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any

UNKNOWN = "unknown"
DEGRADED = "degraded"
WORST_FIRST = ("down", DEGRADED, UNKNOWN, "maintenance", "up", "idle")
WORDS = {
    "up": "Works",
    "degraded": "Works in part",
    "down": "Does not work",
    UNKNOWN: "Not known",
    "maintenance": "Planned work",
    "idle": "No traffic",
}


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a component: shares of its time from 0 to 1. None of them where nothing was expected."""

    on: date
    up: float = 0.0
    degraded: float = 0.0
    down: float = 0.0
    unknown: float = 0.0
    maintenance: float = 0.0


@dataclass(frozen=True, slots=True)
class Service:
    """A public component. Availability over its days: None where nothing was seen; bounds where much is not known."""

    name: str
    title: str
    state: str
    observed: float | None
    coverage: float | None
    lower: float | None
    upper: float | None
    days: tuple[Day, ...]

    @property
    def words(self) -> str:
        return WORDS[self.state]


@dataclass(frozen=True, slots=True)
class Update:
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """A public incident with what the public was told, the newest first."""

    id: int
    title: str
    text: str
    state: str
    opened_at: datetime
    resolved_at: datetime | None
    services: tuple[str, ...]
    updates: tuple[Update, ...]

    @property
    def changed_at(self) -> datetime:
        return max([self.opened_at, *(update.at for update in self.updates), *filter(None, [self.resolved_at])])


@dataclass(frozen=True, slots=True)
class Planned:
    """Planned work on a public component."""

    id: int
    service: str
    from_at: datetime
    until_at: datetime


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything. `is_old`: nobody knows how it is now; then every state is unknown."""

    at: datetime
    services: tuple[Service, ...]
    troubles: tuple[Trouble, ...]
    past: tuple[Trouble, ...]
    planned: tuple[Planned, ...]
    is_old: bool = False

    @property
    def state(self) -> str:
        """The worst of all; unknown where there is nothing. While people work on a problem not all is well."""
        states = {service.state for service in self.services}
        if self.open_troubles and not self.is_old:
            states.add(DEGRADED)
        return next((state for state in WORST_FIRST if state in states), UNKNOWN)

    @property
    def open_troubles(self) -> int:
        return sum(trouble.state == "open" for trouble in self.troubles)

    @property
    def sentence(self) -> str:
        """What a visitor wants to know first."""
        if self.is_old:
            return "How everything is now cannot be told"
        by_state = {state: [row.title for row in self.services if row.state == state] for state in WORST_FIRST}
        said = [_said(by_state[state], words) for state, words in _SENTENCES if by_state[state]]
        if said:
            return "; ".join(said)
        if self.open_troubles:
            return "We are working on a problem" if self.open_troubles == 1 else "We are working on problems"
        return "Everything works" if self.services else "Nothing is shown here yet"


_SENTENCES = (
    ("down", ("does not work", "do not work")),
    ("degraded", ("works in part", "work in part")),
    (UNKNOWN, ("is not known at the moment", "are not known at the moment")),
)
_MOST = 3


def old(shown: Shown) -> Shown:
    """The same as it is to be shown later, when nobody knows whether it still holds."""
    return replace(shown, is_old=True, services=tuple(replace(service, state=UNKNOWN) for service in shown.services))


def packed(shown: Shown) -> dict[str, Any]:
    """As JSON holds it."""
    return asdict(shown)


def unpacked(document: Mapping[str, Any]) -> Shown:
    """Raises KeyError, TypeError and ValueError for what is no such document."""
    return Shown(
        at=datetime.fromisoformat(document["at"]),
        services=tuple(map(_service, document["services"])),
        troubles=tuple(map(_trouble, document["troubles"])),
        past=tuple(map(_trouble, document["past"])),
        planned=tuple(map(_planned, document["planned"])),
    )


def _service(row: Mapping[str, Any]) -> Service:
    days = tuple(Day(**{**day, "on": date.fromisoformat(day["on"])}) for day in row["days"])
    return Service(**{**row, "days": days})


def _trouble(row: Mapping[str, Any]) -> Trouble:
    updates = tuple(Update(datetime.fromisoformat(one["at"]), one["text"]) for one in row["updates"])
    resolved = row["resolved_at"]
    return Trouble(
        **{
            **row,
            "opened_at": datetime.fromisoformat(row["opened_at"]),
            "resolved_at": datetime.fromisoformat(resolved) if resolved else None,
            "services": tuple(row["services"]),
            "updates": updates,
        }
    )


def _planned(row: Mapping[str, Any]) -> Planned:
    return Planned(
        **{
            **row,
            "from_at": datetime.fromisoformat(row["from_at"]),
            "until_at": datetime.fromisoformat(row["until_at"]),
        }
    )


def _said(titles: Sequence[str], words: tuple[str, str]) -> str:
    names = ", ".join(titles[:_MOST]) + (f" and {len(titles) - _MOST} more" if len(titles) > _MOST else "")
    return f"{names} {words[0] if len(titles) == 1 else words[1]}"
