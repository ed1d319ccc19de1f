"""Tells alerting which components have been down for too long: one alert each, for whom they belong to."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from monitoring.alerts import door
from monitoring.alerts.door import Finding
from monitoring.availability import reads
from monitoring.availability.models import Component, ComponentKind
from monitoring.availability.own.seen import PREFIX
from monitoring.availability.states import State
from monitoring.availability.tiles import Tile

REPORTER = "availability"
PART_DOWN, COMPONENT_DOWN = "FleetledgerPartDown", "ComponentDown"
AGAIN = timedelta(minutes=1)
Findings = Mapping[int | None, Sequence[Finding]]


@dataclass(slots=True)
class Teller:
    """Remembers what it told, so that nothing is told each second that has not changed."""

    told: dict[int | None, tuple[frozenset[str], datetime]] = field(default_factory=dict)

    def tell(self, tiles: Mapping[int, Tile], now: datetime) -> None:
        found = findings(tiles, now)
        for team_id in found.keys() | self.told.keys():
            some = found.get(team_id, ())
            names = frozenset(str(sorted(one.labels.items())) for one in some)
            before = self.told.get(team_id)
            if before is None or before[0] != names or now - before[1] >= AGAIN:
                door.report(REPORTER, team_id, some)
                self.told[team_id] = names, now


def findings(tiles: Mapping[int, Tile], now: datetime) -> Findings:
    """What is down and has been for as long as its component allows, by team; a team with nothing down has none."""
    since = reads.since_of_all()
    found: dict[int | None, list[Finding]] = defaultdict(list)
    for row in Component.objects.filter(removed_at=None, alert=True).only(
        "id", "name", "title", "kind", "team_id", "severity", "alert_after_s", "runbook_url"
    ):
        started = since.get(row.pk)
        found[row.team_id] += ()
        tile = tiles.get(row.pk)
        if tile is None or tile.state is not State.DOWN or started is None:
            continue
        if now - started >= timedelta(seconds=row.alert_after_s):
            found[row.team_id].append(_finding(row, tile, started))
    return found


def _finding(row: Component, tile: Tile, started: datetime) -> Finding:
    is_own = row.kind == ComponentKind.OWN
    labels = {"alertname": PART_DOWN if is_own else COMPONENT_DOWN, "severity": row.severity}
    labels |= {"part": row.name.removeprefix(PREFIX)} if is_own else {"component": row.name, "kind": row.kind}
    annotations = {
        "summary": f"{row.title} is down",
        "description": tile.why,
        "component_url": f"{settings.BASE_URL.rstrip('/')}/availability/{row.name}/",
    }
    return Finding(labels, annotations | ({"runbook_url": row.runbook_url} if row.runbook_url else {}), started)
