"""Reads one entry of `slos` into the row that it stands for, and says what is wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from fleetledger.fleet.config.issues import Path
from fleetledger.fleet.config.organisation import team_named
from fleetledger.fleet.config.plan import Plan
from fleetledger.fleet.models import Source, SourceKind, Team
from monitoring.alerts.labels import is_name
from monitoring.availability.config.durations import whole_seconds
from monitoring.availability.models import Component
from monitoring.availability.slo import expressions
from monitoring.availability.slo.alerts import OURS
from monitoring.availability.slo.burn import DAY_S, REFERENCE_DAYS, Guard, Unit
from monitoring.availability.slo.errors import ExpressionError

Entry = Mapping[str, Any]
INTERVAL_S, SHORTEST_S, LONGEST_S = 60, 15, 3600
FEWEST_DAYS, MOST_DAYS = 7, 90
OF_EVENTS = ("source", "good", "bad", "total", "scrape_interval")
PLACES = 6
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Wanted:
    """A row as the file wants it."""

    name: str
    values: dict[str, Any]


def read(item: Entry, path: Path, plan: Plan) -> Wanted:
    """Mistakes are noted in the plan, and what is read then is not to be used."""
    component = _component(item, path, plan)
    kind = Unit(item["kind"]) if "kind" in item else Unit.EVENTS if "total" in item else _kind(item)
    guard = item.get("guard", {})
    values = {
        "title": item.get("title") or item["name"],
        "description": item.get("description") or "",
        "component": component,
        "team": _team(item, component, path, plan),
        "objective": _objective(item, path, plan),
        "period_days": _days(item, path, plan),
        "kind": kind,
        "min_events": guard.get("min_events", Guard().min_events),
        "min_errors": guard.get("min_errors", Guard().min_errors),
        "interval_s": _interval(item, path, plan),
        "is_alerting": item.get("alerting", True),
        "labels": _texts(item, "labels", path, plan),
        "annotations": _texts(item, "annotations", path, plan),
    }
    counted = _events(item, path, plan) if kind is Unit.EVENTS else _time(item, component, path, plan)
    return Wanted(item["name"], values | counted)


def _kind(item: Entry) -> Unit:
    return Unit.EVENTS if any(key in item for key in OF_EVENTS) or not item.get("component") else Unit.TIME


def _events(item: Entry, path: Path, plan: Plan) -> dict[str, Any]:
    given = [key for key in ("good", "bad") if key in item]
    if len(given) != 1 or "total" not in item:
        plan.refuse(path, "Events are counted by 'total' and one of 'good' and 'bad'. Give both, or 'kind: time'.")
        return {}
    source = _source(item, path, plan)
    return {
        "source": source,
        "expr": _amount(item, given[0], path, plan),
        "counts_bad": given == ["bad"],
        "total": _amount(item, "total", path, plan),
        "scrape_interval_s": whole_seconds(item, "scrape_interval", path, plan, 0) or None,
    }


def _time(item: Entry, component: Component | None, path: Path, plan: Plan) -> dict[str, Any]:
    for key in OF_EVENTS:
        if key in item:
            plan.refuse((*path, key), f"'{key}' has no meaning where time is counted. Take it out.")
    if component is None and not item.get("component"):
        plan.refuse(path, "'component' is missing: time is counted by what its probes see.")
    return {"source": None, "expr": "", "counts_bad": False, "total": "", "scrape_interval_s": None}


def _amount(item: Entry, key: str, path: Path, plan: Plan) -> str:
    try:
        return expressions.parse(item[key]).text
    except ExpressionError as error:
        plan.refuse((*path, key), str(error))
        return ""


def _source(item: Entry, path: Path, plan: Plan) -> Source | None:
    """The one that is named, else the only one there is."""
    rows = list(Source.objects.filter(kind=SourceKind.PROMETHEUS).order_by("name"))
    known = f"Known: {', '.join(row.name for row in rows[:SHOWN])}." if rows else "Add one under 'sources'."
    if "source" in item:
        named = next((row for row in rows if row.name == item["source"]), None)
        if named is None:
            plan.refuse((*path, "source"), f"No source of kind prometheus is called '{item['source']}'. {known}")
        return named
    if len(rows) != 1:
        plan.refuse(path, f"'source' is missing: name the Prometheus that counts. {known}")
        return None
    return rows[0]


def _component(item: Entry, path: Path, plan: Plan) -> Component | None:
    name = item.get("component")
    if not name:
        return None
    row = Component.objects.filter(name=name, removed_at=None).select_related("team").first()
    if row is None:
        names = Component.objects.filter(removed_at=None).order_by("name").values_list("name", flat=True)[:SHOWN]
        known = f"Known: {', '.join(names)}." if names else "Add it under 'components'."
        plan.refuse((*path, "component"), f"No component is called '{name}'. {known}")
    return row


def _team(item: Entry, component: Component | None, path: Path, plan: Plan) -> Team | None:
    if "team" not in item:
        return component.team if component is not None else None
    return team_named(item["team"], (*path, "team"), plan) if item["team"] else None


def _objective(item: Entry, path: Path, plan: Plan) -> Decimal:
    found = Decimal(str(item["objective"]))
    if round(found, PLACES) != found or not 0 < round(found, PLACES) < 100:  # noqa: PLR2004 percent
        plan.refuse((*path, "objective"), f"Write it in percent, with at most {PLACES} decimals, such as 99.95.")
    return found


def _days(item: Entry, path: Path, plan: Plan) -> int:
    seconds = whole_seconds(item, "window", path, plan, REFERENCE_DAYS * DAY_S)
    days, rest = divmod(seconds, DAY_S)
    if rest or not FEWEST_DAYS <= days <= MOST_DAYS:
        plan.refuse((*path, "window"), f"A window lasts whole days, from {FEWEST_DAYS}d to {MOST_DAYS}d. Usual is 30d.")
    return days


def _interval(item: Entry, path: Path, plan: Plan) -> int:
    seconds = whole_seconds(item, "interval", path, plan, INTERVAL_S)
    if not SHORTEST_S <= seconds <= LONGEST_S:
        plan.refuse((*path, "interval"), f"It is evaluated every {SHORTEST_S}s to every 1h. Usual is 1m.")
    return seconds


def _texts(item: Entry, key: str, path: Path, plan: Plan) -> dict[str, str]:
    found = dict(item.get(key, {}))
    for name in found:
        if not is_name(name) or (key == "labels" and name in OURS):
            said = f"'{name}' names no {key.removesuffix('s')} that an objective can give. Take another name."
            plan.refuse((*path, key, name), said)
    return found
