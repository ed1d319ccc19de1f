"""A message as channels get it: a group's alerts with who is told and why."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

FIRING, RESOLVED = "firing", "resolved"


@dataclass(frozen=True, slots=True)
class AlertLine:
    """One alert in a message, as it was when the message was queued. `status` is firing or resolved.

    `url`: our page of it, put in when the message is sent; empty where there is none.
    """

    alert_id: int
    episode_id: int
    fingerprint: str
    status: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    starts_at: datetime
    ends_at: datetime | None = None
    generator_url: str = ""
    is_acknowledged: bool = False
    is_stale: bool = False
    url: str = ""


@dataclass(frozen=True, slots=True)
class PageNote:
    """Who is paged with a message, and why. By `url` they acknowledge without signing in: it is theirs alone."""

    person: str
    why: str
    url: str


@dataclass(frozen=True, slots=True)
class Message:
    """What one destination is told once. `key` is the Idempotency-Key; `group_key` is Alertmanager's."""

    key: UUID
    kind: str
    tenant: str
    receiver: str
    group_key: str
    group_labels: Mapping[str, str]
    alerts: tuple[AlertLine, ...]
    note: str = ""
    external_url: str = ""
    destination_id: int = 0
    group_id: int | None = None
    page_id: int | None = None
    page: PageNote | None = None
    accepted: tuple[str, ...] = ()  # the parts that the destination took on an earlier try, in its channel's words

    @property
    def status(self) -> str:
        """Firing while any of its alerts is."""
        return FIRING if any(alert.status == FIRING for alert in self.alerts) else RESOLVED

    @property
    def firing(self) -> tuple[AlertLine, ...]:
        return tuple(alert for alert in self.alerts if alert.status == FIRING)

    @property
    def resolved(self) -> tuple[AlertLine, ...]:
        return tuple(alert for alert in self.alerts if alert.status == RESOLVED)

    @property
    def common_labels(self) -> dict[str, str]:
        return _common([alert.labels for alert in self.alerts])

    @property
    def common_annotations(self) -> dict[str, str]:
        return _common([alert.annotations for alert in self.alerts])


@dataclass(frozen=True, slots=True)
class Body:
    """What an outbox row keeps of a message: the alerts, and a sentence before them."""

    alerts: tuple[AlertLine, ...] = ()
    note: str = ""
    group_key: str = ""
    group_labels: Mapping[str, str] = field(default_factory=dict)

    def packed(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "note": self.note,
            "group_key": self.group_key,
            "group_labels": dict(self.group_labels),
            "alerts": [_packed(alert) for alert in self.alerts],
        }

    @classmethod
    def unpacked(cls, document: Mapping[str, Any]) -> "Body":
        return cls(
            alerts=tuple(map(_unpacked, document.get("alerts", ()))),
            note=document.get("note", ""),
            group_key=document.get("group_key", ""),
            group_labels=document.get("group_labels", {}),
        )


def _common(sets: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """The pairs that all of `sets` have."""
    if not sets:
        return {}
    first, *rest = sets
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in rest)}


def _packed(alert: AlertLine) -> dict[str, Any]:
    ends_at = alert.ends_at.isoformat() if alert.ends_at else None
    packed = asdict(alert) | {"starts_at": alert.starts_at.isoformat(), "ends_at": ends_at}
    del packed["url"]
    return packed


def _unpacked(document: Mapping[str, Any]) -> AlertLine:
    ends_at = document["ends_at"]
    return AlertLine(
        **dict(document)
        | {
            "starts_at": datetime.fromisoformat(document["starts_at"]),
            "ends_at": datetime.fromisoformat(ends_at) if ends_at else None,
        }
    )
