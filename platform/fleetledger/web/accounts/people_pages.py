"""People with their roles, for administrators."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fleetledger.fleet import users
from fleetledger.fleet.errors import FleetError
from fleetledger.fleet.models import Team
from fleetledger.web.accounts import reads
from fleetledger.web.accounts.callers import administrator_of
from fleetledger.web.accounts.forms import MembershipForm, PersonForm, RoleForm
from fleetledger.web.downloads import csv_response, wants_csv
from fleetledger.web.tables import Column, build_table

COLUMNS: tuple[Column[reads.Person], ...] = (
    Column("name", "Name", lambda person: person.username.casefold()),
    Column("role", "Role", lambda person: person.role_label),
    Column("teams", "Teams", lambda person: person.team_names.casefold()),
    Column("seen", "Last sign-in", lambda person: person.last_sign_in_at, first_descending=True),
    Column("state", "State", lambda person: (person.is_active, person.can_sign_in)),
)
HEADER = ("username", "full_name", "email", "role", "teams", "last_sign_in_at", "is_active")


@require_safe
def people(request: HttpRequest) -> HttpResponseBase:
    administrator_of(request)
    download = wants_csv(request)
    table = build_table(reads.people(), COLUMNS, request.GET, text=_text, default_sort="name", everything=download)
    if download:
        return csv_response("people", HEADER, (_cells(person) for person in table.rows))
    return render(request, "settings/people.html", {"table": table, "tab": "people"})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def new_person(request: HttpRequest) -> HttpResponse:
    administrator_of(request)
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            user = users.create(values["username"], values["password"], role=values["role"], email=values["email"])
        except FleetError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{user.username} can sign in now. Put them into a team below.")
            return redirect("settings-person", username=user.username)
    status = 200 if request.method == "GET" else 422
    return render(request, "settings/new_person.html", {"form": form, "tab": "people"}, status=status)


@require_safe
def person(request: HttpRequest, username: str) -> HttpResponse:
    """One person: role, teams, whether they may sign in."""
    own = administrator_of(request)
    found = reads.person(username)
    if found is None:
        raise Http404("There is nobody of this name.")
    words = {
        "person": found,
        "role_form": RoleForm(initial={"role": found.role}),
        "membership_form": MembershipForm(teams=reads.all_teams()),
        "is_self": own.username == username,
        "tab": "people",
    }
    return render(request, "settings/person.html", words)


@require_POST
def change_person(request: HttpRequest, username: str, act: str) -> HttpResponse:
    """One change of a person; a refusal is told on the page they come back to."""
    administrator_of(request)
    if reads.person(username) is None or act not in ACTS:
        raise Http404("There is nobody of this name.")
    try:
        messages.success(request, ACTS[act](request, username))
    except FleetError as error:
        messages.error(request, str(error))
    return redirect("settings-person", username=username)


def _set_role(request: HttpRequest, username: str) -> str:
    role = users.checked_role(request.POST.get("role", ""))
    users.set_role(users.find(username), role)
    return f"{username} is {role.label} in the whole fleet from now on."


def _let_in(_request: HttpRequest, username: str) -> str:
    users.set_active(users.find(username), is_active=True)
    return f"{username} may sign in again."


def _keep_out(_request: HttpRequest, username: str) -> str:
    users.set_active(users.find(username), is_active=False)
    return f"{username} can no longer sign in. What they did stays in the audit log."


def _join(request: HttpRequest, username: str) -> str:
    team = _team(request)
    role = users.checked_role(request.POST.get("role", ""))
    users.put_into_team(users.find(username), team, role)
    return f"{username} is {role.label} of {team.name} and the teams below it."


def _leave(request: HttpRequest, username: str) -> str:
    team = _team(request)
    users.take_from_team(users.find(username), team)
    return f"{username} is no longer a member of {team.name}."


def _team(request: HttpRequest) -> Team:
    slug = request.POST.get("team", "")
    team = Team.objects.filter(slug=slug).first()
    if team is None:
        raise users.UserInputError(f"There is no team '{slug}'. Choose one of the list.")
    return team


def _text(person: reads.Person) -> str:
    return f"{person.username} {person.full_name} {person.email} {person.role_label} {person.team_names}"


def _cells(person: reads.Person) -> tuple[str, ...]:
    seen = person.last_sign_in_at.isoformat() if person.last_sign_in_at else ""
    active = "true" if person.is_active else "false"
    return person.username, person.full_name, person.email, person.role, person.team_names, seen, active


ACTS = {"role": _set_role, "let-in": _let_in, "keep-out": _keep_out, "join": _join, "leave": _leave}
