"""What was wrong: episodes with how long they took, and until somebody had them, within the reader's teams."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Avg, Count, F, Q, QuerySet

from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Window
from fleetledger.lib.keyset import Cut
from monitoring.alerts.matchers import Matcher
from monitoring.alerts.models import EndedBy, Episode
from monitoring.alerts.reads import matching, newest_first, of_team, person, visible

CHUNK = 1000


@dataclass(frozen=True, slots=True)
class PastFilter:
    """Episodes of which we heard within `window`; empty parts filter nothing."""

    window: Window | None = None
    severity: str = ""
    team: str = ""
    matchers: tuple[Matcher, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """One time that an alert fired. Seconds are None while it has not come to that."""

    id: int
    alert_id: int
    number: int
    name: str
    severity: str
    team: str | None
    labels: dict[str, str]
    started_at: datetime
    opened_at: datetime
    ended_at: datetime | None
    ended_by: str
    acknowledged_at: datetime | None
    acknowledged_by: str
    assigned_to: str
    seconds_to_acknowledge: float | None
    seconds_to_resolve: float | None


@dataclass(frozen=True, slots=True)
class PastSums:
    """Means over all that the filter lets through: until acknowledged, until resolved."""

    episodes: int
    acknowledged: int
    resolved: int
    mean_to_acknowledge: timedelta | None
    mean_to_resolve: timedelta | None

    @property
    def unacknowledged(self) -> int:
        return self.episodes - self.acknowledged


def history(wanted: PastFilter, cut: Cut, number: int | None, *, teams: TeamScope) -> list[Past]:
    """Up to limit + 1 beside the one of this number, the newest first."""
    return [_past(row) for row in _values(newest_first(_rows(wanted, teams), cut, number))]


def every_episode(wanted: PastFilter, *, teams: TeamScope) -> Iterator[Past]:
    for row in _values(_rows(wanted, teams).order_by("-pk")).iterator(chunk_size=CHUNK):
        yield _past(row)


def history_sums(wanted: PastFilter, *, teams: TeamScope) -> PastSums:
    found = _rows(wanted, teams).aggregate(
        episodes=Count("pk"),
        acknowledged=Count("pk", filter=Q(acknowledged_at__isnull=False)),
        resolved=Count("pk", filter=Q(ended_at__isnull=False)),
        mean_to_acknowledge=Avg(F("acknowledged_at") - F("opened_at")),
        mean_to_resolve=Avg(F("ended_at") - F("started_at")),
    )
    return PastSums(**found)


def _rows(wanted: PastFilter, teams: TeamScope) -> QuerySet[Episode]:
    rows = Episode.objects.filter(visible(teams, "alert__team"), of_team(wanted.team, "alert__team"))
    if wanted.window is not None:
        rows = rows.filter(opened_at__gte=wanted.window.start, opened_at__lt=wanted.window.end)
    if wanted.severity:
        rows = rows.filter(alert__severity=wanted.severity)
    for word in wanted.words:
        rows = rows.filter(Q(alert__name__icontains=word) | Q(alert__annotations__summary__icontains=word))
    return matching(rows, wanted.matchers, "alert__labels")


def _values(rows: QuerySet[Episode]) -> QuerySet[Any, Any]:
    return rows.values(
        "id", "alert_id", "number", "started_at", "opened_at", "ended_at", "ended_by", "acknowledged_at",
        name=F("alert__name"),
        severity=F("alert__severity"),
        team=F("alert__team__slug"),
        labels=F("alert__labels"),
        had_by=person("acknowledged_by"),
        given_to=person("assigned_to"),
    )  # fmt: skip


def _past(row: dict[str, Any]) -> Past:
    acknowledged_at, ended_at = row["acknowledged_at"], row["ended_at"]
    return Past(
        id=row["id"],
        alert_id=row["alert_id"],
        number=row["number"],
        name=row["name"],
        severity=row["severity"],
        team=row["team"],
        labels=row["labels"],
        started_at=row["started_at"],
        opened_at=row["opened_at"],
        ended_at=ended_at,
        ended_by=str(EndedBy(row["ended_by"]).label) if row["ended_by"] else "",
        acknowledged_at=acknowledged_at,
        acknowledged_by=row["had_by"],
        assigned_to=row["given_to"],
        seconds_to_acknowledge=(acknowledged_at - row["opened_at"]).total_seconds() if acknowledged_at else None,
        seconds_to_resolve=(ended_at - row["started_at"]).total_seconds() if ended_at else None,
    )
