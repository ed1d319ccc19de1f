"""The section `healing` of the configuration file: hooks that are called when something breaks."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from fleetledger.fleet.config import register
from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.organisation import team_named
from fleetledger.fleet.config.plan import Plan
from fleetledger.fleet.config.shapes import DURATION, NAME, SECRET, TEAM, Shape, listed, optional, record
from fleetledger.lib.durations import duration_text, parse_duration
from monitoring.alerts import clock
from monitoring.alerts.config import receiver_checks
from monitoring.alerts.config.shapes import TLS, WEBHOOK
from monitoring.alerts.matchers import Matcher, MatcherError, Op, parse, to_text
from monitoring.alerts.models import Destination
from monitoring.availability.models import Component, HealingHook, State

SECTION = "healing"
LABEL_NAME = r"^[a-zA-Z_][a-zA-Z0-9_]*$"
STATES = (State.DOWN.value, State.DEGRADED.value, State.UNKNOWN.value)
VALUE: Shape = {"type": "string", "maxLength": 300, "pattern": r"^[^\x00]*$"}
HEALING = listed(
    record(
        {
            "name": NAME,
            "team": optional(TEAM),
            "component": {"type": "string", "pattern": r"^[A-Za-z0-9_-]{1,100}$"},
            "states": listed({"enum": list(STATES)}, minItems=1, uniqueItems=True),
            "match": {"type": "object", "propertyNames": {"pattern": LABEL_NAME}, "additionalProperties": VALUE},
            "matchers": listed(VALUE | {"maxLength": 1000}, maxItems=50),
            "after": DURATION,
            "webhook": record(
                {name: shape for name, shape in WEBHOOK.items() if name in ("url", "headers")} | TLS, "url"
            ),
            "secret": SECRET,
            "approval": {"enum": ["one", "none"], "description": "one: a person approves each run."},
            "approve_within": DURATION,
            "answer_within": DURATION,
            "most_per_hour": {"type": "integer", "minimum": 1, "maximum": 1000},
            "dry_run": {"type": "boolean", "description": "Each run is written down, none is sent."},
        },
        "name",
        "webhook",
        "secret",
    )
)
Items = Sequence[dict[str, Any]]


def apply(items: Items, plan: Plan) -> None:
    """Bring the hooks to the file; their runs stay, and what waits of a removed one runs out."""
    wanted = _wanted(items, plan)
    if plan.issues:
        return
    stored = {row.name: row for row in HealingHook.objects.select_related("team", "component")}
    for name, values in wanted.items():
        _bring(stored.get(name), name, values, plan)
    for name, row in stored.items():
        if name not in wanted and row.removed_at is None:
            row.removed_at = clock.now()
            row.save(update_fields=["removed_at"])
            Destination.objects.filter(outside=f"healing:{row.pk}").update(removed_at=row.removed_at)
            plan.removed("healing hook", name)


def export() -> list[dict[str, Any]]:
    rows = HealingHook.objects.filter(removed_at=None).select_related("team", "component").order_by("name")
    return [_document(row) for row in rows]


def _wanted(items: Items, plan: Plan) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for index, item in enumerate(items):
        path: Path = (SECTION, index)
        if item["name"] in found:
            plan.refuse((*path, "name"), f"The hook '{item['name']}' stands twice. Give one another name.")
        team = team_named(item["team"], (*path, "team"), plan) if item.get("team") else None
        matchers = _matchers(item, path, plan)
        if bool(matchers) == ("component" in item):
            plan.refuse(path, "A hook is for one 'component', or for the alerts that 'match': name one of the two.")
        for where, sentence in receiver_checks.of_entry("webhook", item["webhook"], (*path, "webhook")):
            plan.refuse(where, sentence)
        found[item["name"]] = {
            "team": team,
            "component": _component(item, team.pk if team else None, path, plan),
            "states": item.get("states", [State.DOWN.value]) if "component" in item else [],
            "matchers": matchers,
            "after_s": _seconds(item, "after", "0s"),
            "webhook": item["webhook"],
            "secret": item["secret"],
            "needs_approval": item.get("approval", "one") == "one",
            "approve_within_s": _seconds(item, "approve_within", "30m"),
            "answer_within_s": _seconds(item, "answer_within", "15m"),
            "most_per_hour": item.get("most_per_hour", 3),
            "is_dry_run": item.get("dry_run", False),
        }
    return found


def _component(item: dict[str, Any], team_id: int | None, path: Path, plan: Plan) -> Component | None:
    """Of the hook's own tenant: nobody has another's services called."""
    name = item.get("component")
    if name is None:
        return None
    row = Component.objects.filter(name=name, removed_at=None).first()
    if row is None or row.team_id != team_id:
        plan.refuse((*path, "component"), f"No component of this team is called '{name}'. Name it under 'components'.")
        return None
    return row


def _matchers(item: dict[str, Any], path: Path, plan: Plan) -> list[str]:
    found = [Matcher(name, Op.EQUAL, value) for name, value in item.get("match", {}).items()]
    for number, text in enumerate(item.get("matchers", [])):
        try:
            found.append(parse(text))
        except MatcherError as error:
            plan.refuse((*path, "matchers", number), str(error))
    return sorted(map(to_text, found))


def _seconds(item: dict[str, Any], name: str, default: str) -> int:
    return int(parse_duration(item.get(name, default), may_be_zero=True).total_seconds())


def _bring(row: HealingHook | None, name: str, values: dict[str, Any], plan: Plan) -> None:
    if row is None:
        HealingHook.objects.create(name=name, created_at=clock.now(), **values)
        what = values["component"].name if values["component"] else ", ".join(values["matchers"])
        plan.added("healing hook", name, what)
        return
    changed = [key for key, value in values.items() if getattr(row, key) != value]
    if not changed and row.removed_at is None:
        return
    for key, value in values.items():
        setattr(row, key, value)
    row.removed_at = None
    row.save()
    said = ", ".join(key.removesuffix("_s").removeprefix("is_").replace("_", " ") for key in changed)
    plan.changed("healing hook", name, said or "again")


def _document(row: HealingHook) -> dict[str, Any]:
    matchers = [parse(text) for text in row.matchers]
    item: dict[str, Any] = {"name": row.name}
    if row.team:
        item["team"] = row.team.slug
    if row.component:
        item |= {"component": row.component.name, "states": row.states}
    if equal := {one.name: one.value for one in matchers if one.op is Op.EQUAL}:
        item["match"] = equal
    if others := [to_text(one) for one in matchers if one.op is not Op.EQUAL]:
        item["matchers"] = others
    if row.after_s:
        item["after"] = _duration(row.after_s)
    return item | {
        "webhook": row.webhook,
        "secret": row.secret,
        "approval": "one" if row.needs_approval else "none",
        "approve_within": _duration(row.approve_within_s),
        "answer_within": _duration(row.answer_within_s),
        "most_per_hour": row.most_per_hour,
        "dry_run": row.is_dry_run,
    }


def _duration(seconds: int) -> str:
    return duration_text(timedelta(seconds=seconds))


register(SECTION, HEALING, apply, export)
