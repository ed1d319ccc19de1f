"""The page that finds things by name."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from fleetledger.fleet.access import teams_visible_to
from fleetledger.web.search import fleet
from fleetledger.web.search.hits import find

SHORTEST = 2
LONGEST = 200

fleet.register_all()


@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Results by kind, within what the person may see."""
    query = " ".join(request.GET.get("q", "").replace("\x00", "").split())[:LONGEST]
    groups = find(query, teams=teams_visible_to(request.user)) if len(query) >= SHORTEST else ()
    return render(request, "search.html", {"query": query, "groups": groups, "is_short": 0 < len(query) < SHORTEST})
