"""How many components are down, beside the status page's entry in the navigation."""

from fleetledger.web.nav import register_count
from monitoring.availability import reads


def register() -> None:
    """Called from AvailabilityConfig.ready."""
    register_count("availability", lambda teams: reads.count_of_down(teams=teams), said="down")
