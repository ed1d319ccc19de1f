"""Begins the runs of escalations, and ends them where somebody has the alerts or they are over."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog
from django.db import connection
from django.db.models import Exists, OuterRef, Q

from monitoring.alerts import clock
from monitoring.alerts.escalation import said
from monitoring.alerts.models import Alert, Episode, Escalation, Event, EventKind, Group, Run, RunEpisode, RunState
from monitoring.alerts.routing import Route

_BEGINNING = 0x657363  # the room of our advisory locks
CAN_RESUME = (RunState.ACKNOWLEDGED, RunState.EXHAUSTED)
log = structlog.get_logger(__name__)


def begin(group: Group, route: Route, news: Sequence[tuple[Alert, Episode]], now: datetime) -> None:
    """Begin a run for each escalation that `route` has for these alerts, those left out that a run knows already.

    Within the transaction that holds the group's row. An alert that two groups have is escalated by an escalation once.
    """
    by_name: dict[str, list[Episode]] = defaultdict(list)
    for alert, episode in news:
        if name := route.escalation_for(alert.severity):
            by_name[name].append(episode)
    stored = {row.name: row for row in Escalation.objects.filter(name__in=by_name, removed_at=None)}
    for name, episodes in by_name.items():
        if name in stored:
            _begin_one(group, stored[name], episodes, now)
        else:
            _say_missing(group, name, episodes, now)


def stop_acknowledged(episodes: Iterable[Episode], now: datetime) -> None:
    """Stop the runs whose open alerts somebody has, all of them. The caller holds the episodes."""
    runs = _locked(episodes, (RunState.ACTIVE,))
    waiting = Q(ended_at__isnull=True, acknowledged_at__isnull=True)
    over = _without(runs, waiting)
    _end(over, RunState.ACKNOWLEDGED, now)


def stop_resolved(episodes: Iterable[Episode], now: datetime) -> None:
    """End the runs whose alerts are over, all of them; where the rest is acknowledged, that is how the run ends."""
    runs = _locked(episodes, (RunState.ACTIVE, RunState.ACKNOWLEDGED))
    over = _without(runs, Q(ended_at__isnull=True))
    _end(over, RunState.RESOLVED, now)
    rest = [run for run in runs if run not in over and run.state == RunState.ACTIVE]
    _end(_without(rest, Q(ended_at__isnull=True, acknowledged_at__isnull=True)), RunState.ACKNOWLEDGED, now)


def resume(episodes: Iterable[Episode], now: datetime) -> None:
    """Go on where the runs stood, at once; one that had done all its steps begins a new set of rounds."""
    runs = _locked(episodes, CAN_RESUME)
    for run in runs:
        if run.state == RunState.EXHAUSTED:
            run.round, run.first_round, run.step = run.round + 1, run.round + 1, 0
        run.state, run.due_at, run.changed_at, run.held_for = RunState.ACTIVE, now, now, ""
    Run.objects.bulk_update(runs, ["state", "round", "first_round", "step", "due_at", "changed_at", "held_for"])


def _begin_one(group: Group, escalation: Escalation, episodes: Sequence[Episode], now: datetime) -> None:
    if not _unknown(group, escalation, episodes):  # at most ticks: nobody waits for another group then
        return
    with connection.cursor() as cursor:  # two groups that have one alert may begin at the same moment
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_BEGINNING, escalation.pk])
    fresh = _unknown(group, escalation, episodes)
    if not fresh:
        return
    run = Run.objects.create(
        team_id=group.team_id,
        escalation=escalation,
        group=group,
        steps=escalation.steps,
        repeat=escalation.repeat,
        acknowledge_timeout_s=escalation.acknowledge_timeout_s,
        started_at=now,
        due_at=now,
        changed_at=now,
    )
    RunEpisode.objects.bulk_create(RunEpisode(run=run, group=group, episode=episode) for episode in fresh)
    said.note(fresh, EventKind.ESCALATED, now, f"by '{escalation.name}' begins.", group.team_id)
    clock.ring()


def _unknown(group: Group, escalation: Escalation, episodes: Sequence[Episode]) -> list[Episode]:
    """Those that no run of this group or escalation is about."""
    of_group = Q(group=group) | Q(run__escalation=escalation)
    known = set(RunEpisode.objects.filter(of_group, episode__in=episodes).values_list("episode_id", flat=True))
    return [episode for episode in episodes if episode.pk not in known]


def _say_missing(group: Group, name: str, episodes: Sequence[Episode], now: datetime) -> None:
    """Once for each alert; the audit raises an alert of its own."""
    words = f"There is no escalation '{name}': nobody is paged. Add it under 'escalations', or correct the route."
    told = Event.objects.filter(episode__in=episodes, kind=EventKind.NOT_TOLD, note=words)
    known = set(told.values_list("episode_id", flat=True))
    fresh = [episode for episode in episodes if episode.pk not in known]
    said.note(fresh, EventKind.NOT_TOLD, now, words, group.team_id)
    if fresh:
        log.error("alerts.no_such_escalation", escalation=name, group=group.pk)


def _locked(episodes: Iterable[Episode], states: Sequence[RunState]) -> list[Run]:
    """One after the other, whoever asks: what is read of their episodes afterwards is what others committed."""
    of_episodes = RunEpisode.objects.filter(run=OuterRef("pk"), episode__in=[episode.pk for episode in episodes])
    rows = Run.objects.select_for_update(of=("self",), no_key=True).filter(Exists(of_episodes), state__in=states)
    return list(rows.order_by("pk"))


def _without(runs: Sequence[Run], wanted: Q) -> list[Run]:
    """The runs of which no episode is as `wanted`."""
    if not runs:
        return []
    episodes = Episode.objects.filter(wanted, escalated__run__in=runs)
    having = set(episodes.values_list("escalated__run_id", flat=True))
    return [run for run in runs if run.pk not in having]


def _end(runs: Sequence[Run], state: RunState, now: datetime) -> None:
    Run.objects.filter(pk__in=[run.pk for run in runs]).update(state=state, due_at=None, held_for="", changed_at=now)
