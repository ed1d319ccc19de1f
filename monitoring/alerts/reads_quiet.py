"""What withholds on purpose: silences and maintenance windows, with how many alerts each holds back now."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from fleetledger.fleet.access import TeamScope
from monitoring.alerts.matchers import Matcher, all_match, all_to_text, of_json
from monitoring.alerts.models import Alert, AlertState, Maintenance, Silence
from monitoring.alerts.reads import of_team, visible

CHUNK = 1000


class Phase(StrEnum):
    """Where now lies: before, within or after."""

    ACTIVE = "active"
    PENDING = "pending"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Quiet:
    """A silence, or a maintenance window (which has a name). `withholds`: open alerts now; None: not counted."""

    id: UUID
    team_id: int | None
    team: str | None
    team_name: str
    name: str
    state: str
    matchers: tuple[dict[str, Any], ...]
    matchers_text: str
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str
    updated_at: datetime | None
    withholds: int | None = None


@dataclass(frozen=True, slots=True)
class PhaseCounts:
    active: int = 0
    pending: int = 0
    expired: int = 0
    maintenance: int = 0


@dataclass(frozen=True, slots=True)
class Preview:
    """What matchers would withhold now: how many of a tenant's open alerts, and some of them."""

    count: int
    open: int
    names: tuple[str, ...]


def silences(
    phase: Phase | None,
    *,
    teams: TeamScope,
    at: datetime,
    team: str = "",
    first: int = 0,
    limit: int = 25,
) -> tuple[Quiet, ...]:
    """A page of them, not yet `counted`: what ends first, of expired ones what ended last."""
    order = ("-ends_at", "pk") if phase in (Phase.EXPIRED, None) else ("ends_at", "pk")
    rows = _in_phase(Silence.objects.filter(visible(teams), of_team(team)), phase, at).select_related("team")
    return tuple(_quiet(row, at) for row in rows.order_by(*order)[first : first + limit])


def silence(silence_id: UUID, *, teams: TeamScope, at: datetime) -> Quiet | None:
    row = Silence.objects.filter(visible(teams), pk=silence_id).select_related("team").first()
    return counted([_quiet(row, at)])[0] if row else None


def maintenance_windows(
    *, teams: TeamScope, at: datetime, team: str = "", first: int = 0, limit: int = 25, phase: Phase | None = None
) -> tuple[Quiet, ...]:
    """The latest first, not yet `counted`."""
    rows = _in_phase(Maintenance.objects.filter(visible(teams), of_team(team)), phase, at).select_related("team")
    page = rows.order_by("-ends_at", "pk")[first : first + limit]
    return tuple(_quiet(row, at) for row in page)


def maintenance_window(window_id: UUID, *, teams: TeamScope, at: datetime) -> Quiet | None:
    row = Maintenance.objects.filter(visible(teams), pk=window_id).select_related("team").first()
    return counted([_quiet(row, at)])[0] if row else None


def counted(rows: Sequence[Quiet]) -> tuple[Quiet, ...]:
    """Those in force, with how many open alerts of their tenant they fit: one query, and a look at each for each."""
    live = [row for row in rows if row.state == Phase.ACTIVE]
    labels = _open_labels({row.team_id for row in live}) if live else {}
    return tuple(
        replace(row, withholds=_fitting(row, labels[row.team_id])) if row.state == Phase.ACTIVE else row for row in rows
    )


def every_quiet(phase: Phase | None, *, is_maintenance: bool, teams: TeamScope, at: datetime) -> Iterator[Quiet]:
    """All of them, for a download."""
    model = Maintenance if is_maintenance else Silence
    rows = _in_phase(model.objects.filter(visible(teams)), phase, at).select_related("team")
    for row in rows.order_by("-ends_at", "pk").iterator(chunk_size=CHUNK):
        yield _quiet(row, at)


def phase_counts(*, teams: TeamScope, at: datetime) -> PhaseCounts:
    found = Silence.objects.filter(visible(teams)).aggregate(
        active=Count("pk", filter=Q(starts_at__lte=at, ends_at__gt=at)),
        pending=Count("pk", filter=Q(starts_at__gt=at, ends_at__gt=at)),
        expired=Count("pk", filter=Q(ends_at__lte=at)),
    )
    windows = Maintenance.objects.filter(visible(teams)).count()
    return PhaseCounts(**found, maintenance=windows)


def preview(team_id: int | None, matchers: Sequence[Matcher]) -> Preview:
    """Asked of every open alert of the tenant by the matchers themselves, as the notifier asks."""
    labels = _open_labels([team_id])[team_id]
    fitting = [one for one in labels if all_match(matchers, one)]
    names = sorted({one.get("alertname", "") for one in fitting})
    return Preview(len(fitting), len(labels), tuple(names))


def _in_phase(rows: QuerySet[Any], phase: Phase | None, at: datetime) -> QuerySet[Any]:
    conditions = {
        Phase.ACTIVE: Q(starts_at__lte=at, ends_at__gt=at),
        Phase.PENDING: Q(starts_at__gt=at, ends_at__gt=at),
        Phase.EXPIRED: Q(ends_at__lte=at),
    }
    return rows.filter(conditions[phase]) if phase else rows


def _quiet(row: Silence | Maintenance, at: datetime) -> Quiet:
    is_over, is_ahead = row.ends_at <= at, row.starts_at > at
    phase = Phase.EXPIRED if is_over else Phase.PENDING if is_ahead else Phase.ACTIVE
    return Quiet(
        id=row.pk,
        team_id=row.team_id,
        team=row.team.slug if row.team else None,
        team_name=row.team.name if row.team else "Platform",
        name=row.name if isinstance(row, Maintenance) else "",
        state=phase.value,
        matchers=tuple(row.matchers),
        matchers_text=all_to_text(map(of_json, row.matchers)),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        created_by=row.created_by,
        comment=row.comment,
        updated_at=row.updated_at if isinstance(row, Silence) else None,
    )


def _fitting(row: Quiet, labels: Sequence[Mapping[str, str]]) -> int:
    matchers = tuple(map(of_json, row.matchers))
    return sum(all_match(matchers, one) for one in labels)


def _open_labels(team_ids: Collection[int | None]) -> dict[int | None, list[dict[str, str]]]:
    """The labels of each tenant's open alerts."""
    found: dict[int | None, list[dict[str, str]]] = {team_id: [] for team_id in team_ids}
    named = [team_id for team_id in team_ids if team_id is not None]
    own = Q(team_id__in=named) | (Q(team__isnull=True) if None in team_ids else Q(pk__in=[]))
    for team_id, labels in (
        Alert.objects.filter(own).exclude(state=AlertState.RESOLVED).values_list("team_id", "labels")
    ):
        found[team_id].append(labels)
    return found
