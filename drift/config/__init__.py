"""Drift's section of the one configuration file."""

from drift.config import models, shapes
from fleetledger.fleet.config import register

register("models", shapes.MODELS, models.apply, models.export)
