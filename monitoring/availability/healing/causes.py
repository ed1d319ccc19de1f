"""What a hook is called for: components that are in a bad state, and alerts that fire; and whether that is over."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from monitoring.alerts.matchers import parse
from monitoring.alerts.models import Episode
from monitoring.alerts.reads import matching
from monitoring.alerts.suppression import suppressors
from monitoring.availability import judging
from monitoring.availability.models import HealingHook, HealingRun, State, Transition
from monitoring.availability.tiles import Tile

Tiles = Mapping[int, Tile]


@dataclass(frozen=True, slots=True)
class Cause:
    """`ref` names it, so that it is healed once; `evidence` is what a person decides by."""

    ref: str
    since: datetime
    evidence: dict[str, Any]
    episode_id: int | None = None


def tiles_now(now: datetime) -> Tiles:
    return judging.now_of_all(now)[1]


def of_hook(hook: HealingHook, tiles: Tiles, now: datetime) -> Iterator[Cause]:
    """What has lasted for as long as the hook wants. Planned work and what is silenced is nobody's to heal."""
    found = _of_component(hook, tiles) if hook.component_id is not None else _of_alerts(hook, now)
    yield from (cause for cause in found if cause.since + timedelta(seconds=hook.after_s) <= now)


def is_over(run: HealingRun, tiles: Tiles) -> bool:
    """Whether what it was for is well again, or the alert was forgotten."""
    hook = run.hook
    if hook.component_id is None:
        return run.episode is None or run.episode.ended_at is not None
    tile = tiles.get(hook.component_id)
    return tile is None or tile.state in (State.UP, State.MAINTENANCE, State.IDLE)


def _of_component(hook: HealingHook, tiles: Tiles) -> Iterator[Cause]:
    tile = tiles.get(hook.component_id or 0)
    last = Transition.objects.filter(component=hook.component).order_by("-at", "-pk").first()
    if tile is None or last is None or tile.state not in hook.states or last.to_state != tile.state:
        return
    component = hook.component
    evidence = {
        "component": component.name if component else "",
        "state": tile.state.value,
        "since": last.at.isoformat(),
        "why": tile.why,
    }
    yield Cause(f"transition:{_first_bad(hook, last)}", last.at, evidence)


def _first_bad(hook: HealingHook, last: Transition) -> int:
    """The change by which the trouble began: from degraded to down is the same trouble."""
    first = last
    for row in Transition.objects.filter(component=hook.component, at__lte=last.at).order_by("-at", "-pk")[:50]:
        if row.to_state not in hook.states:
            break
        first = row
    return first.pk


def _of_alerts(hook: HealingHook, now: datetime) -> Iterator[Cause]:
    rows = Episode.objects.filter(Q(alert__team_id=hook.team_id), ended_at=None).select_related("alert")
    suppressor = suppressors(now)
    for row in matching(rows, [parse(text) for text in hook.matchers], "alert__labels").order_by("pk"):
        if suppressor(hook.team_id).of(row.alert) or row.alert.state != "firing":
            continue
        evidence = {
            "alert": row.alert.name,
            "labels": row.alert.labels,
            "summary": row.alert.annotations.get("summary", ""),
            "since": row.started_at.isoformat(),
        }
        yield Cause(f"episode:{row.pk}", row.opened_at, evidence, row.pk)
