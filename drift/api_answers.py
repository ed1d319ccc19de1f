"""The shapes of drift's API answers."""

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from drift.importing import Enqueued
from drift.reads import ModelRow
from drift.reads_mitigations import Spent
from drift.reads_reports import ReportRow, ScoreRow
from fleetledger.fleet.access import Capability, Principal, can

MONEY = "costs"
"""The area whose scope a token needs to be told money: read:drift alone tells none."""


def sees_money(caller: Principal) -> bool:
    """People see the money of the teams that they see; a token needs 'read' or 'read:costs'."""
    return can(caller, Capability.READ, area=MONEY)


@dataclass(frozen=True, slots=True)
class SpentAnswer:
    """What a model's mitigations cost in one currency; null where nothing is known, which is not zero."""

    currency: str
    estimated: Decimal | None
    actual: Decimal | None

    @classmethod
    def of(cls, row: Spent) -> "SpentAnswer":
        return cls(row.currency, row.estimated, row.actual)


@dataclass(frozen=True, slots=True)
class ModelAnswer:
    """A model with what its last dated report says. `state`: drifted, some, steady, unknown, late, empty, removed.

    `worst_finding` is the severity of the gravest open finding. `spent` is what the mitigations of the last 90 days
    cost: estimated for `mitigations_estimated` of them, actual for `mitigations_counted`; null without a scope for it.
    """

    name: str
    owner: str
    description: str
    production: bool
    importance: int
    pool: str
    expected_every_s: int | None
    window: str
    state: str
    reports: int
    undated: int
    last_report: int | None
    last_window_from: datetime | None
    last_window_to: datetime | None
    last_received_at: datetime | None
    share: float | None
    columns: int | None
    drifted_columns: int | None
    drifted: bool | None
    open_findings: int
    worst_finding: str | None
    mitigations: int
    mitigations_estimated: int
    mitigations_counted: int
    spent: tuple[SpentAnswer, ...] | None

    @classmethod
    def of(cls, row: ModelRow, *, sees_money: bool = False) -> "ModelAnswer":
        last = row.last
        return cls(
            name=row.name,
            owner=row.owner,
            description=row.description,
            production=row.is_production,
            importance=row.importance,
            pool=row.pool,
            expected_every_s=row.expected_every_s,
            window=row.window_grain,
            state=row.state.value,
            reports=row.reports,
            undated=row.undated,
            last_report=last.id if last else None,
            last_window_from=last.window_from if last else None,
            last_window_to=last.window_to if last else None,
            last_received_at=row.last_received_at,
            share=last.share if last else None,
            columns=last.columns if last else None,
            drifted_columns=last.drifted_columns if last else None,
            drifted=last.is_drifted if last else None,
            open_findings=row.open_findings,
            worst_finding=row.worst or None,
            mitigations=row.costs.mitigations,
            mitigations_estimated=row.costs.estimates,
            mitigations_counted=row.costs.actuals,
            spent=tuple(map(SpentAnswer.of, row.costs.spent)) if sees_money else None,
        )


@dataclass(frozen=True, slots=True)
class TrendAnswer:
    """The share of drifted columns of one report; null where a column's flag is unknown."""

    at: datetime
    share: float | None


@dataclass(frozen=True, slots=True)
class ModelDetailAnswer:
    """A model with the trend of its last reports, the oldest first."""

    model: ModelAnswer
    trend: tuple[TrendAnswer, ...]

    @classmethod
    def of(cls, row: ModelRow, *, sees_money: bool = False) -> "ModelDetailAnswer":
        points = zip(row.trend_at, row.trend, strict=True)
        return cls(ModelAnswer.of(row, sees_money=sees_money), tuple(TrendAnswer(at, share) for at, share in points))


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """A report. `state` is received or imported; without a window it is not `dated` and stays out of trends."""

    id: int
    model: str
    owner: str
    state: str
    generation: str
    tool: str
    tool_version: str
    dated: bool
    dated_by: str
    window_from: datetime | None
    window_to: datetime | None
    made_at: datetime | None
    received_at: datetime
    received_by: str
    share: float | None
    drift_share: float | None
    drifted: bool | None
    columns: int
    drifted_columns: int
    note: str
    file_name: str
    size_bytes: int
    job: uuid.UUID | None

    @classmethod
    def of(cls, row: ReportRow) -> "ReportAnswer":
        return cls(
            id=row.id,
            model=row.model,
            owner=row.owner,
            state=row.state,
            generation=row.generation,
            tool=row.tool,
            tool_version=row.tool_version,
            dated=row.is_dated,
            dated_by=row.dated_by,
            window_from=row.window_from,
            window_to=row.window_to,
            made_at=row.made_at,
            received_at=row.received_at,
            received_by=row.received_by,
            share=row.share,
            drift_share=row.drift_share,
            drifted=row.is_drifted,
            columns=row.columns,
            drifted_columns=row.drifted_columns,
            note=row.note,
            file_name=row.file_name,
            size_bytes=row.size_bytes,
            job=row.job_id,
        )


@dataclass(frozen=True, slots=True)
class ScoreAnswer:
    """A score. `direction` says when it drifts: small, large, outside (its thresholds) or unknown."""

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
    drifted: bool | None
    engine: str
    engine_version: str
    recipe: str

    @classmethod
    def of(cls, row: ScoreRow) -> "ScoreAnswer":
        return cls(
            row.position, row.column, row.kind, row.method, row.method_as_written, row.value, row.threshold,
            row.threshold_low, row.threshold_assumed, row.direction, row.is_drifted, row.engine, row.engine_version,
            row.recipe,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReceivedAnswer:
    """The reports that a file gives, and the job that reads their scores. `known`: it was here before."""

    model: str
    known: bool
    state: str
    reports: tuple[int, ...]
    scores: int
    job: uuid.UUID | None

    @classmethod
    def of(cls, model: str, done: Enqueued) -> "ReceivedAnswer":
        received = done.received
        return cls(
            model=model,
            known=received.is_known,
            state="received" if received.waiting else "imported",
            reports=received.report_ids,
            scores=received.scores,
            job=done.job_id,
        )
