"""Applies and exports `rules`: those of the file take the place of those before; heartbeats that it leaves out stay."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleetledger.fleet.config import notes
from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.organisation import team_named
from fleetledger.fleet.config.plan import Plan, save
from monitoring.alerts import clock
from monitoring.alerts.config import rule_entries
from monitoring.alerts.config.rule_entries import Key, Wanted
from monitoring.alerts.models import Heartbeat, Rule
from monitoring.alerts.rules import defaults, heartbeats, retire

Items = Sequence[dict[str, Any]]
SECTION = "rules"


@dataclass(frozen=True, slots=True)
class _Entries:
    """What the file wants, by tenant and name."""

    rules: dict[Key, Wanted]
    heartbeats: dict[Key, Wanted]


def apply_rules(items: Items, plan: Plan) -> None:
    """Bring rules and heartbeats to what the file says."""
    entries = _read(items, plan)
    if plan.issues:
        return
    stored = {(row.team_id, row.name): row for row in Rule.objects.select_related("source", "team")}
    for key, wanted in entries.rules.items():
        _apply_rule(wanted, stored.get(key), plan)
    for key, row in stored.items():
        if key not in entries.rules and not _is_default(row):
            plan.removed("rule", _shown(row.name, row.team.slug if row.team else ""))
            retire.remove(row)
    _apply_heartbeats(entries.heartbeats, plan)


def _read(items: Items, plan: Plan) -> _Entries:
    found = _Entries({}, {})
    for index, item in enumerate(items):
        path: Path = (SECTION, index)
        team = team_named(item["team"], (*path, "team"), plan) if item.get("team") else None
        for wanted in rule_entries.read(item, team, path, plan):
            known = found.heartbeats if wanted.is_heartbeat else found.rules
            if wanted.key in known:
                plan.refuse((*path, "name"), f"The rule '{wanted.name}' stands twice. Give one another name.")
            known[wanted.key] = wanted
    return found


def _apply_rule(wanted: Wanted, row: Rule | None, plan: Plan) -> None:
    before = len(plan.changes)
    was_enabled = row is not None and row.is_enabled
    now = clock.now()
    rule = row or Rule(team=wanted.team, name=wanted.name, due_at=now)
    save(plan, "rule", _shown(wanted.name, wanted.team_slug), rule, wanted.values)
    if row is None or len(plan.changes) == before:
        return
    Rule.objects.filter(pk=rule.pk).update(due_at=now, lease_until=None)
    if was_enabled and not rule.is_enabled:
        retire.retire(rule)


def _apply_heartbeats(wanted: Mapping[Key, Wanted], plan: Plan) -> None:
    stored = {(row.team_id, row.name): row for row in Heartbeat.objects.all()}
    for key, one in wanted.items():
        row = stored.get(key) or Heartbeat(team=one.team, name=one.name, created_at=clock.now())
        save(plan, "heartbeat", _shown(one.name, one.team_slug), row, one.values)
    if wanted:
        heartbeats.hurry()
    notes.kept(plan, "heartbeats", [name for team_id, name in stored.keys() - wanted.keys()])


def _is_default(row: Rule) -> bool:
    return row.is_ours and row.team_id is None and row.name in {default.name for default in defaults.DEFAULTS}


def _shown(name: str, team: str) -> str:
    return f"{team}/{name}" if team else name
