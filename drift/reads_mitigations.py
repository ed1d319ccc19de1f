"""Mitigations as people see them: of one finding or all, with their steps and what they cost before and after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from drift.mitigation import costs
from drift.mitigation.acts import AFTER
from drift.mitigation.costs import Cost
from drift.mitigation.errors import NoSuchMitigationError
from drift.mitigation.sending import goes_by_webhook
from drift.models import Mitigation, MitigationKind, MitigationState, MitigationStep, Model
from fleetledger.fleet.access import TeamScope
from fleetledger.lib.keyset import Cut
from monitoring.alerts import clock


@dataclass(frozen=True, slots=True)
class StepRow:
    at: datetime
    state: str
    by: str
    note: str

    @property
    def label(self) -> str:
        return str(MitigationState(self.state).label)


@dataclass(frozen=True, slots=True)
class MitigationRow:
    """A mitigation. `estimate` is what was known when it was proposed, `actual` what telemetry says since it ended."""

    id: int
    finding: int
    model: str
    owner: str
    kind: str
    state: str
    key: str
    note: str
    link: str
    proposed_at: datetime
    proposed_by: str
    sent_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    by_webhook: bool
    estimate: Cost
    actual: Cost
    steps: tuple[StepRow, ...]

    @property
    def kind_label(self) -> str:
        return str(MitigationKind(self.kind).label)

    @property
    def state_label(self) -> str:
        return str(MitigationState(self.state).label)

    @property
    def next_states(self) -> tuple[str, ...]:
        """Where a person may move it to; what is sent the outbox says."""
        after = AFTER.get(MitigationState(self.state), frozenset())
        return tuple(state.value for state in MitigationState if state in after and state is not MitigationState.SENT)


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of mitigation that may be proposed, with what it would cost now."""

    kind: str
    label: str
    by_webhook: bool
    cost: Cost


@dataclass(frozen=True, slots=True)
class Spent:
    """What mitigations cost in one currency, summed; None where nothing is known, which is not zero."""

    currency: str
    estimated: Decimal | None
    actual: Decimal | None


@dataclass(frozen=True, slots=True)
class ModelCosts:
    """Of a model's mitigations: how many there were, of how many the money is known, and that money by currency.

    A cancelled one counts only where it cost something all the same.
    """

    mitigations: int = 0
    estimates: int = 0
    actuals: int = 0
    spent: tuple[Spent, ...] = ()


NO_COSTS = ModelCosts()
_COSTS = """
WITH asked AS (
    SELECT f.model_id, g.cost ->> 'currency' AS estimated_in, (g.cost ->> 'amount')::numeric AS estimated,
           g.actual ->> 'currency' AS actual_in, (g.actual ->> 'amount')::numeric AS actual
    FROM drift_mitigation g JOIN drift_finding f ON f.id = g.finding_id JOIN drift_model m ON m.id = f.model_id
    WHERE g.proposed_at > %(since)s AND (g.state <> 'cancelled' OR g.actual ->> 'amount' IS NOT NULL)
      AND (%(fleet)s OR m.owner_id = ANY(%(teams)s)) AND (%(name)s = '' OR m.name = %(name)s)
), summed AS (
    SELECT model_id, currency, sum(estimated) AS estimated, sum(actual) AS actual FROM (
        SELECT model_id, estimated_in AS currency, estimated, NULL::numeric AS actual FROM asked
        UNION ALL SELECT model_id, actual_in, NULL, actual FROM asked
    ) each WHERE estimated IS NOT NULL OR actual IS NOT NULL GROUP BY 1, 2
), counted AS (
    SELECT model_id, count(*) AS mitigations, count(estimated) AS estimates, count(actual) AS actuals
    FROM asked GROUP BY 1
)
SELECT counted.*, summed.currency, summed.estimated, summed.actual
FROM counted LEFT JOIN summed USING (model_id) ORDER BY counted.model_id, summed.currency
"""


def costs_of_models(since: datetime, *, teams: TeamScope, name: str = "") -> Mapping[int, ModelCosts]:
    """By the model's id, of what was proposed after `since`; a model without any is left out."""
    asked: dict[str, Any] = {"since": since, "fleet": teams.fleet, "teams": sorted(teams.team_ids), "name": name}
    found: dict[int, ModelCosts] = {}
    with connection.cursor() as cursor:
        cursor.execute(_COSTS, asked)
        for model_id, mitigations, estimates, actuals, currency, estimated, actual in cursor:
            before = found[model_id].spent if model_id in found else ()
            spent = (*before, Spent(currency, estimated, actual)) if currency is not None else before
            found[model_id] = ModelCosts(mitigations, estimates, actuals, spent)
    return found


def of_finding(finding_id: int) -> tuple[MitigationRow, ...]:
    """The newest first; the caller has seen that the finding may be shown."""
    rows = _all().filter(finding_id=finding_id).order_by("-pk")
    return tuple(_row(row) for row in rows)


def page(cut: Cut, *, beside: int | None, teams: TeamScope, finding: int | None = None) -> list[MitigationRow]:
    """Up to limit + 1, the newest first."""
    found = _visible(teams)
    if finding is not None:
        found = found.filter(finding_id=finding)
    if beside is not None:
        found = found.filter(pk__gt=beside) if cut.backwards else found.filter(pk__lt=beside)
    return [_row(row) for row in found.order_by("pk" if cut.backwards else "-pk")[: cut.limit + 1]]


def stored(mitigation_id: int, *, teams: TeamScope) -> Mitigation:
    """The row itself, for those who act on it; raises NoSuchMitigationError."""
    row = _visible(teams).filter(pk=mitigation_id).first() if mitigation_id < 2**63 else None
    if row is None:
        raise NoSuchMitigationError(mitigation_id)
    return row


def one(mitigation_id: int, *, teams: TeamScope) -> MitigationRow:
    """Raises NoSuchMitigationError."""
    return _row(stored(mitigation_id, teams=teams))


def offers(model: Model) -> tuple[Offer, ...]:
    """Each kind with its cost; one estimate for all."""
    now = clock.now()
    return tuple(
        Offer(kind, str(kind.label), goes_by_webhook(model, kind), costs.estimate(model, kind, now))
        for kind in MitigationKind
    )


def _all() -> QuerySet[Mitigation]:
    return Mitigation.objects.select_related("finding__model__owner").prefetch_related("steps")


def _visible(teams: TeamScope) -> QuerySet[Mitigation]:
    return _all().filter(Q() if teams.fleet else Q(finding__model__owner_id__in=teams.team_ids))


def _row(row: Mitigation) -> MitigationRow:
    model = row.finding.model
    return MitigationRow(
        id=row.pk,
        finding=row.finding_id,
        model=model.name,
        owner=model.owner.slug,
        kind=row.kind,
        state=row.state,
        key=str(row.key),
        note=row.note,
        link=row.link,
        proposed_at=row.proposed_at,
        proposed_by=row.proposed_by,
        sent_at=row.sent_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        by_webhook=goes_by_webhook(model, row.kind),
        estimate=Cost.unpacked(row.cost),
        actual=costs.shown(row),
        steps=_steps(row.steps.all()),
    )


def _steps(rows: Sequence[MitigationStep] | QuerySet[MitigationStep]) -> tuple[StepRow, ...]:
    return tuple(StepRow(step.at, step.state, step.by_name, step.note) for step in rows)
