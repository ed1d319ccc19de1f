"""Finds components and objectives by their names, for the search page."""

from django.db.models import Q
from django.urls import reverse

from fleetledger.fleet.access import TeamScope
from fleetledger.web.search.hits import Group, Hit
from monitoring.availability import reads
from monitoring.availability.models import ComponentKind
from monitoring.availability.slo.reads import visible as visible_slos


def components(query: str, teams: TeamScope, limit: int) -> Group:
    """By name or title, with their kind and team."""
    rows = reads.visible(teams).filter(Q(name__icontains=query) | Q(title__icontains=query)).order_by("title", "name")
    hits = [
        Hit(title, reverse("component", args=[name]), f"{ComponentKind(kind).label} · {team or 'platform'}", "activity")
        for name, title, kind, team in rows.values_list("name", "title", "kind", "team__slug")[: limit + 1]
    ]
    return Group("Components", tuple(hits[:limit]), len(hits) > limit)


def slos(query: str, teams: TeamScope, limit: int) -> Group:
    """By name or title, with what is promised."""
    rows = visible_slos(teams).filter(Q(name__icontains=query) | Q(title__icontains=query)).order_by("title", "name")
    hits = [
        Hit(title, reverse("slo", args=[name]), f"{objective.normalize():f} % over {days} days", "target")
        for name, title, objective, days in rows.values_list("name", "title", "objective", "period_days")[: limit + 1]
    ]
    return Group("SLOs", tuple(hits[:limit]), len(hits) > limit)
