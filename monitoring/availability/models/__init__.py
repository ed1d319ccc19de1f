"""Availability's tables, by room: components with what was seen of them."""

from monitoring.availability.models.components import (
    Component,
    ComponentDay,
    ComponentKind,
    Evidence,
    FactChange,
    MaintenanceWindow,
    Probe,
    ProbeKind,
    Series,
    StateInterval,
    Transition,
)
from monitoring.availability.models.healing import GameDay, HealingEntry, HealingHook, HealingRun, HealingState, Outcome
from monitoring.availability.models.incidents import (
    EntryKind,
    FollowUp,
    Incident,
    IncidentAlert,
    IncidentEntry,
    IncidentRole,
    IncidentRule,
    IncidentState,
    Postmortem,
    RoleKind,
    Severity,
)
from monitoring.availability.models.own import PartTick
from monitoring.availability.models.public import PublicNews, Subscription
from monitoring.availability.models.slos import Slo, SloBurn, SloPoint, SloState, SloVerdict
from monitoring.availability.states import SlotState, State

__all__ = [
    "Component",
    "ComponentDay",
    "ComponentKind",
    "EntryKind",
    "Evidence",
    "FactChange",
    "FollowUp",
    "GameDay",
    "HealingEntry",
    "HealingHook",
    "HealingRun",
    "HealingState",
    "Incident",
    "IncidentAlert",
    "IncidentEntry",
    "IncidentRole",
    "IncidentRule",
    "IncidentState",
    "MaintenanceWindow",
    "Outcome",
    "PartTick",
    "Postmortem",
    "Probe",
    "ProbeKind",
    "PublicNews",
    "RoleKind",
    "Series",
    "Severity",
    "Slo",
    "SloBurn",
    "SloPoint",
    "SloState",
    "SloVerdict",
    "SlotState",
    "State",
    "StateInterval",
    "Subscription",
    "Transition",
]
