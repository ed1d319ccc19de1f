"""How many alerts wait for somebody, beside their entry in the navigation."""

from fleetledger.web.nav import register_count
from monitoring.alerts import reads


def register() -> None:
    """Called from AlertsConfig.ready."""
    register_count("alerts", lambda teams: reads.count_of_attention(teams=teams))
