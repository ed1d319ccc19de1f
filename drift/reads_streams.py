"""Where a model's stream of events stands: its last batch, what waits, its labels, and the watch over them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Max, Q, Sum

from drift.findings.concepts import SIGNAL
from drift.measures.labels.adwin import Adwin
from drift.models import ConceptWatch, EventBatch, Finding, Model, Prediction
from fleetledger.fleet.access import TeamScope

LABELS_OF_LAST = 10_000  # predictions: the share that has a label is told of so many


@dataclass(frozen=True, slots=True)
class BatchRow:
    """Events that came together. `counted_at` is empty while they wait."""

    id: int
    events: int
    received_at: datetime
    received_from: str
    counted_at: datetime | None


@dataclass(frozen=True, slots=True)
class ConceptRow:
    """Where the watch over losses stands: `usual` before the rise that is open, `mean` now; `rows` were weighed."""

    rows: int
    mean: float
    usual: float
    is_open: bool
    finding_id: int | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class StreamRow:
    """A model's events. `labelled` and `unlabelled` are of its last predictions, LABELS_OF_LAST at most."""

    last: BatchRow | None
    waiting_batches: int
    waiting_events: int
    labelled: int
    unlabelled: int
    last_label_at: datetime | None
    concept: ConceptRow | None

    @property
    def predictions(self) -> int:
        return self.labelled + self.unlabelled

    @property
    def labelled_share(self) -> float | None:
        return self.labelled / self.predictions if self.predictions else None

    @property
    def is_used(self) -> bool:
        """Whether any event or label came."""
        return self.last is not None or self.concept is not None or self.labelled_share is not None


def streams(model: str, *, teams: TeamScope) -> StreamRow | None:
    """A model's events and labels; None for one that these teams may not see."""
    if "\x00" in model:
        return None
    own = Q() if teams.fleet else Q(owner_id__in=teams.team_ids)
    model_id = Model.objects.filter(own, name=model).values_list("pk", flat=True).first()
    if model_id is None:
        return None
    batches = EventBatch.objects.filter(model_id=model_id)
    waiting = batches.filter(counted_at=None).aggregate(batches=Count("pk"), events=Sum("events"))
    labels = _labels(model_id)
    return StreamRow(
        last=_batch(batches.defer("content").order_by("-pk").first()),
        waiting_batches=waiting["batches"],
        waiting_events=waiting["events"] or 0,
        labelled=labels["labelled"],
        unlabelled=labels["total"] - labels["labelled"],
        last_label_at=labels["last"],
        concept=_concept(model_id),
    )


def _labels(model_id: int) -> Mapping[str, Any]:
    latest = Prediction.objects.filter(model_id=model_id, at__isnull=False).order_by("-at")
    return latest.values("pk", "label", "labelled_at")[:LABELS_OF_LAST].aggregate(
        total=Count("pk"), labelled=Count("label"), last=Max("labelled_at")
    )


def _batch(row: EventBatch | None) -> BatchRow | None:
    if row is None:
        return None
    return BatchRow(row.pk, row.events, row.received_at, row.received_from, row.counted_at)


def _concept(model_id: int) -> ConceptRow | None:
    row = ConceptWatch.objects.filter(model_id=model_id).first()
    if row is None:
        return None
    finding = Finding.objects.filter(model_id=model_id, signal=SIGNAL, closed_at=None).values_list("pk", flat=True)
    detector = row.state.get("detector")
    return ConceptRow(
        rows=row.rows,
        mean=Adwin.from_state(detector).mean if detector else 0.0,
        usual=row.state.get("usual", 0.0),
        is_open=row.state.get("is_open", False),
        finding_id=finding.first(),
        until=row.until,
    )
