"""Alerting's tables, by room: what is wrong, what withholds, who is told, what we evaluate ourselves."""

from monitoring.alerts.models.alerts import (
    Alert,
    AlertState,
    Clock,
    EndedBy,
    Episode,
    Event,
    EventKind,
    IntakeSpan,
    Report,
    Sender,
)
from monitoring.alerts.models.delivery import (
    Attempt,
    ChannelKind,
    Destination,
    Group,
    GroupMember,
    MessageKind,
    MessageState,
    Notified,
    OutboxMessage,
    Told,
    Tree,
)
from monitoring.alerts.models.quiet import Maintenance, Silence
from monitoring.alerts.models.rules import Heartbeat, Rule, RuleInstance, RuleKind

__all__ = [
    "Alert",
    "AlertState",
    "Attempt",
    "ChannelKind",
    "Clock",
    "Destination",
    "EndedBy",
    "Episode",
    "Event",
    "EventKind",
    "Group",
    "GroupMember",
    "Heartbeat",
    "IntakeSpan",
    "Maintenance",
    "MessageKind",
    "MessageState",
    "Notified",
    "OutboxMessage",
    "Report",
    "Rule",
    "RuleInstance",
    "RuleKind",
    "Sender",
    "Silence",
    "Told",
    "Tree",
]
