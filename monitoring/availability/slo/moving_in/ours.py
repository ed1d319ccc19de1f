"""Takes files over with references to what we have: teams, components and sources by their names."""

from collections.abc import Sequence

from fleetledger.fleet.config.issues import ConfigError, Issue, Place
from fleetledger.fleet.models import Source, SourceKind, Team
from monitoring.availability.models import Component
from monitoring.availability.slo.moving_in.convert import Converted, convert

SHOWN = 20


def converted(files: Sequence[tuple[str, str]], team: str | None = None) -> Converted:
    """Raises ConfigError, also for a team that nobody knows."""
    if team is not None and not Team.objects.filter(slug=team).exists():
        known = ", ".join(Team.objects.order_by("slug").values_list("slug", flat=True)[:SHOWN])
        raise ConfigError([Issue(Place(files[0][0], 1), (), f"No team is called '{team[:64]}'. Known: {known}.")])
    return convert(
        files,
        team=team,
        components=frozenset(Component.objects.filter(removed_at=None).values_list("name", flat=True)),
        sources=frozenset(Source.objects.filter(kind=SourceKind.PROMETHEUS).values_list("name", flat=True)),
    )
