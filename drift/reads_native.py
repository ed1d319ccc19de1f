"""What is known of the rows that came here: references, windows, and their buckets."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db.models import Q, QuerySet

from drift.measures.robust.buckets import labels_of_buckets
from drift.measures.robust.profile import ColumnProfile, Profile
from drift.models import (
    DataWindow,
    Model,
    Reference,
    ReferenceState,
    Report,
    WindowSource,
    WindowState,
)
from drift.reviews import histograms
from drift.reviews.histograms import Bar
from fleetledger.fleet.access import TeamScope
from fleetledger.lib.keyset import Cut

_BEYOND_IDS = 2**63
T = TypeVar("T", Reference, DataWindow)


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """A version of a model's reference. `received_by` is a person or the program; `sent_by_user` tells the person.

    `rows` and `columns` are 0 and the window is unknown until it is read. `finding_id` is the finding whose windows
    became this version, where no file did.
    """

    id: int
    model: str
    owner: str
    is_production: bool
    version: int
    state: str
    note: str
    trouble: str
    rows: int
    columns: int
    window_from: datetime | None
    window_to: datetime | None
    received_at: datetime
    received_by: str
    sent_by_user: int | None
    decided_at: datetime | None
    decided_by: str
    decision_note: str
    file_name: str
    size_bytes: int
    finding_id: int | None
    job_id: uuid.UUID | None

    @property
    def state_label(self) -> str:
        return str(ReferenceState(self.state).label)

    @property
    def is_proposed(self) -> bool:
        return self.state == ReferenceState.PROPOSED

    @property
    def is_waiting(self) -> bool:
        return self.state == ReferenceState.WAITING


@dataclass(frozen=True, slots=True)
class WindowRow:
    """Rows of a model from `window_from` up to `window_to`. `report_id` is what was computed of them, if anything."""

    id: int
    model: str
    owner: str
    source: str
    state: str
    window_from: datetime
    window_to: datetime
    rows: int
    is_complete: bool
    reference_id: int | None
    reference_version: int | None
    report_id: int | None
    trouble: str
    received_at: datetime
    changed_at: datetime
    file_name: str
    job_id: uuid.UUID | None

    @property
    def state_label(self) -> str:
        return str(WindowState(self.state).label)

    @property
    def source_label(self) -> str:
        return str(WindowSource(self.source).label)

    @property
    def is_waiting(self) -> bool:
        return self.state == WindowState.WAITING


@dataclass(frozen=True, slots=True)
class Bucket:
    """A range or a category with its share of all rows, nulls included in what it is a share of."""

    label: str
    share: float


@dataclass(frozen=True, slots=True)
class ReferenceColumn:
    """A column of a reference. `low` and `high` are known of numbers, `distinct` of categories that are all kept.

    `buckets` are in order; null and other type come last, where the reference has such rows.
    """

    name: str
    kind: str
    rows: int
    null_share: float
    low: float | None
    high: float | None
    distinct: int | None
    buckets: tuple[Bucket, ...]


def references(
    model: str | None = None, *, teams: TeamScope, cut: Cut, beside: int | None = None
) -> list[ReferenceRow]:
    """Up to limit + 1 references beside the one of this number, the newest first."""
    found = _named(_references(teams), model)
    if beside is not None:
        found = found.filter(pk__gt=beside) if cut.backwards else found.filter(pk__lt=beside)
    return [_reference(row) for row in found.order_by("pk" if cut.backwards else "-pk")[: cut.limit + 1]]


def reference(reference_id: int, *, teams: TeamScope) -> ReferenceRow | None:
    """None for one that these teams may not see."""
    row = _references(teams).filter(pk=reference_id).first() if reference_id < _BEYOND_IDS else None
    return _reference(row) if row is not None else None


def active(model: str, *, teams: TeamScope) -> ReferenceRow | None:
    """What a model's windows are compared with now."""
    row = _references(teams).filter(model__name=model, state=ReferenceState.ACTIVE).first()
    return _reference(row) if row is not None else None


def proposed(model: str, *, teams: TeamScope) -> int:
    """How many references of a model wait for a review."""
    return _references(teams).filter(model__name=model, state=ReferenceState.PROPOSED).count()


def reference_columns(reference_id: int, *, teams: TeamScope) -> tuple[ReferenceColumn, ...]:
    """In the file's order; none while it is not read, and none of what these teams may not see."""
    if reference_id >= _BEYOND_IDS:
        return ()
    own = _own(teams)
    profile = Reference.objects.filter(own, pk=reference_id).values_list("profile", flat=True).first()
    return tuple(map(_column, Profile.from_json(profile).columns)) if profile else ()


def windows(
    model: str | None = None, *, teams: TeamScope, state: str = "", cut: Cut, beside: int | None = None
) -> list[WindowRow]:
    """Up to limit + 1 windows beside the one of this number, the latest first."""
    found = _named(_windows(teams), model)
    if state:
        found = found.filter(state=state)
    if beside is not None:
        found = _beyond(found, beside, backwards=cut.backwards)
    order = ("window_to", "pk") if cut.backwards else ("-window_to", "-pk")
    return [_window(row) for row in found.order_by(*order)[: cut.limit + 1]]


def window(window_id: int, *, teams: TeamScope) -> WindowRow | None:
    """None for one that these teams may not see."""
    row = _windows(teams).filter(pk=window_id).first() if window_id < _BEYOND_IDS else None
    return _window(row) if row is not None else None


def unreadable_windows(model: str, *, teams: TeamScope) -> int:
    return DataWindow.objects.filter(_own(teams), model__name=model, state=WindowState.UNREADABLE).count()


def compared(reference_id: int, *, teams: TeamScope) -> int:
    """How many windows were compared with a reference."""
    computed = DataWindow.objects.filter(_own(teams), state=WindowState.COMPUTED)
    return computed.filter(reference_id=reference_id).count() if reference_id < _BEYOND_IDS else 0


def bars(report_id: int, column: str, *, teams: TeamScope) -> tuple[Bar, ...]:
    """A column's buckets in a report's window and in its reference; none where only scores are kept."""
    is_seen = report_id < _BEYOND_IDS and Report.objects.filter(_own(teams), pk=report_id).exists()
    return histograms.bars(report_id, column) if is_seen else ()


def _own(teams: TeamScope) -> Q:
    return Q() if teams.fleet else Q(model__owner_id__in=teams.team_ids)


def _references(teams: TeamScope) -> QuerySet[Reference]:
    found = Reference.objects.filter(_own(teams)).select_related("model__owner", "file", "received_by")
    return found.defer("profile", "seasons", "baseline")


def _windows(teams: TeamScope) -> QuerySet[DataWindow]:
    found = DataWindow.objects.filter(_own(teams)).select_related("model__owner", "file", "reference")
    return found.defer("counts", "reference__profile", "reference__seasons", "reference__baseline")


def _named(found: QuerySet[T], model: str | None) -> QuerySet[T]:
    """Of one model, whose id is looked up first so that its index gives the order; of all where none is named."""
    if not model:
        return found
    one = Model.objects.filter(name=model).values("pk")[:1]
    return found.filter(model=one) if "\x00" not in model else found.none()


def _beyond(found: QuerySet[DataWindow], beside: int, *, backwards: bool) -> QuerySet[DataWindow]:
    """By the end of its window first; nothing beside a window that is not there."""
    end = DataWindow.objects.filter(pk=beside).values_list("window_to", flat=True).first()
    if end is None:
        return found.none()
    if backwards:
        return found.filter(Q(window_to__gt=end) | Q(window_to=end, pk__gt=beside))
    return found.filter(Q(window_to__lt=end) | Q(window_to=end, pk__lt=beside))


def _column(column: ColumnProfile) -> ReferenceColumn:
    buckets, counts = column.buckets, column.counts
    rows = max(counts.rows, 1)
    inside = zip(labels_of_buckets(buckets), counts.inside, strict=True)
    others = [(label, held) for label, held in (("null", counts.nulls), ("other type", counts.misfits)) if held]
    return ReferenceColumn(
        name=column.name,
        kind=buckets.kind.value,
        rows=counts.rows,
        null_share=counts.nulls / rows,
        low=counts.low,
        high=counts.high,
        distinct=len(buckets.levels) or None,
        buckets=tuple(Bucket(label, held / rows) for label, held in (*inside, *others)),
    )


def _reference(row: Reference) -> ReferenceRow:
    return ReferenceRow(
        id=row.pk,
        model=row.model.name,
        owner=row.model.owner.slug,
        is_production=row.model.is_production,
        version=row.version,
        state=row.state,
        note=row.note,
        trouble=row.trouble,
        rows=row.rows,
        columns=row.columns,
        window_from=row.window_from,
        window_to=row.window_to,
        received_at=row.received_at,
        received_by=row.received_by.username if row.received_by else row.received_from,
        sent_by_user=row.received_by_id,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
        decision_note=row.decision_note,
        file_name=row.file.name if row.file else "",
        size_bytes=row.file.size_bytes if row.file else 0,
        finding_id=row.finding_id,
        job_id=row.job_id,
    )


def _window(row: DataWindow) -> WindowRow:
    return WindowRow(
        id=row.pk,
        model=row.model.name,
        owner=row.model.owner.slug,
        source=row.source,
        state=row.state,
        window_from=row.window_from,
        window_to=row.window_to,
        rows=row.rows,
        is_complete=row.is_complete,
        reference_id=row.reference_id,
        reference_version=row.reference.version if row.reference else None,
        report_id=row.report_id,
        trouble=row.trouble,
        received_at=row.received_at,
        changed_at=row.changed_at,
        file_name=row.file.name if row.file else "",
        job_id=row.job_id,
    )
