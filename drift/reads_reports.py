"""What reports say: lists of them, one with its scores, the file as it came, and features by reports."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min, Q, QuerySet

from drift.ingest import raw_of
from drift.models import DatedBy, Generation, Report, ReportFile, ReportState, Score, ScoreKind
from fleetledger.fleet.access import TeamScope
from fleetledger.lib.keyset import Cut

HEAT_REPORTS = 60
HEAT_COLUMNS = 60


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report. `state` is received until its scores are stored; `share` is null where a flag is unknown."""

    id: int
    model: str
    owner: str
    state: str
    generation: str
    tool: str
    tool_version: str
    window_from: datetime | None
    window_to: datetime | None
    is_dated: bool
    dated_by: str
    made_at: datetime | None
    received_at: datetime
    received_by: str
    share: float | None
    drift_share: float | None
    is_drifted: bool | None
    columns: int
    drifted_columns: int
    note: str
    file_name: str
    size_bytes: int
    job_id: uuid.UUID | None

    @property
    def made_by(self) -> str:
        """The tool as people call it, with its version where the report says it."""
        label = str(Generation(self.generation).label)
        return f"{label} ({self.tool_version})" if self.tool_version else label

    @property
    def dated_by_label(self) -> str:
        return str(DatedBy(self.dated_by).label) if self.dated_by else ""

    @property
    def at(self) -> datetime:
        """The end of its window, or when it came."""
        return self.window_to or self.received_at


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One score as the report gives it. Under `estimate` the number stands for what labels will tell."""

    position: int
    column: str
    kind: str
    method: str
    method_as_written: str
    value: float | None
    threshold: float | None
    threshold_low: float | None
    threshold_assumed: bool
    direction: str
    is_drifted: bool | None
    engine: str
    engine_version: str
    recipe: str

    @property
    def kind_label(self) -> str:
        return str(ScoreKind(self.kind).label)


@dataclass(frozen=True, slots=True)
class RawFile:
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class HeatCell:
    """The score of a column in a report, the drifted one first where there are several."""

    value: float | None
    threshold: float | None
    direction: str
    method: str
    is_drifted: bool | None


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Columns by reports, the oldest report first; None where a report has no score of a column."""

    columns: tuple[str, ...]
    reports: tuple[ReportRow, ...]
    cells: tuple[tuple[HeatCell | None, ...], ...]


def reports(
    *, teams: TeamScope, model: str = "", dated: bool | None = None, cut: Cut, beside: int | None = None
) -> list[ReportRow]:
    """Up to limit + 1 reports beside the one of this number, the newest first."""
    found = _visible(teams)
    if model:
        found = found.filter(model__name=model)
    if dated is not None:
        found = found.filter(is_dated=dated)
    if beside is not None:
        found = found.filter(pk__gt=beside) if cut.backwards else found.filter(pk__lt=beside)
    return [_row(report) for report in found.order_by("pk" if cut.backwards else "-pk")[: cut.limit + 1]]


def report(report_id: int, *, teams: TeamScope) -> ReportRow | None:
    found = _visible(teams).filter(pk=report_id).first()
    return _row(found) if found is not None else None


def by_id(report_ids: tuple[int, ...], *, teams: TeamScope) -> tuple[ReportRow, ...]:
    return tuple(_row(found) for found in _visible(teams).filter(pk__in=report_ids).order_by("pk"))


def scores(report_id: int, *, teams: TeamScope) -> tuple[ScoreRow, ...]:
    """A report's scores in its own order; none of a report that these teams may not see."""
    if not _visible(teams).filter(pk=report_id).exists():
        return ()
    rows = Score.objects.filter(report_id=report_id).order_by("position")
    return tuple(
        ScoreRow(
            row.position, row.column, row.kind, row.method, row.method_as_written, row.value, row.threshold,
            row.threshold_low, row.threshold_assumed, row.direction, row.is_drifted, row.engine, row.engine_version,
            row.recipe,
        )
        for row in rows
    )  # fmt: skip


def raw(report_id: int, *, teams: TeamScope) -> RawFile | None:
    """The report's file byte for byte; None for what was computed here, and for what these teams may not see."""
    file = ReportFile.objects.filter(reports__in=_visible(teams).filter(pk=report_id)).first()
    return RawFile(file.name or f"report-{report_id}.json", raw_of(file)) if file is not None else None


def heat_map(model_id: int, *, teams: TeamScope, at_most: int = HEAT_REPORTS) -> HeatMap:
    """The last dated reports of a model; of many columns those that drifted most often."""
    latest = _latest(model_id, teams).select_related("model__owner", "file", "received_by").defer("file__content")
    shown = [_row(found) for found in latest[:at_most]][::-1]
    scores_of = Score.objects.filter(report_id__in=[row.id for row in shown], kind=ScoreKind.DRIFT)
    columns = _most_drifted(scores_of)
    cells: dict[str, dict[int, HeatCell]] = {column: {} for column in columns}
    found = scores_of.filter(column__in=columns).order_by("position")
    for report_id, column, value, threshold, direction, method, is_drifted in found.values_list(
        "report_id", "column", "value", "threshold", "direction", "method", "is_drifted"
    ):
        mine = cells[column]
        if report_id not in mine or (is_drifted and not mine[report_id].is_drifted):
            mine[report_id] = HeatCell(value, threshold, direction, method, is_drifted)
    grid = tuple(tuple(cells[column].get(row.id) for row in shown) for column in columns)
    return HeatMap(columns, tuple(shown), grid)


def _most_drifted(scores_of: QuerySet[Score]) -> tuple[str, ...]:
    """HEAT_COLUMNS of them: those that drifted in most reports, then in the reports' own order."""
    drifted = Count("report_id", distinct=True, filter=Q(is_drifted=True))
    rows = scores_of.values("column").annotate(drifted=drifted, first=Min("position"))
    return tuple(rows.order_by("-drifted", "first", "column").values_list("column", flat=True)[:HEAT_COLUMNS])


def heat_columns(model_id: int, *, teams: TeamScope) -> int:
    """How many columns the last dated reports of a model score, drawn or not."""
    latest = _latest(model_id, teams)[:HEAT_REPORTS].values("pk")
    scores_of = Score.objects.filter(report_id__in=latest, kind=ScoreKind.DRIFT)
    return scores_of.values("column").distinct().count()


def _latest(model_id: int, teams: TeamScope) -> QuerySet[Report]:
    own = Q() if teams.fleet else Q(model__owner_id__in=teams.team_ids)
    found = Report.objects.filter(own, model_id=model_id, is_dated=True, state=ReportState.IMPORTED)
    return found.order_by("-window_to", "-pk")


def _visible(teams: TeamScope) -> QuerySet[Report]:
    own = Q() if teams.fleet else Q(model__owner_id__in=teams.team_ids)
    return Report.objects.filter(own).select_related("model__owner", "file", "received_by").defer("file__content")


def _row(report: Report) -> ReportRow:
    file = report.file
    return ReportRow(
        id=report.pk,
        model=report.model.name,
        owner=report.model.owner.slug,
        state=report.state,
        generation=report.generation,
        tool=report.tool,
        tool_version=report.tool_version,
        window_from=report.window_from,
        window_to=report.window_to,
        is_dated=report.is_dated,
        dated_by=report.dated_by,
        made_at=report.made_at,
        received_at=report.received_at,
        received_by=report.received_by.username if report.received_by else file.received_from if file else "",
        share=report.share,
        drift_share=report.drift_share,
        is_drifted=report.is_drifted,
        columns=report.columns,
        drifted_columns=report.drifted_columns,
        note=report.note,
        file_name=file.name if file else "",
        size_bytes=file.size_bytes if file else 0,
        job_id=file.job_id if file else None,
    )
