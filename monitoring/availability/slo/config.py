"""Applies and exports `slos`: those of the file replace those before; what was counted of removed ones stays."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from fleetledger.fleet.config import register
from fleetledger.fleet.config.plan import Plan, save
from fleetledger.lib.durations import duration_text
from monitoring.alerts import clock
from monitoring.availability.models import Slo, SloState
from monitoring.availability.slo import alerts, entries, points, verdicts
from monitoring.availability.slo.burn import Guard, Unit, can_fire, pairs, span_text
from monitoring.availability.slo.counting import terms
from monitoring.availability.slo.entries import INTERVAL_S, Wanted
from monitoring.availability.slo.shapes import SLOS

SECTION = "slos"
MOST = 5_000
COUNTING = ("kind", "expr", "counts_bad", "total")
"""If one of these changes, something else is counted. Another source is the same elsewhere."""


def apply(items: Sequence[dict[str, Any]], plan: Plan) -> None:
    """Bring objectives to what the file says."""
    wanted = _read(items, plan)
    if plan.issues:
        return
    stored = {row.name: row for row in Slo.objects.select_related("component", "team", "source")}
    for name, one in wanted.items():
        _bring(stored.get(name), one, plan)
    for name, row in stored.items():
        if name not in wanted and row.removed_at is None:
            _remove(row, plan)


def export() -> list[dict[str, Any]]:
    """What applies again as no change."""
    rows = Slo.objects.filter(removed_at=None).select_related("component", "team", "source").order_by("name")
    return [document(row) for row in rows]


def document(row: Slo) -> dict[str, Any]:
    """An entry of `slos`."""
    item: dict[str, Any] = {"name": row.name, "title": row.title}
    item |= {"description": row.description} if row.description else {}
    item |= {"team": row.team.slug if row.team else None} if row.team or row.component else {}
    item |= {"component": row.component.name} if row.component else {}
    item |= {"objective": _number(row.objective), "window": f"{row.period_days}d", "kind": row.kind}
    if row.kind == Unit.EVENTS:
        item["source"] = row.source.name if row.source else ""
        item |= {"bad" if row.counts_bad else "good": row.expr, "total": row.total}
        item |= {"scrape_interval": _text(row.scrape_interval_s)} if row.scrape_interval_s else {}
    item |= {"interval": _text(row.interval_s)} if row.interval_s != INTERVAL_S else {}
    item |= {"guard": guard} if (guard := _guard(row)) else {}
    item |= {} if row.is_alerting else {"alerting": False}
    return item | {key: getattr(row, key) for key in ("labels", "annotations") if getattr(row, key)}


def _read(items: Sequence[dict[str, Any]], plan: Plan) -> dict[str, Wanted]:
    found: dict[str, Wanted] = {}
    if len(items) > MOST:
        plan.refuse((SECTION,), f"There are more than {MOST:,} objectives. Leave some out.")
        return found
    for index, item in enumerate(items):
        one = entries.read(item, (SECTION, index), plan)
        if one.name in found:
            plan.refuse((SECTION, index, "name"), f"The objective '{one.name}' stands twice. Give one another name.")
        found[one.name] = one
    return found


def _bring(row: Slo | None, one: Wanted, plan: Plan) -> None:
    now = clock.now()
    before, changes = _before(row), len(plan.changes)
    slo = row or Slo(name=one.name, created_at=now)
    if slo.removed_at is not None:
        slo.removed_at = None
        slo.save(update_fields=["removed_at"])
        plan.added("slo", one.name, "with its past")
    if row is not None and row.team != one.values["team"]:
        alerts.end(row)
    save(plan, "slo", one.name, slo, one.values)
    if row is None:
        SloState.objects.create(slo=slo, due_at=now)
    elif len(plan.changes) > changes:
        _changed(slo, before)
    _note_what_cannot_fire(slo, plan)


def _before(row: Slo | None) -> Mapping[str, Any]:
    return {} if row is None else {name: getattr(row, name) for name in (*COUNTING, "component_id")}


def _changed(slo: Slo, before: Mapping[str, Any]) -> None:
    """It is due at once; whoever evaluates it as it was writes nothing."""
    SloState.objects.filter(slo=slo).update(due_at=clock.now(), lease_until=None)
    is_other = any(getattr(slo, name) != before[name] for name in COUNTING)
    if is_other or (slo.kind == Unit.TIME and slo.component_id != before["component_id"]):
        points.start_anew(slo, clock.now())
        verdicts.clear(slo, clock.now())
        alerts.end(slo)
    if not slo.is_alerting:
        alerts.end(slo)


def _remove(row: Slo, plan: Plan) -> None:
    now = clock.now()
    row.removed_at = now
    row.save(update_fields=["removed_at"])
    SloState.objects.filter(slo=row).update(lease_until=None)
    verdicts.clear(row, now)
    alerts.end(row)
    plan.removed("slo", row.name, "what was counted of it stays")


def _note_what_cannot_fire(slo: Slo, plan: Plan) -> None:
    promised = terms(slo)
    never = [span_text(pair.long_s) for pair in pairs(slo.period_days) if not can_fire(pair, promised)]
    if never and slo.is_alerting:
        plan.note(f"'{slo.name}' allows so much to fail that nothing can exceed it over {', '.join(never)}.")


def _guard(row: Slo) -> dict[str, int]:
    usual = Guard()
    return {key: getattr(row, key) for key in ("min_events", "min_errors") if getattr(row, key) != getattr(usual, key)}


def _number(value: Decimal) -> float | int:
    exact = value.normalize()
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def _text(seconds: float) -> str:
    return duration_text(timedelta(seconds=seconds))


register(SECTION, SLOS, apply, export)
