"""What is wrong with an escalation that the schema cannot see: steps that say two things, or name nobody."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.models import Team, User
from monitoring.alerts import trees
from monitoring.alerts.config import receiver_checks
from monitoring.alerts.config.escalation_shapes import KINDS
from monitoring.alerts.config.route_checks import Document, Problem, of_duration
from monitoring.alerts.models import ChannelKind, Schedule
from monitoring.alerts.oncall.documents import DocumentError, zone_named

SHOWN = 20
_PLACES = {"person": "users", "schedule": "schedules", "team": "teams", "receiver": "receivers"}


@dataclass(frozen=True, slots=True)
class Known:
    """Whom steps may name, by the kind of the step."""

    names: Mapping[str, Collection[str]]

    @classmethod
    def read(cls, team_id: int | None, file_receivers: Collection[str]) -> "Known":
        """`file_receivers`: those that stand in the same file."""
        return cls(
            {
                "person": frozenset(User.objects.values_list("username", flat=True)),
                "schedule": frozenset(Schedule.objects.filter(removed_at=None).values_list("name", flat=True)),
                "team": frozenset(Team.objects.values_list("slug", flat=True)),
                "receiver": frozenset(file_receivers) | frozenset(trees.tree_for(team_id).receivers),
            }
        )


def of_escalation(item: Document, path: Path, known: Known) -> Iterator[Problem]:
    if item.get("acknowledge_timeout"):
        yield from of_duration("acknowledge_timeout", item["acknowledge_timeout"], (*path, "acknowledge_timeout"))
    for index, step in enumerate(item["steps"]):
        yield from _step(step, (*path, "steps", index), known)
    if all("wait" in step for step in item["steps"]):
        yield (*path, "steps"), "This escalation only waits. Add a step that tells somebody, such as {person: NAME}."


def _step(step: Document, path: Path, known: Known) -> Iterator[Problem]:
    kinds = [kind for kind in KINDS if kind in step]
    if len(kinds) != 1:
        yield path, f"A step does one thing. Write one of {', '.join(KINDS)}; this one has {len(kinds)} of them."
        return
    (kind,) = kinds
    at = (*path, kind)
    if kind == "wait":
        yield from of_duration(kind, step[kind], at)
    elif kind == "webhook":
        receiver = {"name": "step", ChannelKind.WEBHOOK.value: [step[kind]]}
        for where, sentence in receiver_checks.of_receivers([receiver], ()):
            yield (*at, *where[3:]), sentence
    elif kind in known.names and step[kind] not in known.names[kind]:
        yield at, unknown(kind, step[kind], known.names[kind])
    yield from _condition(step.get("if") or {}, (*path, "if"))


def _condition(condition: Document, path: Path) -> Iterator[Problem]:
    if "if" not in path or not condition:
        return
    window: Mapping[str, Any] = condition.get("time") or {}
    if window.get("time_zone"):
        try:
            zone_named(window["time_zone"])
        except DocumentError as error:
            yield (*path, "time", "time_zone"), str(error)
    if window and window.get("from", "00:00") == window.get("until", "24:00"):
        yield (*path, "time"), "These hours are empty: they begin when they end."
    if "more_than" in condition:
        yield from of_duration("within", condition["more_than"]["within"], (*path, "more_than", "within"))


def unknown(kind: str, name: str, names: Collection[str]) -> str:
    """'No person is called …' with the one that was meant, or the known ones."""
    close = get_close_matches(name, names, n=1)
    shown = ", ".join(sorted(names)[:SHOWN])
    hint = f" Did you mean '{close[0]}'?" if close else f" Known: {shown}." if shown else ""
    return f"No {kind} is called '{name}'.{hint or f' Add it under {_PLACES[kind]!r}.'}"
