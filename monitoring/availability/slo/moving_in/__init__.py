"""Moving in from OpenSLO and Sloth: what they were told, as entries of `slos`."""

from monitoring.availability.slo.moving_in.convert import Converted, NotTaken, convert

__all__ = ["Converted", "NotTaken", "convert"]
