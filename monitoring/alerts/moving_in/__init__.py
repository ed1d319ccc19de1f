"""Moving in from other programs: what they were told, in our configuration's words."""

from monitoring.alerts.moving_in.alertmanager import Converted, convert

__all__ = ["Converted", "convert"]
