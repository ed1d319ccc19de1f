"""One alert: what is known of it, and what a person does about it."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from fleetledger.fleet.access import TeamScope, teams_visible_to
from fleetledger.fleet.models import User
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.charts import figure_response
from fleetledger.web.downloads import csv_response, wants_csv
from monitoring.alerts import acts, clock, figures, people, reads_alert, tenants
from monitoring.alerts.acting import actor, check_may_act
from monitoring.alerts.affected import affected
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.escalation import reads_runs
from monitoring.alerts.expression import NoGraphError, course, question_of
from monitoring.alerts.models import Alert
from monitoring.alerts.views import back_to, say_acknowledged

TIMELINE_HEADER = ("at", "kind", "words", "actor", "note")


@require_safe
def alert(request: HttpRequest, alert_id: int) -> HttpResponseBase:
    """Labels, graph, impact, history, who was told what, and what holds it back."""
    person = person_of(request)
    teams = teams_visible_to(person)
    at = clock.now()
    detail = reads_alert.alert(alert_id, teams=teams, at=at)
    if detail is None:
        raise Http404("There is no such alert among those you may see.")
    if wants_csv(request):
        lines = ([getattr(line, name) for name in TIMELINE_HEADER] for line in detail.timeline)
        return csv_response(f"alert-{alert_id}", TIMELINE_HEADER, lines)
    one = _stored(alert_id, teams)
    may_act = tenants.may_act(person, tenants.of_team(one.team))
    escalated = reads_runs.of_alert(alert_id, teams=teams, at=at)
    context = {
        "detail": detail,
        "alert": detail.row,
        "episode": detail.episodes[0] if detail.episodes else None,
        "affected": affected(detail.row.labels, detail.row.started_at, detail.row.ended_at or at, teams=teams),
        "may_act": may_act,
        "people": people.assignable(one.team_id) if may_act else (),
        "escalated": escalated,
        "paged": [page for run in escalated for page in run.pages],
        "now": at,
        **_asked(one, teams),
    }
    return render(request, "alerts/alert.html", context)


@require_safe
def expression_figure(request: HttpRequest, alert_id: int) -> HttpResponseBase:
    """The course of the alert's expression, or in words why there is none."""
    teams = teams_visible_to(request.user)
    one = _stored(alert_id, teams)
    try:
        found = course(question_of(one, teams=teams), one, clock.now(), teams=teams)
    except NoGraphError as error:
        return figure_response(request, figures.nothing(str(error)), f"alert-{alert_id}")
    return figure_response(request, figures.expression(found), f"alert-{alert_id}")


@require_POST
def act(request: HttpRequest, alert_id: int, action: str) -> HttpResponse:
    """Acknowledge, give back, assign, comment or resolve by hand; leads back to the alert."""
    person = person_of(request)
    one = _stored(alert_id, teams_visible_to(person))
    check_may_act(person, [one])
    comment = request.POST.get("comment", "").strip()
    try:
        _do(request, one, action, comment)
    except AlertsError as error:
        messages.error(request, str(error))
    return redirect(back_to(request)) if "next" in request.POST else redirect("alert", alert_id=alert_id)


def _do(request: HttpRequest, one: Alert, action: str, comment: str) -> None:
    me = actor(person_of(request))
    if action in ("acknowledge", "unacknowledge"):
        say_acknowledged(request, [one], action, comment)
    elif action == "assign":
        to = _chosen(request, one.team_id)
        acts.assign(one.pk, to, me, comment)
        messages.success(request, f"Assigned to {to.first_name or to.username}." if to else "Assigned to nobody.")
    elif action == "comment":
        acts.comment(one.pk, comment, me)
    elif action == "resolve":
        done = acts.resolve_by_hand([one.pk], me, comment)
        said = (
            "Resolved by hand. A sender that still says firing opens it again." if done else "It was resolved before."
        )
        messages.success(request, said)
    else:
        raise Http404("There is no such act.")


def _asked(one: Alert, teams: TeamScope) -> dict[str, Any]:
    """What the graph will ask, or why there is none: known before the page is sent."""
    try:
        return {"asked": question_of(one, teams=teams), "no_graph": ""}
    except NoGraphError as error:
        return {"asked": None, "no_graph": str(error)}


def _chosen(request: HttpRequest, team_id: int | None) -> User | None:
    """The person of the form; nobody for an empty choice."""
    wanted = request.POST.get("to", "")
    if not wanted:
        return None
    found = people.assignable_person(team_id, wanted)
    if found is None:
        raise AlertsError("Nobody of this team goes by that name. Choose somebody from the list.")
    return found


def _stored(alert_id: int, teams: TeamScope) -> Alert:
    found = reads_alert.stored([alert_id], teams=teams)
    if not found:
        raise Http404("There is no such alert among those you may see.")
    return found[0]
