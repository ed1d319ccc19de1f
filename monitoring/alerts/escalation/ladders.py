"""Says an escalation's steps in words: icons, waits, conditions, and where each stands."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_WEEK = {"mon": "Mon", "tue": "Tue", "wed": "Wed", "thu": "Thu", "fri": "Fri", "sat": "Sat", "sun": "Sun"}
_ICONS = {
    "wait": "clock", "person": "user", "schedule": "calendar", "team": "users", "everyone": "users",
    "receiver": "bell", "webhook": "route",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rung:
    """One step in words. `kind` is wait, person, schedule, team, everyone, receiver or webhook.

    `target` names who or what it is about, or how long it waits: 5m. `condition` is empty where there is none.
    """

    place: int
    kind: str
    target: str
    words: str
    condition: str

    @property
    def icon(self) -> str:
        return _ICONS.get(self.kind, "circle-question-mark")

    @property
    def is_wait(self) -> bool:
        return self.kind == "wait"


def rungs(steps: Sequence[Mapping[str, Any]]) -> tuple[Rung, ...]:
    return tuple(_rung(place, step) for place, step in enumerate(steps))


def _rung(place: int, step: Mapping[str, Any]) -> Rung:
    kind = next((name for name in step if name in _ICONS), "")
    target = _target(kind, step.get(kind))
    return Rung(place, kind, target, _words(kind, target), _condition(step.get("if") or {}))


def _target(kind: str, value: Any) -> str:
    if kind == "webhook" and isinstance(value, Mapping):
        url = value.get("url")
        return urlsplit(url).hostname or "" if isinstance(url, str) else ""
    return "" if kind == "everyone" or value is None else str(value)


def _words(kind: str, target: str) -> str:
    said = {
        "wait": f"Then wait {_length(target)}",
        "person": f"Page {target}",
        "schedule": f"Page who is on call in {target}",
        "team": f"Page the team {target}",
        "everyone": "Page everyone of the team",
        "receiver": f"Tell the receiver {target}",
        "webhook": f"Call the webhook{f' of {target}' if target else ''}",
    }
    return said.get(kind, "A step that nobody knows")


def _length(text: str) -> str:
    units = {"s": "s", "m": "min", "h": "h", "d": "d"}
    return f"{text[:-1]} {units[text[-1]]}" if text[-1:] in units and text[:-1].isdigit() else text


def _condition(document: Mapping[str, Any]) -> str:
    parts = []
    if time := document.get("time"):
        days = ", ".join(_WEEK.get(str(day).lower()[:3], str(day)) for day in time.get("days") or ())
        is_hours = "from" in time or "until" in time
        hours = f"between {time.get('from', '00:00')} and {time.get('until', '24:00')}" if is_hours else ""
        zone = f"({time['time_zone']})" if time.get("time_zone") else ""
        parts.append(" ".join(filter(None, (hours, f"on {days}" if days else "", zone))))
    if many := document.get("more_than"):
        within = f" within {_length(str(many['within']))}" if many.get("within") else ""
        parts.append(f"there are more than {many.get('alerts')} alerts{within}")
    return f"only if it is {parts[0]}" if time and len(parts) == 1 else _joined(parts, is_timed=bool(time))


def _joined(parts: Sequence[str], *, is_timed: bool) -> str:
    if not parts:
        return ""
    return f"only if it is {' and '.join(parts)}" if is_timed else f"only if {parts[0]}"
