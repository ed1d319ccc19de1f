"""Applies `schedules`: each that the file names is what the file says; others stay."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fleetledger.fleet.config import notes
from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.organisation import team_named
from fleetledger.fleet.config.plan import Plan, shown
from monitoring.alerts import clock
from monitoring.alerts.config import schedule_checks
from monitoring.alerts.config.schedule_checks import Known
from monitoring.alerts.models import Schedule
from monitoring.alerts.oncall import feeds

Items = Sequence[dict[str, Any]]
SECTION = "schedules"
_MAX_SHOWN = 200


def apply(items: Items, plan: Plan) -> None:
    """Bring the named schedules to the file; overrides and swaps in them stay."""
    stored = {row.name: row for row in Schedule.objects.select_related("team")}
    wanted = _wanted(items, plan)
    if plan.issues:
        return
    for name, values in wanted.items():
        _bring(stored.get(name), name, values, plan)
    live = {name for name, row in stored.items() if row.removed_at is None}
    notes.kept(plan, SECTION, live - wanted.keys())


def _wanted(items: Items, plan: Plan) -> dict[str, dict[str, Any]]:
    known = Known.read() if items else Known(frozenset(), frozenset())
    found: dict[str, dict[str, Any]] = {}
    for index, item in enumerate(items):
        path: Path = (SECTION, index)
        name = item["name"]
        if name in found:
            plan.refuse((*path, "name"), f"The schedule '{name}' stands twice. Give one another name.")
        team = team_named(item["team"], (*path, "team"), plan) if item.get("team") else None
        for where, sentence in schedule_checks.of_schedule(item, team.pk if team else None, path, known):
            plan.refuse(where, sentence)
        found[name] = {
            "team": team,
            "description": item.get("description") or "",
            "time_zone": item["time_zone"],
            "fallback": item.get("fallback") or {},
            "layers": item["layers"],
        }
    return found


def _bring(row: Schedule | None, name: str, values: dict[str, Any], plan: Plan) -> None:
    now = clock.now()
    if row is None:
        made = Schedule.objects.create(name=name, created_at=now, changed_at=now, **values)
        feeds.keep(made)
        plan.added("schedule", name, ", ".join(_given(values)))
        return
    before = {key: getattr(row, key) for key in values}
    if before == values and row.removed_at is None:
        return
    was_removed = row.removed_at is not None
    for key, value in values.items():
        setattr(row, key, value)
    row.changed_at, row.removed_at = now, None
    row.save()
    feeds.keep(row)
    if was_removed:
        plan.added("schedule", name, f"again, {', '.join(_given(values))}")
    else:
        plan.changed("schedule", name, ", ".join(_changes(before, values)) or "layers in another order")


def _given(values: Mapping[str, Any]) -> Iterator[str]:
    for key, value in values.items():
        if value and key != "layers":
            yield f"{key} {_text(value)}"
    yield f"layers {', '.join(layer['name'] for layer in values['layers']) or 'none'}"


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for key, value in after.items():
        if key != "layers" and before[key] != value:
            yield f"{key} {_text(before[key])} -> {_text(value)}"
    old = {layer["name"]: layer for layer in before["layers"]}
    new = {layer["name"]: layer for layer in after["layers"]}
    yield from (f"layer {name} added" for name in new if name not in old)
    yield from (f"layer {name} removed" for name in old if name not in new)
    for name, layer in new.items():
        if name in old:
            yield from _layer_changes(name, old[name], layer)


def _layer_changes(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys([*new, *old]):
        if old.get(key) != new.get(key):
            yield f"layer {name} {key} {_text(old.get(key))} -> {_text(new.get(key))}"


def _text(value: Any) -> str:
    """Lists and mappings as the file has them, no longer than a line."""
    slug = getattr(value, "slug", None)
    said = str(slug) if slug else _written(value)
    return said if len(said) <= _MAX_SHOWN else said[:_MAX_SHOWN] + "…"


def _written(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, dict) and value:
        return "{" + ", ".join(f"{key}: {_written(item)}" for key, item in value.items()) + "}"
    return shown(value)
