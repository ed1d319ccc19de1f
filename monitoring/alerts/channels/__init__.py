"""Ways to tell a destination, one file each; every one ends within its deadline and raises nothing."""

from monitoring.alerts.channels.sending import CHANNELS, send
from monitoring.alerts.channels.verdicts import Outcome, Verdict

__all__ = ["CHANNELS", "Outcome", "Verdict", "send"]
