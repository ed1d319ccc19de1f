"""What people change on the pages about incidents."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from fleetledger.fleet.access import teams_visible_to
from fleetledger.fleet.models import User
from fleetledger.web.accounts.callers import person_of
from monitoring.alerts import tenants
from monitoring.alerts.acting import actor, acts_for
from monitoring.alerts.asked import numbers, tenant_of
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.people import assignable, assignable_person
from monitoring.alerts.tenants import may_act, of_team
from monitoring.availability.incidents import acts, learning, reads
from monitoring.availability.incidents.acts import Changes, Wanted
from monitoring.availability.incidents.forms import EditForm, FollowUpForm, NewForm, NoteForm, PostmortemForm
from monitoring.availability.incidents.learning import Task
from monitoring.availability.incidents.views import seen
from monitoring.availability.models import Incident, IncidentState, RoleKind, Severity

REFUSAL = "You may look at this incident but not act on it. Ask a lead of the team, or an SRE."
MAX_ALERTS = 500


@require_http_methods(["GET", "HEAD", "POST"])
def incident_new(request: HttpRequest) -> HttpResponse:
    """Open one by hand; ?alert=17 takes an alert in."""
    person = person_of(request)
    known = acts_for(person, tenants.visible_to(person))
    asked = numbers(request.POST.getlist("alert") or request.GET.getlist("alert"), MAX_ALERTS)
    alerts = reads.linkable(asked, teams=teams_visible_to(person))
    slug = alerts[0].team if alerts else request.POST.get("team", "") or request.GET.get("team", "")
    tenant = tenant_of(known, slug)
    if tenant is None:
        raise PermissionDenied("You may open incidents for none of these teams. Ask a lead of the team, or an SRE.")
    title = (alerts[0].summary or alerts[0].name)[:200] if alerts else ""
    form = NewForm(
        request.POST or None,
        tenants=[tenant] if alerts else known,
        components=reads.components_of(tenant.team_id),
        initial={"team": tenant.slug, "title": title},
    )
    if request.method == "POST" and form.is_valid():
        made = _opened(request, form, tenant.team_id, [alert.id for alert in alerts])
        if made is not None:
            messages.success(request, "The incident is open. Say who leads it.")
            return redirect("incident", incident_id=made.pk)
    return _form_page(request, form, None, alerts)


@require_http_methods(["GET", "HEAD", "POST"])
def incident_edit(request: HttpRequest, incident_id: int) -> HttpResponse:
    row = _to_act(request, incident_id)
    initial = {
        "title": row.title,
        "severity": row.severity,
        "components": list(row.components.values_list("name", flat=True)),
        "is_public": row.is_public,
        "public_title": row.public_title,
        "public_text": row.public_text,
    }
    form = EditForm(request.POST or None, components=reads.components_of(row.team_id), initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        changes = Changes(**_public(values), severity=Severity(values["severity"]))
        try:
            acts.change(row.pk, changes, actor(person_of(request)))
        except AlertsError as error:
            form.add_error(None, str(error))
        else:
            return redirect("incident", incident_id=row.pk)
    return _form_page(request, form, row, ())


@require_POST
def incident_move(request: HttpRequest, incident_id: int, state: str) -> HttpResponse:
    """Mitigated, resolved, or open again."""
    row = _to_act(request, incident_id)
    if state not in IncidentState.values:
        raise Http404("There is no such state.")
    return _done(request, row, lambda: acts.change(row.pk, Changes(state=IncidentState(state)), _actor(request)))


@require_POST
def incident_note(request: HttpRequest, incident_id: int) -> HttpResponse:
    row = _to_act(request, incident_id)
    form = NoteForm(request.POST)
    text = form.cleaned_data["text"] if form.is_valid() else ""
    is_public = form.is_valid() and bool(form.cleaned_data["is_public"])
    return _done(request, row, lambda: acts.note(row.pk, text, _actor(request), is_public=is_public))


@require_POST
def incident_role(request: HttpRequest, incident_id: int, role: str) -> HttpResponse:
    row = _to_act(request, incident_id)
    if role not in RoleKind.values:
        raise Http404("There is no such role.")
    person = _person(row, request.POST.get("person", ""))
    return _done(request, row, lambda: acts.give_role(row.pk, RoleKind(role), person, _actor(request)))


@require_POST
def follow_up_new(request: HttpRequest, incident_id: int) -> HttpResponse:
    row = _to_act(request, incident_id)
    form = FollowUpForm(request.POST, people=assignable(row.team_id))
    if not form.is_valid():
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
        return redirect("incident", incident_id=row.pk)
    values = form.cleaned_data
    task = Task(values["text"], _person(row, values["owner"]), values["due_on"])
    return _done(request, row, lambda: learning.add(row.pk, task, _actor(request)))


@require_POST
def follow_up_done(request: HttpRequest, incident_id: int, follow_up_id: int) -> HttpResponse:
    """Done, or not after all."""
    row = _to_act(request, incident_id)

    def do() -> None:
        task, was_done = learning.task_of(row.pk, follow_up_id)
        learning.change(row.pk, follow_up_id, task, _actor(request), is_done=not was_done)

    return _done(request, row, do)


@require_http_methods(["GET", "HEAD", "POST"])
def postmortem_edit(request: HttpRequest, incident_id: int) -> HttpResponse:
    row = _to_act(request, incident_id)
    known = reads.postmortem(row)
    initial = {
        "version": known.version,
        "text": known.text or learning.TEMPLATE,
        "is_published": known.published_at is not None,
    }
    form = PostmortemForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            learning.save(
                row.pk, values["text"], values["version"], _actor(request), is_published=values["is_published"]
            )
        except AlertsError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "The postmortem is saved.")
            return redirect("incident", incident_id=row.pk)
    context = {"form": form, "incident": row, "stored": known}
    status = 422 if request.method == "POST" else 200
    return render(request, "availability/postmortem.html", context, status=status)


def _opened(request: HttpRequest, form: NewForm, team_id: int | None, alert_ids: list[int]) -> Incident | None:
    """None after noting on the form why not."""
    values = form.cleaned_data
    severity = Severity(values["severity"])
    wanted = Wanted(**_public(values), opened_at=values["opened_at"], alert_ids=alert_ids, severity=severity)
    try:
        return acts.open_by_hand(team_id, wanted, _actor(request))
    except AlertsError as error:
        form.add_error(None, str(error))
        return None


def _to_act(request: HttpRequest, incident_id: int) -> Incident:
    row = seen(request, incident_id)
    if not may_act(person_of(request), of_team(row.team)):
        raise PermissionDenied(REFUSAL)
    return row


def _actor(request: HttpRequest) -> Any:
    return actor(person_of(request))


def _done(request: HttpRequest, row: Incident, do: Any) -> HttpResponse:
    """Back to the incident, a refusal on top of it."""
    try:
        do()
    except AlertsError as error:
        messages.error(request, str(error))
    return redirect("incident", incident_id=row.pk)


def _person(row: Incident, username: str) -> User | None:
    """Nobody where none is named; raises Http404 for one who is not of the team."""
    if not username:
        return None
    found = assignable_person(row.team_id, username)
    if found is None:
        raise Http404("Nobody of this team is called that.")
    return found


def _public(values: dict[str, Any]) -> dict[str, Any]:
    names = ("title", "is_public", "public_title", "public_text")
    return {name: values[name] for name in names} | {"components": values.get("components", [])}


def _form_page(request: HttpRequest, form: Any, row: Incident | None, alerts: Any) -> HttpResponse:
    context = {"form": form, "incident": row, "alerts": alerts}
    return render(request, "availability/incident_form.html", context, status=422 if request.method == "POST" else 200)
