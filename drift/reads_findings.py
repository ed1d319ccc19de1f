"""Findings as people see them: lists, the queue by what is most urgent, and the card of one with its evidence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from drift import deployments
from drift.deployments import DeploymentRow
from drift.findings.evidence import Evidence
from drift.models import (
    Finding,
    FindingKind,
    FindingSeverity,
    FindingState,
    Report,
    ReportState,
    Review,
    ReviewState,
    Score,
    Step,
    Verdict,
)
from drift.reviews import histograms
from drift.reviews.errors import NoSuchFindingError
from drift.reviews.histograms import Bar
from fleetledger.fleet.access import TeamScope
from fleetledger.lib.keyset import Cut
from monitoring.alerts import clock

WEIGHTS = {FindingSeverity.HIGH: 4, FindingSeverity.MEDIUM: 2, FindingSeverity.LOW: 1}
QUEUE_AT_MOST = 2000
TREND = 30
SIMILAR = 8
BEFORE = timedelta(days=7)  # deployments that may have to do with it
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding. `priority` is severity x importance x age in days begun: what is looked at first."""

    id: int
    model: str
    owner: str
    signal: str
    kind: str
    severity: str
    state: str
    summary: str
    columns: tuple[str, ...]
    flaps: int
    is_quiet: bool
    opened_at: datetime
    window_from: datetime | None
    window_to: datetime | None
    last_window_to: datetime | None
    closed_at: datetime | None
    report: int | None
    due_at: datetime
    is_overdue: bool
    review: str
    verdict: str
    decided_at: datetime | None
    importance: int
    is_production: bool
    priority: float

    @property
    def kind_label(self) -> str:
        return str(FindingKind(self.kind).label)

    @property
    def state_label(self) -> str:
        return str(FindingState(self.state).label)

    @property
    def review_label(self) -> str:
        return str(ReviewState(self.review).label)

    @property
    def verdict_label(self) -> str:
        return str(Verdict(self.verdict).label) if self.verdict else ""


@dataclass(frozen=True, slots=True)
class ReviewRow:
    id: int
    finding: int
    verdict: str
    step: str
    comment: str
    by: str
    at: datetime

    @property
    def verdict_label(self) -> str:
        return str(Verdict(self.verdict).label)

    @property
    def step_label(self) -> str:
        return str(Step(self.step).label)


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """The leading column's score in one report."""

    at: datetime
    report: int
    value: float | None
    threshold: float | None
    is_drifted: bool | None


@dataclass(frozen=True, slots=True)
class SimilarRow:
    """Another finding of the model with what people said of it."""

    finding: FindingRow
    comment: str


@dataclass(frozen=True, slots=True)
class Card:
    """Everything that a reviewer looks at."""

    finding: FindingRow
    evidence: Evidence
    reviews: tuple[ReviewRow, ...]
    deployments: tuple[DeploymentRow, ...]
    similar: tuple[SimilarRow, ...]
    trend: tuple[TrendPoint, ...]
    histogram: tuple[Bar, ...] = ()

    @property
    def moved(self) -> tuple[Bar, ...]:
        return histograms.moved_most(self.histogram)

    @property
    def last_review(self) -> int:
        return self.reviews[-1].id if self.reviews else 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters; empty for all. `state` also takes live: what is not closed."""

    model: str = ""
    state: str = ""
    kind: str = ""
    severity: str = ""
    review: str = ""


def page(wanted: Wanted, cut: Cut, *, beside: int | None = None, teams: TeamScope) -> list[FindingRow]:
    """Up to limit + 1 findings beside the one of this number, the newest first."""
    found = _wanted(wanted, teams)
    if beside is not None:
        found = found.filter(pk__gt=beside) if cut.backwards else found.filter(pk__lt=beside)
    now = clock.now()
    return [row_of(row, now) for row in found.order_by("pk" if cut.backwards else "-pk")[: cut.limit + 1]]


def queue(*, teams: TeamScope, model: str = "", state: str = "live") -> list[FindingRow]:
    """What nobody has decided, the most urgent first."""
    found = _wanted(Wanted(model=model, state=state), teams).exclude(review=ReviewState.DECIDED)
    now = clock.now()
    rows = [row_of(row, now) for row in found.order_by("due_at", "pk")[:QUEUE_AT_MOST]]
    return sorted(rows, key=lambda row: (-row.priority, row.id))


def finding(finding_id: int, *, teams: TeamScope) -> FindingRow:
    """Raises NoSuchFindingError for one that these teams may not see."""
    return row_of(stored(finding_id, teams=teams), clock.now())


def stored(finding_id: int, *, teams: TeamScope) -> Finding:
    """The row itself, for those who act on it."""
    row = _visible(teams).filter(pk=finding_id).first() if finding_id < 2**63 else None
    if row is None:
        raise NoSuchFindingError(finding_id)
    return row


def reviews(finding_ids: Sequence[int]) -> tuple[ReviewRow, ...]:
    """In the order in which people spoke."""
    return tuple(review_of(row) for row in Review.objects.filter(finding_id__in=finding_ids).order_by("pk"))


def card(finding_id: int, *, teams: TeamScope) -> Card:
    """Raises NoSuchFindingError."""
    row = stored(finding_id, teams=teams)
    since = (row.window_from or row.opened_at) - BEFORE
    until = row.last_window_to or row.closed_at
    return Card(
        finding=row_of(row, clock.now()),
        evidence=Evidence.unpacked(row.evidence),
        reviews=reviews([row.pk]),
        deployments=tuple(deployments.of_model(row.model_id, since=since, until=until)),
        similar=_similar(row),
        trend=_trend(row),
        histogram=histograms.bars(row.report_id, row.columns[0] if row.columns else ""),
    )


def review_of(row: Review) -> ReviewRow:
    return ReviewRow(row.pk, row.finding_id, row.verdict, row.step, row.comment, row.by_name, row.at)


def row_of(row: Finding, now: datetime) -> FindingRow:
    model = row.model
    age = (now - row.opened_at) / _DAY
    return FindingRow(
        id=row.pk,
        model=model.name,
        owner=model.owner.slug,
        signal=row.signal,
        kind=row.kind,
        severity=row.severity,
        state=row.state,
        summary=row.summary,
        columns=tuple(row.columns),
        flaps=row.flaps,
        is_quiet=row.is_quiet,
        opened_at=row.opened_at,
        window_from=row.window_from,
        window_to=row.window_to,
        last_window_to=row.last_window_to,
        closed_at=row.closed_at,
        report=row.report_id,
        due_at=row.due_at,
        is_overdue=row.review != ReviewState.DECIDED and row.due_at < now,
        review=row.review,
        verdict=row.verdict,
        decided_at=row.decided_at,
        importance=model.importance,
        is_production=model.is_production,
        priority=round(WEIGHTS[FindingSeverity(row.severity)] * model.importance * (1 + max(age, 0.0)), 3),
    )


def _visible(teams: TeamScope) -> QuerySet[Finding]:
    own = Q() if teams.fleet else Q(model__owner_id__in=teams.team_ids)
    return Finding.objects.filter(own).select_related("model__owner")


def _wanted(wanted: Wanted, teams: TeamScope) -> QuerySet[Finding]:
    found = _visible(teams)
    if wanted.model:
        found = found.filter(model__name=wanted.model)
    if wanted.state == "live":
        found = found.exclude(state=FindingState.CLOSED)
    named = {"kind": wanted.kind, "severity": wanted.severity, "review": wanted.review}
    named |= {"state": wanted.state if wanted.state != "live" else ""}
    return found.filter(**{name: value for name, value in named.items() if value})


def _similar(row: Finding) -> tuple[SimilarRow, ...]:
    """Of the same signal first, then of the same kind; what people said counts more than what nobody has seen."""
    others = Finding.objects.filter(model_id=row.model_id).exclude(pk=row.pk).select_related("model__owner")
    alike = [*others.filter(signal=row.signal).order_by("-pk")[:SIMILAR]]
    if len(alike) < SIMILAR:
        same_kind = others.filter(kind=row.kind).exclude(signal=row.signal).exclude(verdict="")
        alike += same_kind.order_by("-pk")[: SIMILAR - len(alike)]
    said = {one.finding: one.comment for one in reviews([one.pk for one in alike])}
    now = clock.now()
    return tuple(SimilarRow(row_of(one, now), said.get(one.pk, "")) for one in alike)


def _trend(row: Finding) -> tuple[TrendPoint, ...]:
    lead = Evidence.unpacked(row.evidence).leading
    if lead is None:
        return ()
    latest = Report.objects.filter(model_id=row.model_id, is_dated=True, state=ReportState.IMPORTED)
    ends = {pk: at for pk, at in latest.order_by("-window_to", "-pk").values_list("pk", "window_to")[:TREND] if at}
    scores = Score.objects.filter(report_id__in=ends, column=lead.column, method=lead.method)
    points = {
        score.report_id: TrendPoint(
            ends[score.report_id], score.report_id, score.value, score.threshold, score.is_drifted
        )
        for score in scores
    }
    return tuple(sorted(points.values(), key=lambda point: (point.at, point.report)))
