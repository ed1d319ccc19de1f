"""The settings: profile, API tokens, ownership rules, versions."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from fleetledger.fleet import tokens
from fleetledger.fleet.access import Capability, can, teams_visible_to
from fleetledger.fleet.errors import FleetError
from fleetledger.fleet.models import Team, User
from fleetledger.web.accounts import reads
from fleetledger.web.accounts.callers import person_of
from fleetledger.web.accounts.forms import ProfileForm, TokenForm
from fleetledger.web.downloads import csv_response, wants_csv
from fleetledger.web.tables import Column, build_table

PROFILE_FIELDS = ("first_name", "last_name", "email", "time_zone")
RULE_COLUMNS: tuple[Column[reads.Rule], ...] = (
    Column("position", "Order", lambda rule: rule.position, align="right"),
    Column("team", "Team", lambda rule: rule.team.casefold()),
    Column("match", "Matches"),
    Column("from", "From", lambda rule: rule.valid_from),
    Column("until", "Until", lambda rule: rule.valid_until),
    Column("state", "State"),
)


@require_http_methods(["GET", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """How a person is called and the time zone of their pages."""
    user = person_of(request)
    form = ProfileForm(request.POST or None, initial={name: getattr(user, name) for name in PROFILE_FIELDS})
    if request.method == "POST" and form.is_valid():
        for name in PROFILE_FIELDS:
            setattr(user, name, form.cleaned_data[name])
        user.save(update_fields=PROFILE_FIELDS)
        messages.success(request, "Saved.")
        return redirect("settings")
    words = {"form": form, "tab": "profile", "role": user.get_role_display(), "memberships": reads.own_teams(user)}
    return render(request, "settings/profile.html", words, status=200 if request.method == "GET" else 422)


@never_cache
@require_http_methods(["GET", "POST"])
def token_list(request: HttpRequest) -> HttpResponseBase:
    """API tokens; making one shows its secret in this answer and never again."""
    user = person_of(request)
    is_admin = can(user, Capability.ADMIN)
    sees_fleet = teams_visible_to(user).fleet
    teams = reads.all_teams() if sees_fleet else reads.teams_to_hand_out(user)
    form = TokenForm(request.POST or None, teams=teams, is_admin=is_admin, sees_fleet=sees_fleet)
    made = _made(form, user) if request.method == "POST" and form.is_valid() else None
    rows = reads.tokens(user)
    if wants_csv(request):
        return _tokens_csv(rows)
    words = {
        "form": TokenForm(teams=teams, is_admin=is_admin, sees_fleet=sees_fleet) if made else form,
        "made": made,
        "tokens": rows,
        "may_make": sees_fleet or bool(teams),
        "tab": "tokens",
    }
    failed = request.method == "POST" and made is None
    return render(request, "settings/tokens.html", words, status=422 if failed else 200)


@require_POST
def token_revoke(request: HttpRequest, token_id: int) -> HttpResponse:
    token = reads.visible_token(person_of(request), token_id)
    if token is None:
        raise Http404("There is no such token.")
    if tokens.revoke(token):
        messages.success(request, f"The token '{token.name}' is revoked: programs that use it are refused from now on.")
    else:
        messages.info(request, f"The token '{token.name}' was revoked before.")
    return redirect("settings-tokens")


@require_safe
def rule_list(request: HttpRequest) -> HttpResponseBase:
    """Ownership rules as they are asked, first match wins."""
    rules = reads.rules(teams=teams_visible_to(person_of(request)))
    download = wants_csv(request)
    table = build_table(rules, RULE_COLUMNS, request.GET, text=_rule_text, default_sort="position", everything=download)
    if download:
        rows = (
            (rule.position, rule.slug, _conditions(rule), str(rule.valid_from or ""), str(rule.valid_until or ""))
            for rule in table.rows
        )
        return csv_response("ownership-rules", ("position", "team", "match", "from", "until"), rows)
    return render(request, "settings/rules.html", {"table": table, "tab": "rules"})


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """What runs here, and whose work it contains."""
    is_admin = can(person_of(request), Capability.ADMIN)
    words = {"tab": "about", "version": reads.product_version(), "parts": reads.versions() if is_admin else ()}
    return render(request, "settings/about.html", words)


def _made(form: TokenForm, user: User) -> tokens.NewToken | None:
    """The new token, or None with the reason on the form."""
    slug = form.cleaned_data["team"]
    team = Team.objects.filter(slug=slug).first() if slug else None
    try:
        return tokens.create(
            form.cleaned_data["name"],
            [form.cleaned_data["scope"]],
            team=team,
            expires_at=form.expires_at(),
            created_by=user,
        )
    except FleetError as error:
        form.add_error(None, str(error))
        return None


def _tokens_csv(rows: tuple[reads.Token, ...]) -> HttpResponseBase:
    header = ("name", "prefix", "scopes", "team", "created_by", "created_at", "expires_at", "last_used_at", "state")
    return csv_response("tokens", header, ([getattr(row, name) for name in header] for row in rows))


def _rule_text(rule: reads.Rule) -> str:
    return f"{rule.team} {rule.slug} {_conditions(rule)}"


def _conditions(rule: reads.Rule) -> str:
    return "; ".join(f"{key}: {value}" for key, value in rule.conditions)
