"""Finds models by their name, for the search page."""

from django.urls import reverse

from drift import reads
from drift.reads import ModelRow
from drift.wording import STATES
from fleetledger.fleet.access import TeamScope
from fleetledger.web.search.hits import Group, Hit
from monitoring.alerts import clock


def models(query: str, teams: TeamScope, limit: int) -> Group:
    """Models whose name, description or team holds every word."""
    words = query.casefold().split()
    found = [
        row
        for row in reads.models(teams=teams, at=clock.now())
        if words and all(word in f"{row.name} {row.description} {row.owner_name}".casefold() for word in words)
    ]
    return Group("Models", tuple(_hit(row) for row in found[:limit]), len(found) > limit)


def _hit(row: ModelRow) -> Hit:
    return Hit(row.name, reverse("drift-model", args=[row.name]), f"{row.owner_name}, {STATES[row.state][0]}", "target")
