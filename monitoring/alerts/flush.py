"""Looks at the groups that are due, and queues what each destination is to be told. One transaction for each group.

1. The group's row is locked; a tick that another notifier took is left alone.
2. Withheld: what a silence, inhibition or maintenance covers is not told as firing; the episode notes it.
3. Each destination is told where something is news for it: an episode that it was not told, an end that it was not
   told, or the repeat interval is over. A message carries all of the group's alerts, an end once.
4. Members whose end is told, or need not be, leave; an empty group sleeps.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction

from monitoring.alerts import grouping, intervals, outbox, routing, trees
from monitoring.alerts.escalation import runs
from monitoring.alerts.lines import group_key, line_of
from monitoring.alerts.message import AlertLine, Body
from monitoring.alerts.models import (
    Alert,
    AlertState,
    Destination,
    Episode,
    Event,
    EventKind,
    Group,
    GroupMember,
    MessageKind,
    Notified,
    Told,
)
from monitoring.alerts.routing import Route
from monitoring.alerts.suppression import Suppressor, Suppressors, Withheld, suppressors
from monitoring.alerts.trees import TreeView

AT_ONCE = 200
log = structlog.get_logger(__name__)


def next_due() -> datetime | None:
    """When the next group is to be looked at."""
    found = Group.objects.filter(tick_at__isnull=False).order_by("tick_at").values_list("tick_at", flat=True)
    return found.first()


def flush_due(now: datetime) -> int:
    """Look at every group that is due by `now`; gives how many. Several at once are harmless."""
    of_tenant = suppressors(now)
    flushed = 0
    while due := list(_due(now)):
        taken = [_guarded(group_id, now, of_tenant) for group_id in due]
        flushed += sum(taken)
        if not any(taken) or len(due) < AT_ONCE:
            break
    return flushed


def _guarded(group_id: int, now: datetime, of_tenant: Suppressors) -> bool:
    """A group that breaks is looked at again in a moment, and holds up no other."""
    try:
        return _flush_one(group_id, now, of_tenant)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("alerts.group_broke", group=group_id)
        return False


def _due(now: datetime) -> Iterable[int]:
    return Group.objects.filter(tick_at__lte=now).order_by("tick_at").values_list("pk", flat=True)[:AT_ONCE]


@transaction.atomic
def _flush_one(group_id: int, now: datetime, of_tenant: Suppressors) -> bool:
    """Whether this call took the group's tick."""
    due = Group.objects.select_for_update(skip_locked=True).filter(pk=group_id, tick_at__lte=now)
    group = due.first()
    if group is None or group.tick_at is None:
        return False
    tree = trees.tree_for(group.team_id)
    route = routing.by_path(tree.route, group.route)
    if route is None:  # who reported by a tree that was just replaced may have missed the regrouping
        grouping.join(list(group.alerts.exclude(state=AlertState.RESOLVED)), now)
    tick = _last_tick(group.tick_at, now, group.group_interval_s)
    work = _Work(group, tick, now)
    work.see_withheld(of_tenant(group.team_id))
    destinations = trees.destinations(tree.tree_id, route.receiver) if route else ()
    muted_by = _muted_by(tree, route, now) if route else ""
    work.tell_all(destinations, route if not muted_by else None)
    if route and not muted_by:
        work.escalate(route)
    work.leave(tick + timedelta(seconds=group.group_interval_s))
    return True


def _muted_by(tree: TreeView, route: Route, now: datetime) -> str:
    return intervals.muted_by(tree.time_intervals, route.mute_time_intervals, route.active_time_intervals, now)


def _last_tick(tick_at: datetime, now: datetime, interval_s: float) -> datetime:
    """The last of the group's ticks by `now`: those that nobody looked at are not made up for."""
    missed = math.floor((now - tick_at).total_seconds() / interval_s)
    return tick_at + timedelta(seconds=missed * interval_s)


@dataclass(slots=True)
class _Member:
    """An alert of the group with its open episode, or the last one where it is resolved."""

    alert: Alert
    episode: Episode
    withheld: Withheld | None = None

    @property
    def is_open(self) -> bool:
        return self.episode.ended_at is None


class _Work:
    """One group at one tick."""

    def __init__(self, group: Group, tick: datetime, now: datetime) -> None:
        self._group = group
        self._tick = tick
        self._now = now
        self._members = _members(group)
        self._told = list(
            Told.objects.filter(group=group, resolved_queued_at__isnull=True).select_related(
                "episode__alert", "destination"
            )
        )
        self._last_ticks = dict(Notified.objects.filter(group=group).values_list("destination_id", "last_tick_at"))

    def see_withheld(self, suppressor: Suppressor) -> None:
        """Note on each open episode whether it is withheld, with an event where that changed."""
        changed: dict[int, Withheld] = {}
        for member in self._members:
            if member.is_open:
                member.withheld = suppressor.of(member.alert)
                if bool(member.withheld) != member.episode.is_withheld:
                    changed[member.episode.pk] = member.withheld
        if not changed:
            return
        free = Episode.objects.select_for_update(skip_locked=True, no_key=True).filter(pk__in=changed)
        episodes = list(free)  # one that intake holds is noted at the next tick: intake may be waiting for this group
        for episode in episodes:
            episode.is_withheld = bool(changed[episode.pk])
        Episode.objects.bulk_update(episodes, ["is_withheld"])
        Event.objects.bulk_create(
            self._event(
                episode, EventKind.WITHHELD if episode.is_withheld else EventKind.RELEASED, changed[episode.pk].words
            )
            for episode in episodes
        )

    def tell_all(self, destinations: Sequence[Destination], route: Route | None) -> None:
        """Queue messages; destinations that are gone are still told the ends of what they were told."""
        now_there = {destination.pk: destination for destination in destinations}
        before = {row.destination_id: row.destination for row in self._told}
        for destination in {**before, **now_there}.values():
            self._tell(destination, repeat=destination.pk in now_there and route is not None)

    def escalate(self, route: Route) -> None:
        """Begin the escalation of what nobody has and no run is about yet."""
        waiting = [member for member in self._members if member.is_open and not member.withheld]
        news = [(member.alert, member.episode) for member in waiting if member.episode.acknowledged_at is None]
        if news and route.escalation:
            runs.begin(self._group, route, news, self._now)

    def leave(self, next_tick: datetime) -> None:
        """Let those go whose end is told or was never to be told; say so where nobody had heard of them."""
        over = [member for member in self._members if not member.is_open]
        known = set(
            Told.objects.filter(group=self._group, episode__in=[member.episode for member in over]).values_list(
                "episode_id", flat=True
            )
        )
        quiet = [member for member in over if member.episode.pk not in known]
        Event.objects.bulk_create(self._event(member.episode, EventKind.QUIET) for member in quiet)
        GroupMember.objects.filter(group=self._group, alert__in=[member.alert for member in over]).delete()
        is_empty = len(over) == len(self._members)
        self._group.tick_at = None if is_empty else next_tick
        self._group.has_ticked = not is_empty
        self._group.save(update_fields=["tick_at", "has_ticked"])

    def _tell(self, destination: Destination, *, repeat: bool) -> None:
        told = {row.episode_id: row for row in self._told if row.destination_id == destination.pk}
        ended = [row for row in told.values() if row.episode.ended_at is not None]
        firing = [member for member in self._members if member.is_open and not member.withheld] if repeat else []
        waiting = [member for member in firing if member.episode.acknowledged_at is None]
        news = [member for member in waiting if member.episode.pk not in told]
        ends = ended if destination.send_resolved else []
        if news or ends or (waiting and self._is_repeat_due(destination)):
            lines = [*(line_of(row.episode.alert, row.episode) for row in ends)]
            lines += [line_of(member.alert, member.episode) for member in firing]
            kind = MessageKind.FIRING if waiting else MessageKind.RESOLVED
            self._queue(destination, kind, lines)
            self._note_told(destination, [member.episode for member in firing if member.episode.pk not in told])
        Told.objects.filter(pk__in=[row.pk for row in ended]).update(resolved_queued_at=self._now)

    def _is_repeat_due(self, destination: Destination) -> bool:
        last = self._last_ticks.get(destination.pk)
        return last is None or self._tick - last >= timedelta(seconds=self._group.repeat_interval_s)

    def _queue(self, destination: Destination, kind: MessageKind, lines: Sequence[AlertLine]) -> None:
        group = self._group
        body = Body(
            alerts=tuple(sorted(lines, key=lambda line: (line.starts_at, line.fingerprint))),
            group_key=group_key(group),
            group_labels=group.labels,
        )
        outbox.enqueue(
            team_id=group.team_id,
            destination=destination,
            kind=kind,
            body=body,
            dedupe_key=f"g{group.pk}:d{destination.pk}:{int(self._tick.timestamp() * 1_000_000)}",
            now=self._now,
            group=group,
        )
        Notified.objects.update_or_create(group=group, destination=destination, defaults={"last_tick_at": self._tick})

    def _note_told(self, destination: Destination, episodes: Iterable[Episode]) -> None:
        Told.objects.bulk_create(
            (
                Told(group=self._group, destination=destination, episode=episode, firing_queued_at=self._now)
                for episode in episodes
            ),
            ignore_conflicts=True,
        )

    def _event(self, episode: Episode, kind: EventKind, note: str = "") -> Event:
        return Event(
            team_id=self._group.team_id,
            alert_id=episode.alert_id,
            episode=episode,
            at=self._now,
            kind=kind,
            note=note,
        )


def _members(group: Group) -> list[_Member]:
    """The group's alerts with their last episodes."""
    alerts = {alert.pk: alert for alert in Alert.objects.filter(memberships__group=group).order_by("pk")}
    last = Episode.objects.filter(alert__in=alerts).order_by("alert_id", "-number").distinct("alert_id")
    return [_Member(alerts[episode.alert_id], episode) for episode in last]
