"""Begins the runs of escalations, and ends them where somebody has the alerts or they are over."""

from collections.abc import Sequence
from datetime import datetime

from monitoring.alerts.models import Alert, Episode, Group
from monitoring.alerts.routing import Route


def begin(group: Group, route: Route, news: Sequence[tuple[Alert, Episode]], now: datetime) -> None:
    """Begin a run for each escalation that `route` has for these alerts, those left out that a run knows already."""
