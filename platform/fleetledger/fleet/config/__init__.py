"""The one configuration file: read, checked against its schema, applied and written back."""

from fleetledger.fleet.config import machines, organisation, rules, shapes, source_shapes, telemetry_sources
from fleetledger.fleet.config.issues import ConfigError, Issue, Place
from fleetledger.fleet.config.plan import Change, Plan, save
from fleetledger.fleet.config.registry import json_schema, register
from fleetledger.fleet.config.service import Outcome, apply, export

__all__ = [
    "Change",
    "ConfigError",
    "Issue",
    "Outcome",
    "Place",
    "Plan",
    "apply",
    "export",
    "json_schema",
    "register",
    "save",
]

register("clusters", shapes.CLUSTERS, machines.apply_clusters, machines.export_clusters)
register("nodes", shapes.NODES, machines.apply_nodes, machines.export_nodes)
register("teams", shapes.TEAMS, organisation.apply_teams, organisation.export_teams)
register("sources", source_shapes.SOURCES, telemetry_sources.apply_sources, telemetry_sources.export_sources)
register("pools", shapes.POOLS, rules.apply_pools, rules.export_pools)
register("ownership", shapes.OWNERSHIP, rules.apply_ownership, rules.export_ownership)
