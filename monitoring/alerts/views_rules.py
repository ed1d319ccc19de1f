"""What we evaluate ourselves: rules with their instances, and heartbeats."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fleetledger.fleet.access import teams_visible_to
from fleetledger.web.downloads import csv_response, wants_csv
from fleetledger.web.tables import Column, build_table
from monitoring.alerts import clock, reads_rules
from monitoring.alerts.reads_rules import RuleRow

RULE_HEADER = (
    "id", "team", "name", "kind", "source", "expr", "fact", "for_s", "interval_s", "state", "pending", "firing",
    "evaluated_at", "duration_s", "last_error",
)  # fmt: skip
BEAT_HEADER = ("id", "team", "name", "state", "interval_s", "grace_s", "last_at", "due_at")
STATES = ("failing", "firing", "pending", "waiting", "inactive", "disabled")
COLUMNS: tuple[Column[RuleRow], ...] = (
    Column("name", "Rule", lambda rule: rule.name.casefold()),
    Column("state", "State", lambda rule: STATES.index(rule.state)),
    Column("firing", "Firing", lambda rule: rule.firing, align="right", first_descending=True),
    Column("pending", "Pending", lambda rule: rule.pending, align="right", first_descending=True),
    Column("evaluated", "Evaluated", lambda rule: rule.evaluated_at, first_descending=True),
    Column("took", "Took", lambda rule: rule.duration_s, align="right", first_descending=True),
)


@require_safe
def rules(request: HttpRequest) -> HttpResponseBase:
    """Rules, what they see now, and heartbeats with when they were last called."""
    teams = teams_visible_to(request.user)
    at = clock.now()
    download = request.GET.get("table", "") if wants_csv(request) else None
    beats = reads_rules.heartbeats(teams=teams, at=at)
    if download == "heartbeats":
        return csv_response("heartbeats", BEAT_HEADER, ([getattr(row, name) for name in BEAT_HEADER] for row in beats))
    state = request.GET.get("state", "")
    found = reads_rules.rules(teams=teams)
    kept = [rule for rule in found if state not in STATES or _is(rule, state)]
    table = build_table(kept, COLUMNS, request.GET, text=_text, default_sort="state", everything=download is not None)
    if download is not None:
        return csv_response("alert-rules", RULE_HEADER, map(_cells, table.rows))
    context = {
        "table": table,
        "state": state if state in STATES else "",
        "states": [(name, sum(_is(rule, name) for rule in found)) for name in STATES],
        "total": len(found),
        "instances": reads_rules.instances(teams=teams, pending_only=state == "pending"),
        "heartbeats": beats,
        "now": at,
    }
    return render(request, "alerts/rules.html", context)


def _is(rule: RuleRow, state: str) -> bool:
    """A rule may fire for one and be pending for another."""
    if state == "pending":
        return rule.pending > 0
    return rule.firing > 0 if state == "firing" else rule.state == state


def _text(rule: RuleRow) -> str:
    return f"{rule.name} {rule.expr} {rule.fact} {rule.source or ''}"


def _cells(rule: RuleRow) -> list[Any]:
    return [getattr(rule, name) for name in RULE_HEADER]
