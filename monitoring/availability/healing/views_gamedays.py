"""The pages about game days: planned, run, and what was seen."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fleetledger.fleet.access import teams_visible_to
from fleetledger.lib.keyset import Cut
from fleetledger.lib.numbers import whole
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.downloads import csv_response, wants_csv
from monitoring.alerts import clock, tenants
from monitoring.alerts.acting import actor, acts_for
from monitoring.alerts.asked import tenant_of
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.tenants import may_act, of_team
from monitoring.availability.healing import gamedays, reads
from monitoring.availability.healing.errors import NoSuchGameDayError
from monitoring.availability.healing.forms import EndForm, GameDayForm
from monitoring.availability.incidents.reads import components_of
from monitoring.availability.models import GameDay, Outcome

PAGE_SIZE = 25
MOST_CSV = 10_000
CSV_HEADER = (
    "id", "team", "title", "state", "planned_at", "started_at", "ended_at", "outcome", "fault", "expectation",
    "learned", "created_by",
)  # fmt: skip
REFUSAL = "You may look at this game day but not run it. Ask a lead of the team, or an SRE."


@require_safe
def game_days(request: HttpRequest) -> HttpResponseBase:
    person = person_of(request)
    teams = teams_visible_to(person)
    if wants_csv(request):
        rows = reads.game_days(Cut(MOST_CSV), None, teams=teams)
        return csv_response("game-days", CSV_HEADER, ([getattr(row, name) for name in CSV_HEADER] for row in rows))
    before = whole(request.GET.get("before", ""), 0)
    found = reads.game_days(Cut(PAGE_SIZE, (before,) if before else None), before or None, teams=teams)
    context = {
        "rows": found[:PAGE_SIZE],
        "next_before": found[PAGE_SIZE - 1].id if len(found) > PAGE_SIZE else None,
        "is_first": not before,
        "may_act": bool(acts_for(person, tenants.visible_to(person))),
    }
    return render(request, "availability/game_days.html", context)


@require_safe
def game_day(request: HttpRequest, game_day_id: int) -> HttpResponse:
    row = _seen(request, game_day_id)
    found = reads.game_day(game_day_id, teams=teams_visible_to(request.user), at=clock.now())
    context = {
        "game_day": found.row,
        "detail": found,
        "components": row.components.order_by("position", "name"),
        "form": EndForm(),
        "may_act": may_act(person_of(request), of_team(row.team)),
    }
    return render(request, "availability/game_day.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def game_day_new(request: HttpRequest) -> HttpResponse:
    person = person_of(request)
    known = acts_for(person, tenants.visible_to(person))
    tenant = tenant_of(known, request.POST.get("team", "") or request.GET.get("team", ""))
    if tenant is None:
        raise PermissionDenied("You may plan game days for none of these teams. Ask a lead of the team, or an SRE.")
    form = GameDayForm(
        request.POST or None,
        tenants=known,
        components=components_of(tenant.team_id),
        initial={"team": tenant.slug, "planned_at": clock.now()},
    )
    if request.method == "POST" and form.is_valid():
        values = {name: value for name, value in form.cleaned_data.items() if name != "team"}
        try:
            made = gamedays.plan(tenant.team_id, gamedays.Wanted(**values), actor(person))
        except AlertsError as error:
            form.add_error(None, str(error))
        else:
            return redirect("game-day", game_day_id=made.pk)
    status = 422 if request.method == "POST" else 200
    return render(request, "availability/game_day_form.html", {"form": form}, status=status)


@require_POST
def game_day_start(request: HttpRequest, game_day_id: int) -> HttpResponse:
    row = _to_act(request, game_day_id)
    try:
        gamedays.start(row.pk)
    except AlertsError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, "It has begun: what happens from now on is evidence.")
    return redirect("game-day", game_day_id=row.pk)


@require_POST
def game_day_end(request: HttpRequest, game_day_id: int) -> HttpResponse:
    row = _to_act(request, game_day_id)
    form = EndForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Say how it went.")
        return redirect("game-day", game_day_id=row.pk)
    try:
        gamedays.end(row.pk, Outcome(form.cleaned_data["outcome"]), form.cleaned_data["learned"])
    except AlertsError as error:
        messages.error(request, str(error))
    return redirect("game-day", game_day_id=row.pk)


def _seen(request: HttpRequest, game_day_id: int) -> GameDay:
    try:
        return reads.stored_game_day(game_day_id, teams=teams_visible_to(request.user))
    except NoSuchGameDayError as error:
        raise Http404(str(error)) from error


def _to_act(request: HttpRequest, game_day_id: int) -> GameDay:
    row = _seen(request, game_day_id)
    if not may_act(person_of(request), of_team(row.team)):
        raise PermissionDenied(REFUSAL)
    return row
