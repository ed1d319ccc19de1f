"""Applies and exports `escalations`: each that the file names is what the file says; others stay."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from fleetledger.fleet.config import notes
from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.organisation import team_named
from fleetledger.fleet.config.plan import Plan
from fleetledger.lib.durations import duration_text, parse_duration
from monitoring.alerts import clock
from monitoring.alerts.config import escalation_checks
from monitoring.alerts.config.escalation_checks import Known
from monitoring.alerts.config.escalation_shapes import STEP
from monitoring.alerts.config.order import in_order
from monitoring.alerts.escalation import uses, webhooks
from monitoring.alerts.models import Escalation

Items = Sequence[dict[str, Any]]
SECTION = "escalations"


def apply(items: Items, plan: Plan) -> None:
    """Bring the named escalations to the file; runs that have begun go on with their own steps."""
    stored = {row.name: row for row in Escalation.objects.select_related("team")}
    wanted = _wanted(items, plan)
    if plan.issues:
        return
    for name, values in wanted.items():
        _bring(stored.get(name), name, values, plan)
    live = {name for name, row in stored.items() if row.removed_at is None}
    notes.kept(plan, SECTION, live - wanted.keys())


def export() -> list[dict[str, Any]]:
    """Every escalation by name."""
    rows = Escalation.objects.filter(removed_at=None).select_related("team").order_by("name")
    return [document(row) for row in rows]


def document(row: Escalation) -> dict[str, Any]:
    item: dict[str, Any] = {"name": row.name}
    if row.team:
        item["team"] = row.team.slug
    if row.acknowledge_timeout_s:
        item["acknowledge_timeout"] = duration_text(timedelta(seconds=row.acknowledge_timeout_s))
    if row.repeat:
        item["repeat"] = row.repeat
    return item | {"steps": in_order(row.steps, {"items": STEP}, {})}


def _wanted(items: Items, plan: Plan) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for index, item in enumerate(items):
        path: Path = (SECTION, index)
        name = item["name"]
        if name in found:
            plan.refuse((*path, "name"), f"The escalation '{name}' stands twice. Give one another name.")
        team = team_named(item["team"], (*path, "team"), plan) if item.get("team") else None
        known = Known.read(team.pk if team else None, _receivers_in(plan.document.values))
        for where, sentence in escalation_checks.of_escalation(item, path, known):
            plan.refuse(where, sentence)
        if team:
            _check_uses(name, team.slug, (*path, "team"), plan)
        if plan.issues:
            continue
        timeout = item.get("acknowledge_timeout")
        found[name] = {
            "team": team,
            "steps": item["steps"],
            "repeat": item.get("repeat", 0),
            "acknowledge_timeout_s": parse_duration(timeout).total_seconds() if timeout else None,
        }
    return found


def _check_uses(name: str, slug: str, path: Path, plan: Plan) -> None:
    """What routes name of the platform's may not become one team's. The trees of the same file are stored by now."""
    others = [tenant for tenant in uses.tenants_naming(name) if tenant != slug]
    if others:
        plan.refuse(path, f"Routes of {', '.join(others)} name '{name}', so it is not {slug}'s alone. Take 'team' out.")


def _receivers_in(values: Mapping[str, Any]) -> Collection[str]:
    """Of every tree in the file."""
    own = values.get("receivers") or ()
    of_teams = [item for tree in values.get("alerting") or () for item in tree.get("receivers") or ()]
    return {item["name"] for item in (*own, *of_teams)}


def _bring(row: Escalation | None, name: str, values: dict[str, Any], plan: Plan) -> None:
    if row is None:
        made = Escalation.objects.create(name=name, **values)
        webhooks.bring_to(made, made.steps, clock.now())
        plan.added("escalation", name, f"{len(made.steps)} steps")
        return
    changed = [key for key, value in values.items() if getattr(row, key) != value]
    if not changed and row.removed_at is None:
        return
    for key, value in values.items():
        setattr(row, key, value)
    row.removed_at = None
    row.save()
    webhooks.bring_to(row, row.steps, clock.now())
    plan.changed("escalation", name, ", ".join(key.removesuffix("_s").replace("_", " ") for key in changed) or "again")
