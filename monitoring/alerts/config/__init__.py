"""Alerting's sections of the one configuration file."""

from functools import partial

from fleetledger.fleet.config import register
from monitoring.alerts.config import (
    contact_shapes,
    contacts,
    escalation_shapes,
    escalations,
    routing_trees,
    rule_shapes,
    rules,
    rules_export,
    schedule_shapes,
    schedules,
    schedules_export,
    shapes,
)

register("route", shapes.ROUTE, routing_trees.apply, partial(routing_trees.export, "route"))
register("inhibit_rules", shapes.INHIBIT_RULES, routing_trees.apply, partial(routing_trees.export, "inhibit_rules"))
register("receivers", shapes.RECEIVERS, routing_trees.apply, partial(routing_trees.export, "receivers"))
register("time_intervals", shapes.TIME_INTERVALS, routing_trees.apply, partial(routing_trees.export, "time_intervals"))
register("alerting", shapes.ALERTING, routing_trees.apply, routing_trees.export_teams)
register("rules", rule_shapes.RULES, rules.apply_rules, rules_export.export_rules)
register("contacts", contact_shapes.CONTACTS, contacts.apply, contacts.export)
register("schedules", schedule_shapes.SCHEDULES, schedules.apply, schedules_export.export)
register("escalations", escalation_shapes.ESCALATIONS, escalations.apply, escalations.export)
