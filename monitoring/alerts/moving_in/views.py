"""The page that takes over an alertmanager.yml: a look at what it becomes first, then applying it."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from fleetledger.fleet import config
from fleetledger.fleet.access import Capability, can
from fleetledger.fleet.config.issues import ConfigError
from fleetledger.web.accounts.callers import person_of
from monitoring.alerts import tenants
from monitoring.alerts.acting import REFUSAL, acts_for
from monitoring.alerts.asked import tenant_of
from monitoring.alerts.moving_in.alertmanager import Converted, convert
from monitoring.alerts.moving_in.reading import MOST_CHARACTERS

TEMPLATE = "alerts/moving_in.html"
FILE = "alertmanager.yml"
BECAME = f"what became of {FILE}"


@require_http_methods(["GET", "HEAD", "POST"])
def moving_in(request: HttpRequest) -> HttpResponseBase:
    """Show what a file becomes; `do` says whether to look, to download or to apply it."""
    person = person_of(request)
    mine = acts_for(person, tenants.visible_to(person))
    if not mine:
        raise PermissionDenied(REFUSAL)
    may_apply = can(person, Capability.ADMIN)
    context: dict[str, Any] = {"tenants": mine, "may_apply": may_apply, "team": request.POST.get("team", "")}
    if request.method != "POST":
        return render(request, TEMPLATE, context)
    try:
        text = _text(request)
        tenant = tenant_of(mine, context["team"])
        if tenant is None:
            raise Http404("There is no such team among those whose alerts you handle.")
        found = convert(text, FILE, tenant.slug if tenant.team_id is not None else None)
        context |= {"text": text, "found": found, "names": sorted(found.secrets)}
        if answer := _done(request, found, may_apply=may_apply):
            return answer
        changes = config.apply([(BECAME, found.configuration)], dry_run=True).changes if may_apply else ()
        return render(request, TEMPLATE, context | {"changes": [*map(str, changes)]})
    except ConfigError as error:
        context |= {"error": str(error)}
        return render(request, TEMPLATE, context | {"text": request.POST.get("config", "")}, status=422)


def _done(request: HttpRequest, found: Converted, *, may_apply: bool) -> HttpResponse | None:
    do = request.POST.get("do", "look")
    if do == "download":
        headers = {"Content-Disposition": 'attachment; filename="fleetledger-routing.yaml"'}
        return HttpResponse(found.configuration, content_type="application/yaml", headers=headers)
    if do != "apply":
        return None
    if not may_apply:
        raise PermissionDenied("Only an administrator applies a configuration. Download it and hand it to one.")
    outcome = config.apply([(BECAME, found.configuration)])
    said = f"Applied: {len(outcome.changes)} changes." if outcome.changes else "Nothing was changed: it was so already."
    messages.success(request, said)
    return redirect("alert-routing")


def _text(request: HttpRequest) -> str:
    """The file, else what was pasted; raises ConfigError."""
    upload = request.FILES.get("file")
    if not isinstance(upload, UploadedFile):
        return request.POST.get("config", "")
    if (upload.size or 0) > MOST_CHARACTERS:
        raise _refusal("The file is larger than a million bytes.")
    try:
        return str(upload.read(), "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _refusal("The file is not UTF-8. Save it as UTF-8.") from error


def _refusal(sentence: str) -> ConfigError:
    return ConfigError([config.Issue(config.Place(FILE, 1), (), sentence)])
