"""Availability's section of the one configuration file."""

from fleetledger.fleet.config import register
from monitoring.availability.config import components, export, shapes

register("components", shapes.COMPONENTS, components.apply, export.export)
