"""Applies `components`: those of the file take the place of those before. What was seen of removed ones stays."""

from collections.abc import Sequence
from typing import Any

from fleetledger.fleet.config.plan import Plan, save
from monitoring.alerts import clock
from monitoring.availability import ingest
from monitoring.availability.config import entries
from monitoring.availability.config.entries import Wanted
from monitoring.availability.config.probe_entries import WantedProbe
from monitoring.availability.models import Component, Probe

TAKEN_OUT = "It was taken out of the configuration."


def apply(items: Sequence[dict[str, Any]], plan: Plan) -> None:
    """Bring components and their probes to what the file says; our own parts are nobody's to configure."""
    wanted = entries.read(items, plan)
    if plan.issues:
        return
    stored = {row.name: row for row in Component.objects.filter(is_builtin=False).select_related("team", "parent")}
    rows = {name: _bring(stored.get(name), one, plan) for name, one in wanted.items()}
    for name, one in wanted.items():
        _place(rows[name], rows.get(one.parent), plan)
    for name, row in stored.items():
        if name not in wanted and row.removed_at is None:
            _remove(row, plan)


def _bring(row: Component | None, one: Wanted, plan: Plan) -> Component:
    component = row or Component(name=one.name, created_at=clock.now())
    if component.removed_at is not None:
        component.removed_at = None
        component.save(update_fields=["removed_at"])
        plan.added("component", one.name, "with its past")
    save(plan, "component", one.name, component, one.values)
    _bring_probes(component, one.probes, plan)
    return component


def _place(row: Component, parent: Component | None, plan: Plan) -> None:
    if row.parent_id != (parent.pk if parent else None):
        before = row.parent.name if row.parent else "none"
        row.parent = parent
        row.save(update_fields=["parent"])
        plan.changed("component", row.name, f"parent {before} -> {parent.name if parent else 'none'}")


def _bring_probes(component: Component, wanted: Sequence[WantedProbe], plan: Plan) -> None:
    stored = {row.name: row for row in component.probes.select_related("source")}
    for one in wanted:
        _bring_probe(component, stored.get(one.name), one, plan)
    names = {one.name for one in wanted}
    gone = {name: row for name, row in stored.items() if name not in names and row.removed_at is None}
    _end(list(gone.values()))
    for name in gone:
        plan.removed("probe", f"{component.name}/{name}")


def _bring_probe(component: Component, row: Probe | None, one: WantedProbe, plan: Plan) -> None:
    now = clock.now()
    probe = row or Probe(component=component, name=one.name, created_at=now, due_at=now)
    before = len(plan.changes)
    if row is not None and row.kind != one.values["kind"]:
        ingest.end_probes([row.pk], "The probe is of another kind now.")
    if probe.removed_at is not None:
        probe.removed_at = None
        probe.save(update_fields=["removed_at"])
    save(plan, "probe", f"{component.name}/{one.name}", probe, one.values)
    if len(plan.changes) > before:
        Probe.objects.filter(pk=probe.pk).update(due_at=now, lease_until=None, failure="")


def _remove(row: Component, plan: Plan) -> None:
    _end(list(row.probes.filter(removed_at=None)))
    row.removed_at = clock.now()
    row.save(update_fields=["removed_at"])
    plan.removed("component", row.name, "what was seen of it stays")


def _end(probes: Sequence[Probe]) -> None:
    ids = [row.pk for row in probes]
    ingest.end_probes(ids, TAKEN_OUT)
    Probe.objects.filter(pk__in=ids).update(removed_at=clock.now(), lease_until=None)
