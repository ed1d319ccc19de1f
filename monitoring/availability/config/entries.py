"""Reads the entries of `components` into the rows that they stand for, and says what is wrong with them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.organisation import team_named
from fleetledger.fleet.config.plan import Plan
from fleetledger.fleet.models import Team
from monitoring.availability.config import probe_entries
from monitoring.availability.config.durations import whole_seconds
from monitoring.availability.config.probe_entries import WantedProbe
from monitoring.availability.models import ComponentKind

Entry = Mapping[str, Any]
MOST = 20_000
DEEPEST = 8
ALERT_AFTER_S = 60
RESERVED = "fleetledger-"
TAKEN = frozenset({"slos"})  # the address of another page


@dataclass(frozen=True, slots=True)
class Wanted:
    """A component as the file wants it, with where that stands."""

    name: str
    parent: str
    values: dict[str, Any]
    probes: tuple[WantedProbe, ...]
    path: Path


def read(items: Sequence[Entry], plan: Plan) -> dict[str, Wanted]:
    """Every component by its name; mistakes are noted in the plan."""
    found: dict[str, Wanted] = {}
    for path, item, parent in _walk(items, ("components",), None):
        if len(path) > 2 * DEEPEST:
            plan.refuse(path, f"Components stand at most {DEEPEST} deep. Use fewer levels.")
            continue
        name = item["name"]
        if name in found:
            plan.refuse((*path, "name"), f"The component '{name}' stands twice. Give one another name.")
        if name in TAKEN:
            plan.refuse((*path, "name"), f"'{name}' is the address of a page of ours. Take another name.")
        if name.startswith(RESERVED):
            plan.refuse((*path, "name"), f"Names that begin with '{RESERVED}' are our own parts'. Take another.")
        if parent is not None and "parent" in item:
            plan.refuse((*path, "parent"), "'parent' has no meaning inside 'children'. Take it out.")
        above = parent["name"] if parent is not None else item.get("parent") or ""
        probes = tuple(probe_entries.read(item.get("probes", ()), (*path, "probes"), plan))
        found[name] = Wanted(name, above, _values(item, len(found), parent, path, plan), probes, path)
    if len(found) > MOST:
        plan.refuse(("components",), f"There are more than {MOST:,} components. Leave some out.")
    _check_parents(found, plan)
    return found


def _walk(items: Sequence[Entry], path: Path, parent: Entry | None) -> Iterator[tuple[Path, Entry, Entry | None]]:
    for index, item in enumerate(items):
        at: Path = (*path, index)
        inherited = {"team": parent["team"]} if parent is not None and parent.get("team") else {}
        own = inherited | dict(item)
        yield at, own, parent
        yield from _walk(item.get("children", ()), (*at, "children"), own)


def _values(item: Entry, position: int, parent: Entry | None, path: Path, plan: Plan) -> dict[str, Any]:
    return {
        "title": item.get("title") or item["name"],
        "kind": item.get("kind", ComponentKind.SERVICE if parent is None else ComponentKind.REPLICA),
        "team": _team(item, path, plan),
        "zone": item.get("zone") or "",
        "needs": item.get("needs"),
        "description": item.get("description") or "",
        "runbook_url": item.get("runbook_url") or "",
        "alert": item.get("alert", True),
        "alert_after_s": whole_seconds(item, "alert_after", path, plan, ALERT_AFTER_S, may_be_zero=True),
        "severity": item.get("severity", "critical"),
        "is_public": item.get("public", False),
        "public_title": item.get("public_title") or "",
        "position": position,
    }


def _team(item: Entry, path: Path, plan: Plan) -> Team | None:
    return team_named(item["team"], (*path, "team"), plan) if item.get("team") else None


def _check_parents(found: Mapping[str, Wanted], plan: Plan) -> None:
    """Each parent exists and is of the same team, and nothing stands below itself."""
    for one in found.values():
        if one.parent and one.parent not in found:
            known = ", ".join(sorted(found)[:20])
            plan.refuse((*one.path, "parent"), f"No component is called '{one.parent}'. Known: {known}.")
            continue
        team = found[one.parent].values["team"] if one.parent else None
        if team is not None and one.values["team"] != team:  # what is wrong with a part is told of the whole
            sentence = f"'{one.name}' is of another team than '{one.parent}' above it. Give both one team."
            plan.refuse((*one.path, "team"), sentence)
        line = [one.name]
        while (above := found[line[-1]].parent) and above in found and above not in line:
            line.append(above)
        if above == one.name:
            circle = " -> ".join([*line, above])
            plan.refuse((*one.path, "parent"), f"A component cannot stand below itself: {circle}.")
