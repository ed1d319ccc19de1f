"""The states of a component and of one slot of it."""

from django.db import models


class State(models.TextChoices):
    """What a component is. `unknown` is never stored: it is time that no slot covers."""

    UP = "up", "Up"
    DEGRADED = "degraded", "Degraded"
    DOWN = "down", "Down"
    UNKNOWN = "unknown", "Unknown"
    MAINTENANCE = "maintenance", "Maintenance"
    IDLE = "idle", "No traffic"


class SlotState(models.TextChoices):
    """What one slot says. `idle`: nothing was asked of it, so there is no verdict and none was expected."""

    UP = "up", "Up"
    DEGRADED = "degraded", "Degraded"
    DOWN = "down", "Down"
    MAINTENANCE = "maintenance", "Maintenance"
    IDLE = "idle", "No traffic"
