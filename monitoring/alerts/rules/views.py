"""The runbooks' page, and our rule packs as files for a Prometheus elsewhere."""

from dataclasses import dataclass

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from monitoring.alerts.rules import pack, runbooks
from monitoring.alerts.rules.errors import RuleError
from monitoring.alerts.rules.runbooks import Runbook

TITLES = {"gpu": "GPUs", "fleetledger": "Fleetledger itself", "": "Evaluated without any configuration"}
ABOUT = {
    "gpu": "From dcgm-exporter's metrics",
    "fleetledger": "From our own /metrics",
    "": "Rules over what Fleetledger knows",
}


@dataclass(frozen=True, slots=True)
class Shelf:
    """The runbooks of one pack; `pack` is empty for rules that exist by themselves."""

    pack: str
    title: str
    about: str
    books: tuple[Runbook, ...]


@require_safe
def runbook_page(request: HttpRequest) -> HttpResponse:
    """What to do about each alert that we ship; each has its name as an anchor."""
    books = runbooks.every()
    shelves = [
        Shelf(name, TITLES[name], ABOUT[name], tuple(book for book in books if book.pack == name))
        for name in (*pack.NAMES, "")
    ]
    return render(request, "alerts/runbooks.html", {"shelves": shelves})


@require_safe
def rule_pack(_request: HttpRequest, name: str) -> HttpResponse:
    """A pack in Prometheus' format, whose runbooks are ours."""
    try:
        content = pack.text(name, settings.BASE_URL)
    except RuleError as error:
        raise Http404(str(error)) from error
    response = HttpResponse(content, content_type="application/yaml")
    response["Content-Disposition"] = f'attachment; filename="{name}.yml"'
    return response
