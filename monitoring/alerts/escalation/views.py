"""The pages about escalations: the ladders, what escalates now, and what did."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from fleetledger.fleet.access import teams_visible_to
from fleetledger.lib.buckets import Window
from fleetledger.lib.keyset import Cut
from fleetledger.lib.numbers import whole
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.downloads import csv_response, wants_csv
from monitoring.alerts import clock, tenants
from monitoring.alerts.acting import acts_for
from monitoring.alerts.errors import AlertsError, NotFoundError
from monitoring.alerts.escalation import reads, reads_runs, removal
from monitoring.alerts.escalation.reads_runs import RunFilter

PAGE_SIZE, RUNNING_SHOWN, CSV_MOST = 25, 50, 10_000
LATELY = timedelta(days=14)
RUNS_HEADER = (
    "id", "escalation", "team", "title", "alerts", "state", "step", "steps", "round", "pages", "started_at",
    "changed_at", "sentence",
)  # fmt: skip
STEPS_HEADER = ("round", "step", "at", "words", "passed_over", "person", "why", "channel", "state", "finished_at")
EXAMPLE = """\
escalations:
  - name: primary
    repeat: 1
    steps:
      - {schedule: primary}
      - {wait: 5m}
      - {person: mira}
"""


@require_safe
def escalations(request: HttpRequest) -> HttpResponseBase:
    """Every escalation as a ladder, what runs now, and what ran in the last days."""
    person = person_of(request)
    teams = teams_visible_to(person)
    now = clock.now()
    over = RunFilter(is_over=True, window=Window(now - LATELY, now))
    if wants_csv(request):
        found = reads_runs.runs(over, Cut(CSV_MOST), None, teams=teams, at=now)[:CSV_MOST]
        return csv_response(
            "escalation-runs", RUNS_HEADER, ([getattr(one, name) for name in RUNS_HEADER] for one in found)
        )
    before = whole(request.GET.get("before", ""), 0) or None
    past = reads_runs.runs(over, Cut(PAGE_SIZE), before, teams=teams, at=now)
    below = whole(request.GET.get("running", ""), 0) or None
    running = reads_runs.runs(RunFilter(is_over=False), Cut(RUNNING_SHOWN), below, teams=teams, at=now)
    acts = {tenant.slug for tenant in acts_for(person, (tenants.PLATFORM, *tenants.visible_to(person)))}
    ladders = reads.escalations(teams=teams, at=now)
    context = {
        "ladders": ladders,
        "removable": {one.name for one in ladders if (one.team or tenants.PLATFORM_SLUG) in acts},
        "running": running[:RUNNING_SHOWN],
        "next_running": running[RUNNING_SHOWN - 1].id if len(running) > RUNNING_SHOWN else None,
        "is_first_running": below is None,
        "past": past[:PAGE_SIZE],
        "next_before": past[PAGE_SIZE - 1].id if len(past) > PAGE_SIZE else None,
        "is_first": before is None,
        "days": LATELY.days,
        "example": EXAMPLE,
    }
    return render(request, "alerts/escalations.html", context)


@require_POST
def remove(request: HttpRequest, name: str) -> HttpResponseBase:
    person = person_of(request)
    try:
        removal.remove(name, person, teams=teams_visible_to(person))
    except NotFoundError as error:
        raise Http404(str(error)) from error
    except AlertsError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"The escalation {name} is removed. Apply it again to bring it back.")
    return redirect("escalations")


@require_safe
def run(request: HttpRequest, run_id: int) -> HttpResponseBase:
    """What one run did, whom it paged by which ways, and what is to come."""
    detail = reads_runs.run(run_id, teams=teams_visible_to(person_of(request)), at=clock.now())
    if detail is None:
        raise Http404("There is no such run among those you may see.")
    if wants_csv(request):
        return csv_response(f"escalation-run-{run_id}", STEPS_HEADER, _lines(detail))
    return render(request, "alerts/escalation_run.html", {"detail": detail, "run": detail.row})


def _lines(detail: reads_runs.RunDetail) -> Iterator[list[Any]]:
    """One for each way of each page; one for a step that paged nobody."""
    for step in detail.done:
        head = [step.round + 1, step.step + 1, step.at, step.words, step.is_passed_over]
        for page in step.pages:
            for way in page.ways:
                yield [*head, page.name, page.why, way.channel, way.state, way.finished_at]
            if not page.ways:
                yield [*head, page.name, page.why, "", page.problem, None]
        if not step.pages:
            yield [*head, "", "", "", "", None]
