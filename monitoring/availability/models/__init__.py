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
from monitoring.availability.models.slos import Slo, SloBurn, SloPoint, SloState, SloVerdict
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
    "Slo",
    "SloBurn",
    "SloPoint",
    "SloState",
    "SloVerdict",
    "SlotState",
    "State",
    "StateInterval",
    "Transition",
]
