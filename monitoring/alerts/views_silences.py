"""Silences and maintenance windows: what withholds now, a new one with a preview, and ending one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fleetledger.fleet.access import TeamScope, teams_visible_to
from fleetledger.fleet.models import User
from fleetledger.lib.numbers import whole
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.downloads import csv_response, wants_csv
from monitoring.alerts import clock, maintenance, reads_alert, reads_quiet, silences, tenants
from monitoring.alerts.acting import REFUSAL, actor, acts_for
from monitoring.alerts.asked import choice, numbers, read_search, tenant_of
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.forms import QuietForm
from monitoring.alerts.matchers import Matcher, Op, all_to_text, to_json
from monitoring.alerts.models import Alert
from monitoring.alerts.reads_quiet import Phase, Quiet
from monitoring.alerts.tenants import Tenant

PAGE_SIZE = 25
MAX_PREFILLED = 500
CSV_HEADER = (
    "id", "team", "name", "state", "matchers_text", "starts_at", "ends_at", "created_by", "comment", "updated_at",
)  # fmt: skip
MAINTENANCE = "maintenance"


@require_safe
def silence_list(request: HttpRequest) -> HttpResponseBase:
    """Active, pending or expired silences, or maintenance windows."""
    person = person_of(request)
    teams = teams_visible_to(person)
    at = clock.now()
    tab = request.GET.get("tab", "")
    is_maintenance = tab == MAINTENANCE
    phase = choice(tab, Phase.ACTIVE)
    if wants_csv(request):
        rows = reads_quiet.every_quiet(
            None if is_maintenance else phase, is_maintenance=is_maintenance, teams=teams, at=at
        )
        return csv_response(tab or "silences", CSV_HEADER, map(_cells, rows))
    page = max(whole(request.GET.get("page", ""), 1), 1)
    first, limit = (page - 1) * PAGE_SIZE, PAGE_SIZE + 1
    found = (
        reads_quiet.maintenance_windows(teams=teams, at=at, first=first, limit=limit)
        if is_maintenance
        else reads_quiet.silences(phase, teams=teams, at=at, first=first, limit=limit)
    )
    acting = acts_for(person, tenants.visible_to(person))
    context = {
        "tab": MAINTENANCE if is_maintenance else phase.value,
        "counts": reads_quiet.phase_counts(teams=teams, at=at),
        "rows": reads_quiet.counted(found[:PAGE_SIZE]),
        "next_page": page + 1 if len(found) > PAGE_SIZE else None,
        "previous_page": page - 1 if page > 1 else None,
        "may_act": bool(acting),
        "acting": {tenant.team_id for tenant in acting},
    }
    return render(request, "alerts/silences.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def silence_new(request: HttpRequest) -> HttpResponse:
    """A new silence, prefilled with what the chosen alerts have in common."""
    return _edit(request, None, is_maintenance=False)


@require_http_methods(["GET", "HEAD", "POST"])
def silence_edit(request: HttpRequest, silence_id: UUID) -> HttpResponse:
    found = reads_quiet.silence(silence_id, teams=teams_visible_to(request.user), at=clock.now())
    return _edit(request, _seen(found), is_maintenance=False)


@require_POST
def silence_end(request: HttpRequest, silence_id: UUID) -> HttpResponse:
    """End it now; what it withheld is told at the next tick of its group."""
    found = _seen(reads_quiet.silence(silence_id, teams=teams_visible_to(request.user), at=clock.now()))
    silences.expire(_tenant_to_act(request, found), silence_id)
    messages.success(request, "The silence has ended. What still fires is told with its group's next message.")
    return redirect("silences")


@require_http_methods(["GET", "HEAD", "POST"])
def maintenance_new(request: HttpRequest) -> HttpResponse:
    return _edit(request, None, is_maintenance=True)


@require_http_methods(["GET", "HEAD", "POST"])
def maintenance_edit(request: HttpRequest, window_id: UUID) -> HttpResponse:
    found = reads_quiet.maintenance_window(window_id, teams=teams_visible_to(request.user), at=clock.now())
    return _edit(request, _seen(found), is_maintenance=True)


@require_POST
def maintenance_end(request: HttpRequest, window_id: UUID) -> HttpResponse:
    found = _seen(reads_quiet.maintenance_window(window_id, teams=teams_visible_to(request.user), at=clock.now()))
    maintenance.end(_tenant_to_act(request, found), window_id)
    messages.success(request, f"Maintenance “{found.name}” has ended.")
    return redirect("/alerts/silences/?tab=maintenance")


@require_safe
def silence_preview(request: HttpRequest) -> HttpResponse:
    """How many open alerts the matchers of a form fit now, while one types."""
    person = person_of(request)
    tenant = tenant_of(tenants.visible_to(person), request.GET.get("team", ""))
    if tenant is None:
        raise Http404("There is no such team among those you may see.")
    search = read_search(request.GET.get("matchers", ""))
    error = search.error or ("Write at least one matcher." if not search.matchers else "")
    found = None if error else reads_quiet.preview(tenant.team_id, search.matchers)
    return render(request, "alerts/preview.html", {"preview": found, "error": error, "tenant": tenant})


def _edit(request: HttpRequest, old: Quiet | None, *, is_maintenance: bool) -> HttpResponse:
    person = person_of(request)
    acting = acts_for(person, tenants.visible_to(person))
    if not acting or (old is not None and old.team_id not in {tenant.team_id for tenant in acting}):
        raise PermissionDenied(REFUSAL)
    at = clock.now()
    initial = _of_old(old) if old else _prefilled(request, teams_visible_to(person), acting)
    form = QuietForm(request.POST or None, initial=initial, tenants=acting, now=at, is_maintenance=is_maintenance)
    if request.method == "POST" and form.is_valid() and _saved(request, form, old, acting, is_maintenance):
        return redirect(f"/alerts/silences/?tab={MAINTENANCE}" if is_maintenance else _tab_of(form, at))
    context = {"form": form, "old": old, "is_maintenance": is_maintenance}
    return render(request, "alerts/silence.html", context, status=422 if request.method == "POST" else 200)


def _saved(
    request: HttpRequest,
    form: QuietForm,
    old: Quiet | None,
    acting: Sequence[Tenant],
    is_maintenance: bool,  # noqa: FBT001 private
) -> bool:
    """Whether it was stored; the refusal stands on the form."""
    person = person_of(request)
    values = form.cleaned_data
    tenant = tenant_of(acting, values["team"])
    assert tenant is not None  # noqa: S101 the form offers these alone
    try:
        _store(tenant, values, old, person, is_maintenance)
    except AlertsError as error:
        form.add_error(None, str(error))
        return False
    done = "The window is planned." if is_maintenance else "The silence stands."
    messages.success(request, f"{done} It withholds until {values['end']:%d %b %H:%M} UTC.")
    return True


def _store(tenant: Tenant, values: dict[str, Any], old: Quiet | None, person: User, is_maintenance: bool) -> None:  # noqa: FBT001 private
    matchers: tuple[Matcher, ...] = values["matchers"]
    known = [to_json(matcher) for matcher in matchers]
    name = actor(person).name
    if old is not None and tenant.team_id != old.team_id:
        raise AlertsError("It stays with its team. End this one and make a new one.")
    if is_maintenance:
        window = maintenance.Window(values["name"], known, values["start"], values["end"], values["comment"])
        if old is None:
            maintenance.plan(tenant, window, name)
        else:
            maintenance.change(tenant, old.id, window)
        return
    kept = old.id if old else None
    start = old.starts_at if old and old.state == Phase.ACTIVE else values["start"]
    silences.create_or_update(
        tenant,
        known,
        starts_at=start,
        ends_at=values["end"],
        created_by=name,
        comment=values["comment"],
        silence_id=kept,
        user=person,
    )


def _of_old(old: Quiet) -> dict[str, Any]:
    return {
        "team": old.team or tenants.PLATFORM_SLUG,
        "name": old.name,
        "matchers": old.matchers_text.strip("{}"),
        "starts_at": old.starts_at if old.state == Phase.PENDING else None,
        "lasts": "until",
        "ends_at": old.ends_at,
        "comment": old.comment,
    }


def _prefilled(request: HttpRequest, teams: TeamScope, acting: Sequence[Tenant]) -> dict[str, Any]:
    """What all the alerts of the address have in common, as matchers; they must be of one tenant."""
    ids = numbers(request.GET.getlist("alert"), MAX_PREFILLED)
    alerts = reads_alert.stored(ids, teams=teams) if ids else ()
    first = {"team": acting[0].slug, "matchers": request.GET.get("matchers", "")[:4000]}
    if not alerts:
        return first
    of_first = [alert for alert in alerts if alert.team_id == alerts[0].team_id]
    if len(of_first) < len(alerts):
        messages.warning(request, "The alerts are of several teams: this silence is for the first one's.")
    team = alerts[0].team
    return first | {"team": team.slug if team else tenants.PLATFORM_SLUG, "matchers": _common(of_first)}


def _common(alerts: Sequence[Alert]) -> str:
    pairs = set(alerts[0].labels.items()).intersection(*(alert.labels.items() for alert in alerts[1:]))
    own = dict(sorted(pairs))
    names = sorted({alert.name for alert in alerts})
    found = [Matcher(name, Op.EQUAL, value) for name, value in own.items()]
    if "alertname" not in own and len(names) > 1:
        found.insert(0, Matcher("alertname", Op.REGEX, "|".join(names)))
    return all_to_text(found).strip("{}")


def _tab_of(form: QuietForm, at: Any) -> str:
    return "/alerts/silences/?tab=pending" if form.cleaned_data["start"] > at else "/alerts/silences/"


def _seen(found: Quiet | None) -> Quiet:
    if found is None:
        raise Http404("There is nothing of that kind among what you may see.")
    return found


def _tenant_to_act(request: HttpRequest, found: Quiet) -> Tenant:
    person = person_of(request)
    acting = acts_for(person, tenants.visible_to(person))
    tenant = next((one for one in acting if one.team_id == found.team_id), None)
    if tenant is None:
        raise PermissionDenied(REFUSAL)
    return tenant


def _cells(row: Quiet) -> list[Any]:
    return [str(value) if isinstance(value := getattr(row, name), UUID) else value for name in CSV_HEADER]
