"""Where alerts go: a tenant's tree as rows to draw, receivers with their destinations' health, and one alert's way."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Count, Q

from monitoring.alerts import mutes, routing, trees
from monitoring.alerts.labels import Labels
from monitoring.alerts.matchers import all_to_text
from monitoring.alerts.models import ChannelKind, Destination, MessageState
from monitoring.alerts.mutes import Hours, Mute, Mutes
from monitoring.alerts.routing import InhibitRule, Route
from monitoring.alerts.tenants import Tenant
from monitoring.alerts.trees import TreeView

_TARGETS = ("to", "channel", "url", "place")


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A node of the tree. `depth` 0 is the root; `group_by` None: by all labels.

    `escalations`: pairs of a severity ("default": all others) and the escalation's name, inherited ones too.
    `mute`: the stretch in which it tells nobody, the present one or the next one within a month.
    """

    path: str
    depth: int
    matchers: str
    receiver: str
    group_by: tuple[str, ...] | None
    group_wait_s: float
    group_interval_s: float
    repeat_interval_s: float
    continues: bool
    escalations: tuple[tuple[str, str], ...] = ()
    mute_time_intervals: tuple[str, ...] = ()
    active_time_intervals: tuple[str, ...] = ()
    mute: Mute | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """A destination with its health. `state`: ok, failing, resting (its breaker is open) or unused."""

    id: int
    receiver: str
    channel: str
    target: str
    send_resolved: bool
    state: str
    failures: int
    open_until: datetime | None
    last_delivered_at: datetime | None
    last_error: str
    last_error_at: datetime | None
    waiting: int


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver, who is told where it cannot be, and the places that it tells."""

    name: str
    fallback: str | None
    destinations: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Inhibition:
    source: str
    target: str
    equal: tuple[str, ...]
    strict: bool


@dataclass(frozen=True, slots=True)
class Routing:
    """A tenant's whole routing. `is_own` false: the platform's, in place of an own one."""

    team: str | None
    is_own: bool
    is_applied: bool
    routes: tuple[RouteRow, ...]
    receivers: tuple[Receiver, ...]
    inhibit_rules: tuple[Inhibition, ...]
    time_intervals: tuple[Hours, ...] = ()


@dataclass(frozen=True, slots=True)
class Way:
    """One route that an alert takes: into which group, for whom, after how long; `mute` as of the route."""

    path: str
    receiver: str
    group_labels: dict[str, str]
    group_wait_s: float
    destinations: tuple[str, ...]
    mute: Mute | None = None


def routing_of(tenant: Tenant, at: datetime) -> Routing:
    """The routing of one tenant, which the caller may see."""
    tree = trees.tree_for(tenant.team_id)
    return Routing(
        team=None if tenant.team_id is None else tenant.slug,
        is_own=tree.is_own,
        is_applied=tree.version > 0,
        routes=tuple(_route_rows(tree.route, 0, Mutes(tree.time_intervals, at))),
        receivers=_receivers(tree, at),
        inhibit_rules=tuple(map(_inhibition, tree.inhibit_rules)),
        time_intervals=mutes.hours_of(tree.time_intervals, tree.document.time_intervals, at),
    )


def ways(tenant: Tenant, labels: Labels, at: datetime) -> tuple[Way, ...]:
    """Where an alert with these labels would go."""
    tree = trees.tree_for(tenant.team_id)
    muting = Mutes(tree.time_intervals, at)
    return tuple(_way(tree, route, labels, muting) for route in routing.matched(tree.route, labels))


def _way(tree: TreeView, route: Route, labels: Labels, muting: Mutes) -> Way:
    places = trees.destinations(tree.tree_id, route.receiver)
    return Way(
        path=route.path,
        receiver=route.receiver,
        group_labels=routing.group_labels(route, labels),
        group_wait_s=route.group_wait_s,
        destinations=tuple(f"{ChannelKind(place.kind).label} {target(place.config)}".strip() for place in places),
        mute=muting.of(route),
    )


def target(config: Mapping[str, Any]) -> str:
    """Whom a destination's entry names, without what may be secret: no path, no password, no reference."""
    for name in _TARGETS:
        value = config.get(name)
        if isinstance(value, str) and value:
            return _host(value) if "://" in value else value
        if isinstance(value, list) and value:
            return ", ".join(map(str, value))
    return ""


def _host(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}" + (f":{parts.port}" if parts.port else "")


def _route_rows(route: Route, depth: int, muting: Mutes) -> Iterator[RouteRow]:
    yield RouteRow(
        path=route.path,
        depth=depth,
        matchers=all_to_text(route.matchers).strip("{}"),
        receiver=route.receiver,
        group_by=route.group_by,
        group_wait_s=route.group_wait_s,
        group_interval_s=route.group_interval_s,
        repeat_interval_s=route.repeat_interval_s,
        continues=route.continues,
        escalations=route.escalation,
        mute_time_intervals=route.mute_time_intervals,
        active_time_intervals=route.active_time_intervals,
        mute=muting.of(route),
    )
    for child in route.routes:
        yield from _route_rows(child, depth + 1, muting)


def _receivers(tree: TreeView, at: datetime) -> tuple[Receiver, ...]:
    rows = (
        Destination.objects.filter(tree_id=tree.tree_id, removed_at=None)
        .annotate(waiting=Count("messages", filter=Q(messages__state=MessageState.QUEUED)))
        .order_by("receiver", "kind", "place")
    )
    places: dict[str, list[Place]] = {name: [] for name in tree.receivers}
    for row in rows:
        places.setdefault(row.receiver, []).append(_place(row, row.waiting, at, shows_answers=tree.is_own))
    return tuple(Receiver(name, trees.fallback_of(tree, name), tuple(found)) for name, found in places.items())


def _place(row: Destination, waiting: int, at: datetime, *, shows_answers: bool) -> Place:
    """A team that borrows the platform's tree reads no answers there: they may speak of another team's alerts."""
    return Place(
        id=row.pk,
        receiver=row.receiver,
        channel=str(ChannelKind(row.kind).label),
        target=target(row.config),
        send_resolved=row.send_resolved,
        state=_state(row, at),
        failures=row.failures,
        open_until=row.open_until,
        last_delivered_at=row.last_delivered_at,
        last_error=row.last_error if shows_answers else "",
        last_error_at=row.last_error_at,
        waiting=waiting,
    )


def _state(row: Destination, at: datetime) -> str:
    if row.open_until is not None and row.open_until > at:
        return "resting"
    if row.failures:
        return "failing"
    return "ok" if row.last_delivered_at else "unused"


def _inhibition(rule: InhibitRule) -> Inhibition:
    return Inhibition(
        all_to_text(rule.source).strip("{}"), all_to_text(rule.target).strip("{}"), rule.equal, rule.strict
    )
