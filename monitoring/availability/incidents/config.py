"""The section `incidents` of the configuration file: which alerts open an incident. Those not named are removed."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from fleetledger.fleet.config import register
from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.organisation import team_named
from fleetledger.fleet.config.plan import Plan
from fleetledger.fleet.config.shapes import DURATION, NAME, TEAM, Shape, listed, optional, record
from fleetledger.lib.durations import duration_text, parse_duration
from monitoring.alerts import clock
from monitoring.alerts.matchers import Matcher, MatcherError, Op, parse, to_text
from monitoring.availability.models import IncidentRule, Severity

SECTION = "incidents"
LABEL_NAME = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
VALUE: Shape = {"type": "string", "maxLength": 300, "pattern": r"^[^\x00]*$"}
INCIDENTS = listed(
    record(
        {
            "name": NAME,
            "team": optional(TEAM),
            "match": {
                "type": "object",
                "propertyNames": {"pattern": LABEL_NAME},
                "additionalProperties": VALUE,
                "description": "Labels with the values that they must have.",
            },
            "matchers": listed(
                {
                    "type": "string",
                    "maxLength": 1000,
                    "pattern": r"^[^\x00]*$",
                    "description": 'As Alertmanager writes them: node=~"gpu-.*".',
                },
                maxItems=50,
            ),
            "group_by": listed({"type": "string", "pattern": LABEL_NAME}, uniqueItems=True, maxItems=20),
            "severity": {"enum": list(Severity.values)},
            "resolve_after": optional(DURATION),
            "public": {"type": "boolean"},
        },
        "name",
    )
)
Items = Sequence[dict[str, Any]]


def apply(items: Items, plan: Plan) -> None:
    """Bring the rules to the file; incidents that they opened stay."""
    wanted = _wanted(items, plan)
    if plan.issues:
        return
    stored = {row.name: row for row in IncidentRule.objects.select_related("team")}
    for name, values in wanted.items():
        _bring(stored.get(name), name, values, plan)
    for name, row in stored.items():
        if name not in wanted and row.removed_at is None:
            row.removed_at = clock.now()
            row.save(update_fields=["removed_at"])
            plan.removed("incident rule", name)


def export() -> list[dict[str, Any]]:
    rows = IncidentRule.objects.filter(removed_at=None).select_related("team").order_by("position", "name")
    return [_document(row) for row in rows]


def _wanted(items: Items, plan: Plan) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for index, item in enumerate(items):
        path: Path = (SECTION, index)
        if item["name"] in found:
            plan.refuse((*path, "name"), f"The rule '{item['name']}' stands twice. Give one another name.")
        matchers = _matchers(item, path, plan)
        if not matchers:
            plan.refuse(path, "This rule would open an incident for every alert. Name labels under 'match'.")
        after = item.get("resolve_after")
        found[item["name"]] = {
            "team": team_named(item["team"], (*path, "team"), plan) if item.get("team") else None,
            "matchers": matchers,
            "group_by": item.get("group_by", ["alertname"]),
            "severity": item.get("severity", Severity.SEV2.value),
            "resolve_after_s": int(parse_duration(after).total_seconds()) if after else None,
            "is_public": item.get("public", False),
            "position": index,
        }
    return found


def _matchers(item: dict[str, Any], path: Path, plan: Plan) -> list[str]:
    found = [Matcher(name, Op.EQUAL, value) for name, value in item.get("match", {}).items()]
    for number, text in enumerate(item.get("matchers", [])):
        try:
            found.append(parse(text))
        except MatcherError as error:
            plan.refuse((*path, "matchers", number), str(error))
    return sorted(map(to_text, found))


def _bring(row: IncidentRule | None, name: str, values: dict[str, Any], plan: Plan) -> None:
    if row is None:
        IncidentRule.objects.create(name=name, created_at=clock.now(), **values)
        plan.added("incident rule", name, ", ".join(values["matchers"]))
        return
    changed = [key for key, value in values.items() if getattr(row, key) != value]
    if not changed and row.removed_at is None:
        return
    for key, value in values.items():
        setattr(row, key, value)
    if row.removed_at is not None:
        row.removed_at, row.created_at = None, clock.now()
    row.save()
    plan.changed(
        "incident rule", name, ", ".join(key.removesuffix("_s").replace("_", " ") for key in changed) or "again"
    )


def _document(row: IncidentRule) -> dict[str, Any]:
    matchers = [parse(text) for text in row.matchers]
    item: dict[str, Any] = {"name": row.name}
    if row.team:
        item["team"] = row.team.slug
    if equal := {one.name: one.value for one in matchers if one.op is Op.EQUAL}:
        item["match"] = equal
    if others := [to_text(one) for one in matchers if one.op is not Op.EQUAL]:
        item["matchers"] = others
    item |= {"group_by": row.group_by, "severity": row.severity}
    if row.resolve_after_s:
        item["resolve_after"] = duration_text(timedelta(seconds=row.resolve_after_s))
    return item | ({"public": True} if row.is_public else {})


register(SECTION, INCIDENTS, apply, export)
