"""Applies and exports the parts of the platform's tree, and `alerting`, those of teams.

The parts of a tree name each other, so they are applied together, by whichever of the sections comes first; the others
then find nothing to change. A part that the file leaves out stays as it is stored; one that it names is replaced.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.db import transaction

from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.organisation import team_named
from fleetledger.fleet.config.plan import Plan
from monitoring.alerts import clock, grouping, trees
from monitoring.alerts.config import differences, receiver_checks, route_checks, shapes
from monitoring.alerts.config.order import in_order
from monitoring.alerts.config.route_checks import Names, Problem
from monitoring.alerts.models import Escalation, Tree
from monitoring.alerts.tenants import PLATFORM_SLUG
from monitoring.alerts.trees import TreeDocument

PARTS: Mapping[str, Any] = {
    "route": shapes.ROOT,
    "inhibit_rules": shapes.INHIBIT_RULES,
    "receivers": shapes.RECEIVERS,
    "time_intervals": shapes.TIME_INTERVALS,
}
NO_ROUTE = "'route' is missing: it says who is told. Add route: {receiver: NAME}."


@dataclass(frozen=True, slots=True)
class _Given:
    """What a file says of one tenant's tree, by part."""

    team_id: int | None
    slug: str
    path: Path
    parts: Mapping[str, Any]


def apply(_: Any, plan: Plan) -> None:
    """Bring every tree to the file, then put what is wrong now into the groups of its new tree."""
    given = list(_given(plan))
    changed = [team_id for item in given if not plan.issues for team_id in _bring(item, plan)]
    if changed and not plan.issues:
        tenants = tuple(dict.fromkeys(changed))
        grouping.regroup(tenants)
        # once more for alerts that came in by the old tree while this one was not committed yet
        transaction.on_commit(partial(grouping.regroup, tenants), robust=True)


def export(part: str) -> Any:
    """One part of the platform's tree, as it was applied."""
    document = trees.own_document(None)
    return _ordered(document, part) if document else None


def export_teams() -> list[dict[str, Any]]:
    rows = Tree.objects.filter(team__isnull=False).exclude(route={}).select_related("team").order_by("team__slug")
    found = []
    for row in rows:
        document = trees.document_of(row)
        parts = {part: value for part in PARTS if (value := _ordered(document, part))}
        found.append({"team": row.team.slug if row.team else "", **parts})
    return found


def _given(plan: Plan) -> Iterator[_Given]:
    values = plan.document.values
    yield _Given(None, PLATFORM_SLUG, (), {part: values[part] for part in PARTS if values.get(part) is not None})
    seen: set[str] = set()
    for index, item in enumerate(values.get("alerting") or ()):
        path: Path = ("alerting", index)
        slug = item["team"]
        team = team_named(slug, (*path, "team"), plan)
        if slug in seen:
            plan.refuse((*path, "team"), f"The tree of the team '{slug}' stands twice.")
        elif team is not None:
            yield _Given(team.pk, slug, path, {part: item[part] for part in PARTS if part in item})
        seen.add(slug)


def _bring(given: _Given, plan: Plan) -> tuple[int | None, ...]:
    """The tenants whose alerts go elsewhere now."""
    before = trees.own_document(given.team_id) or differences.NOTHING
    after = _wanted(given, before, plan)
    if after is None or plan.issues or after == before:
        return ()
    trees.store(
        given.team_id,
        after.route,
        after.receivers,
        after.inhibit_rules,
        clock.now(),
        time_intervals=after.time_intervals,
    )
    differences.tell(plan, given.slug, _readable(before), after)
    return trees.followers(given.team_id)


def _wanted(given: _Given, before: TreeDocument, plan: Plan) -> TreeDocument | None:
    """What is stored with what the file says; None: the file says nothing, or something wrong."""
    if "route" in given.parts and given.parts["route"] is None:
        return _none_wanted(given, plan)
    parts = {part: given.parts.get(part, getattr(before, part)) for part in PARTS}
    if not parts["route"]:
        if any(given.parts.values()):
            plan.refuse((*given.path, next(iter(given.parts))), NO_ROUTE)
        return None
    after = TreeDocument(**parts)
    for path, sentence in problems(after, _escalations(plan), given.slug):
        # what is wrong with a stored part is wrong by a part that the file names
        at = path if path[0] in given.parts else (next(iter(given.parts)),)
        plan.refuse((*given.path, *at), sentence)
    return after


def _none_wanted(given: _Given, plan: Plan) -> TreeDocument:
    for part in ("receivers", "inhibit_rules", "time_intervals"):
        if given.parts.get(part):
            plan.refuse((*given.path, part), f"Without a route there are no {part}. Take them out, or add a route.")
    return differences.NOTHING


def problems(
    tree: TreeDocument, escalations: Mapping[str, str] | None = None, tenant: str = PLATFORM_SLUG
) -> Iterator[Problem]:
    """The mistakes of a whole tree of `tenant`, by their paths within it; `escalations`: whose each of them is."""
    names = Names(_names(tree.receivers), _names(tree.time_intervals), escalations, tenant)
    yield from receiver_checks.of_receivers(tree.receivers, ("receivers",))
    yield from route_checks.of_time_intervals(tree.time_intervals, ("time_intervals",))
    yield from route_checks.of_route(tree.route, ("route",), names)
    yield from route_checks.of_inhibit_rules(tree.inhibit_rules, ("inhibit_rules",))


def _escalations(plan: Plan) -> dict[str, str]:
    """The tenants of those that are stored, and of those of the same file."""
    rows = Escalation.objects.filter(removed_at=None).values_list("name", "team__slug")
    of_file = ((item["name"], item.get("team")) for item in plan.document.values.get("escalations") or ())
    return {name: slug or PLATFORM_SLUG for name, slug in (*rows, *of_file)}


def _names(documents: Iterable[Mapping[str, Any]]) -> list[str]:
    return [document["name"] for document in documents]


def _readable(document: TreeDocument) -> TreeDocument:
    return TreeDocument(**{part: _ordered(document, part) for part in PARTS})


def _ordered(document: TreeDocument, part: str) -> Any:
    return in_order(getattr(document, part), PARTS[part], shapes.DEFS)
