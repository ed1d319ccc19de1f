"""Availability's tables, by room: components with what was seen of them."""

from monitoring.availability.models.components import (
    Component,
    ComponentDay,
    ComponentKind,
    Evidence,
    MaintenanceWindow,
    Probe,
    ProbeKind,
    Series,
    StateInterval,
    Transition,
)
from monitoring.availability.models.own import PartTick
from monitoring.availability.states import SlotState, State

__all__ = [
    "Component",
    "ComponentDay",
    "ComponentKind",
    "Evidence",
    "MaintenanceWindow",
    "PartTick",
    "Probe",
    "ProbeKind",
    "Series",
    "SlotState",
    "State",
    "StateInterval",
    "Transition",
]
