"""The pages about hooks: what waits for a person, what was done, and each run with its history."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from fleetledger.fleet.access import teams_visible_to
from fleetledger.lib.keyset import Cut
from fleetledger.lib.numbers import whole
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.downloads import csv_response, wants_csv
from monitoring.alerts.channels.webhook import SIGNATURE
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.tenants import may_act, of_team
from monitoring.availability.healing import deciding, reads
from monitoring.availability.healing.errors import NoSuchRunError
from monitoring.availability.models import HealingRun

PAGE_SIZE = 25
MOST_CSV = 10_000
CSV_HEADER = (
    "id", "hook", "team", "state", "is_dry_run", "about", "proposed_at", "decided_at", "decided_by", "sent_at",
    "told_at", "ended_at", "held_for", "result",
)  # fmt: skip
REFUSAL = "You may look at this run but not decide it. Ask a lead of the team, or an SRE."
EXAMPLE = """\
healing:
  - name: restart-exporter
    component: dcgm-exporter
    after: 2m
    webhook: {url: "https://automation.example.org/restart"}
    secret: {env: HEALING_SECRET}
    approval: one
    most_per_hour: 3
    dry_run: true
"""


@require_safe
def healing(request: HttpRequest) -> HttpResponseBase:
    """Hooks, what waits for approval, and the latest runs."""
    teams = teams_visible_to(person_of(request))
    if wants_csv(request):
        rows = reads.runs(Cut(MOST_CSV), None, teams=teams)
        return csv_response("healing", CSV_HEADER, ([getattr(row, name) for name in CSV_HEADER] for row in rows))
    before = whole(request.GET.get("before", ""), 0)
    cut = Cut(PAGE_SIZE, (before,) if before else None)
    found = reads.runs(cut, before or None, teams=teams)
    context = {
        "hooks": reads.hooks(teams=teams),
        "waiting": reads.waiting(teams=teams),
        "rows": found[:PAGE_SIZE],
        "next_before": found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None,
        "is_first": not before,
        "example": EXAMPLE,
    }
    return render(request, "availability/healing.html", context)


@require_safe
def healing_run(request: HttpRequest, run_id: int) -> HttpResponse:
    row = _seen(request, run_id)
    found = reads.run(run_id, teams=teams_visible_to(request.user))
    context = {
        "run": found.row,
        "lines": found.lines,
        "evidence": [(name, _text(value)) for name, value in found.row.evidence.items() if value],
        "may_act": may_act(person_of(request), of_team(row.hook.team)),
    }
    return render(request, "availability/healing_run.html", context)


@require_POST
def healing_decide(request: HttpRequest, run_id: int, word: str) -> HttpResponse:
    """Approve or refuse."""
    if word not in ("approve", "refuse"):
        raise Http404("There is no such act.")
    row = _seen(request, run_id)
    person = person_of(request)
    if not may_act(person, of_team(row.hook.team)):
        raise PermissionDenied(REFUSAL)
    try:
        deciding.decide(row.pk, person, is_approved=word == "approve")
    except AlertsError as error:
        messages.error(request, str(error))
    else:
        said = "Approved. It is sent in a moment." if word == "approve" else "Refused. Nothing is sent."
        messages.success(request, said)
    return redirect("healing-run", run_id=row.pk)


@login_not_required
@csrf_exempt  # a program calls, and signs
@require_POST
def healing_callback(request: HttpRequest, key: UUID) -> HttpResponse:
    """The hook's receiver says what became of it."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > deciding.MAX_BODY:
        return JsonResponse({"detail": f"Send at most {deciding.MAX_BODY} bytes."}, status=413)
    try:
        run = deciding.call_back(key, request.body, request.headers.get(SIGNATURE, ""))
    except AlertsError as error:
        return JsonResponse({"detail": str(error)}, status=error.http_status)
    return JsonResponse({"run": str(run.key), "state": run.state})


def _seen(request: HttpRequest, run_id: int) -> HealingRun:
    try:
        return reads.stored_run(run_id, teams=teams_visible_to(request.user))
    except NoSuchRunError as error:
        raise Http404(str(error)) from error


def _text(value: Any) -> str:
    return (
        ", ".join(f"{name}={item}" for name, item in sorted(value.items())) if isinstance(value, dict) else str(value)
    )
