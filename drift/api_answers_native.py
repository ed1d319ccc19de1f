"""The shapes of the API's answers about references, windows and events."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from drift.reads_native import ReferenceColumn, ReferenceRow, WindowRow
from drift.reads_streams import BatchRow, ConceptRow, StreamRow


@dataclass(frozen=True, slots=True)
class ReferenceAnswer:
    """A version of a model's reference. `state`: waiting, unreadable, proposed, active, retired or refused.

    `finding` is the one whose windows became this version, where no file did.
    """

    id: int
    model: str
    owner: str
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
    decided_at: datetime | None
    decided_by: str
    decision_note: str
    file_name: str
    size_bytes: int
    finding: int | None
    job: uuid.UUID | None

    @classmethod
    def of(cls, row: ReferenceRow) -> "ReferenceAnswer":
        return cls(
            row.id, row.model, row.owner, row.version, row.state, row.note, row.trouble, row.rows, row.columns,
            row.window_from, row.window_to, row.received_at, row.received_by, row.decided_at, row.decided_by,
            row.decision_note, row.file_name, row.size_bytes, row.finding_id, row.job_id,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class BucketAnswer:
    """A range or a category with its share of all rows."""

    label: str
    share: float


@dataclass(frozen=True, slots=True)
class ReferenceColumnAnswer:
    """A column of a reference in the file's order. `distinct` counts categories, where all are known."""

    position: int
    name: str
    kind: str
    rows: int
    null_share: float
    low: float | None
    high: float | None
    distinct: int | None
    buckets: tuple[BucketAnswer, ...]

    @classmethod
    def of(cls, position: int, row: ReferenceColumn) -> "ReferenceColumnAnswer":
        buckets = tuple(BucketAnswer(one.label, one.share) for one in row.buckets)
        return cls(
            position, row.name, row.kind, row.rows, row.null_share, row.low, row.high, row.distinct, buckets,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class DataWindowAnswer:
    """Rows of a model's window. `state`: waiting, computed or unreadable; `report` has what was computed of them."""

    id: int
    model: str
    owner: str
    source: str
    state: str
    window_from: datetime
    window_to: datetime
    complete: bool
    rows: int
    reference: int | None
    reference_version: int | None
    report: int | None
    trouble: str
    received_at: datetime
    changed_at: datetime
    file_name: str
    job: uuid.UUID | None

    @classmethod
    def of(cls, row: WindowRow) -> "DataWindowAnswer":
        return cls(
            row.id, row.model, row.owner, row.source, row.state, row.window_from, row.window_to, row.is_complete,
            row.rows, row.reference_id, row.reference_version, row.report_id, row.trouble, row.received_at,
            row.changed_at, row.file_name, row.job_id,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReceivedEventsAnswer:
    """A batch of events that is stored. `known`: it was here before, and nothing of it counts twice."""

    model: str
    batch: int
    events: int
    known: bool


@dataclass(frozen=True, slots=True)
class EventBatchAnswer:
    """Events that came together; `counted_at` is null while they wait."""

    batch: int
    events: int
    received_at: datetime
    received_from: str
    counted_at: datetime | None

    @classmethod
    def of(cls, row: BatchRow) -> "EventBatchAnswer":
        return cls(row.id, row.events, row.received_at, row.received_from, row.counted_at)


@dataclass(frozen=True, slots=True)
class ConceptWatchAnswer:
    """Where the watch over losses stands: `usual` before the rise that is open, `mean` now; `rows` were weighed."""

    rows: int
    mean: float
    usual: float
    open: bool
    finding: int | None
    until: datetime | None

    @classmethod
    def of(cls, row: ConceptRow) -> "ConceptWatchAnswer":
        return cls(row.rows, row.mean, row.usual, row.is_open, row.finding_id, row.until)


@dataclass(frozen=True, slots=True)
class StreamAnswer:
    """A model's events and labels. `labelled` and `unlabelled` are of its last 10000 predictions."""

    model: str
    last: EventBatchAnswer | None
    waiting_batches: int
    waiting_events: int
    labelled: int
    unlabelled: int
    labelled_share: float | None
    last_label_at: datetime | None
    concept: ConceptWatchAnswer | None

    @classmethod
    def of(cls, model: str, row: StreamRow) -> "StreamAnswer":
        return cls(
            model=model,
            last=EventBatchAnswer.of(row.last) if row.last else None,
            waiting_batches=row.waiting_batches,
            waiting_events=row.waiting_events,
            labelled=row.labelled,
            unlabelled=row.unlabelled,
            labelled_share=row.labelled_share,
            last_label_at=row.last_label_at,
            concept=ConceptWatchAnswer.of(row.concept) if row.concept else None,
        )
