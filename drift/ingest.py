"""Takes reports in: the file first, then, in one transaction, its scores. The one writer of reports and scores."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from drift.errors import ManyWindowsError, NotUndatedError, ReportTooLargeError, SameWindowError, UnknownModelError
from drift.models import DatedBy, Model, Report, ReportFile, ReportState
from drift.sources.reading import read
from drift.sources.records import ReadFile, ReadReport
from drift.windows import ReportWindow
from fleetledger.fleet.models import User
from monitoring.alerts import clock

_LOCK = 4_018  # of pg_advisory_xact_lock: reports of a model are received one after the other
_COPY = (
    'COPY drift_score (report_id, position, "column", kind, method, method_as_written, value, threshold, '
    "threshold_low, threshold_assumed, direction, is_drifted, engine, engine_version, recipe) FROM STDIN"
)


@dataclass(frozen=True, slots=True)
class Received:
    """A file that is stored. `report_ids` are those that it gives, `waiting` those whose scores are not read yet."""

    file_id: int
    report_ids: tuple[int, ...]
    waiting: int
    is_known: bool
    scores: int
    undated: int = 0


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import wrote; nothing where all was imported before."""

    file_id: int
    report_ids: tuple[int, ...]
    scores: int


@dataclass(frozen=True, slots=True)
class Sender:
    """Who brings a report: a person, or a program by its name."""

    user: User | None = None
    name: str = ""


def model_named(name: str) -> Model:
    """The model, unless the configuration dropped it; raises UnknownModelError."""
    found = Model.objects.select_related("owner").filter(name=name, removed_at__isnull=True).first()
    if found is None:
        raise UnknownModelError(name, Model.objects.filter(removed_at__isnull=True).values_list("name", flat=True))
    return found


def content_of(path: Path) -> bytes:
    """A report's file up to the limit. Raises ReportTooLargeError, OSError."""
    limit: int = settings.DRIFT_REPORT_MAX_BYTES
    with path.open("rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise ReportTooLargeError(limit)
    return content


def receive(
    model: Model, content: bytes, *, name: str = "", window: ReportWindow | None = None, sender: Sender | None = None
) -> Received:
    """Store a report's bytes with what it is about, so that a worker can read its scores. Raises DriftError.

    The same report of the same window is known by its digest, and one without a window by its digest alone: nothing
    is stored a second time, however many send it at once.
    """
    found = read(content, limit_bytes=settings.DRIFT_REPORT_MAX_BYTES)
    if window is not None and len(found.reports) > 1:
        raise ManyWindowsError(len(found.reports))
    with transaction.atomic():
        _lock(model)
        file = ReportFile.objects.filter(model=model, digest=found.digest).first()
        if file is None:
            file = _store(model, found, content, name, sender or Sender())
        before = set(file.reports.values_list("pk", flat=True))
        ids = tuple(_report(file, found, one, window, sender or Sender()) for one in found.reports)
        rows = Report.objects.filter(pk__in=ids)
        waiting = rows.filter(state=ReportState.RECEIVED).count()
        undated = rows.filter(is_dated=False).count()
    scores = sum(len(one.scores) for one in found.reports)
    return Received(file.pk, ids, waiting, before.issuperset(ids), scores, undated)


def import_file(file_id: int) -> Imported:
    """Write the scores of a file's reports that wait for it: all of them or, when the process dies, none."""
    with transaction.atomic():
        file = ReportFile.objects.select_for_update(of=("self",)).get(pk=file_id)
        reports = list(file.reports.filter(state=ReportState.RECEIVED).order_by("pk"))
        if not reports:
            return Imported(file_id, (), 0)
        found = read(raw_of(file), limit_bytes=settings.DRIFT_REPORT_MAX_BYTES)
        by_digest = {one.digest: one for one in found.reports}
        count = 0
        for report in reports:
            count += write_scores(report, by_digest[report.digest])
    return Imported(file_id, tuple(report.pk for report in reports), count)


def date_report(report_id: int, window: ReportWindow, *, user: User | None = None) -> None:
    """Give an undated report its window, once; raises NotUndatedError, SameWindowError."""
    try:
        with transaction.atomic():
            is_done = Report.objects.filter(pk=report_id, is_dated=False).update(
                window_from=window.start,
                window_to=window.end,
                is_dated=True,
                dated_by=DatedBy.PERSON,
                dated_by_user=user,
            )
    except IntegrityError as error:
        report = Report.objects.get(pk=report_id)
        same = Report.objects.filter(model_id=report.model_id, digest=report.digest, window_to=window.end).first()
        raise SameWindowError(same.pk if same else report_id) from error
    if not is_done:
        raise NotUndatedError(report_id)


def raw_of(file: ReportFile) -> bytes:
    """The file as it came, byte for byte."""
    return gzip.decompress(bytes(file.content))


def _lock(model: Model) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, model.pk])


def _store(model: Model, found: ReadFile, content: bytes, name: str, sender: Sender) -> ReportFile:
    return ReportFile.objects.create(
        model=model,
        digest=found.digest,
        name=storable(name[-200:]),
        content=gzip.compress(content, mtime=0),
        size_bytes=len(content),
        received_at=clock.now(),
        received_by=sender.user,
        received_from=storable(sender.name[:200]),
    )


def _report(file: ReportFile, found: ReadFile, one: ReadReport, asked: ReportWindow | None, sender: Sender) -> int:
    """The report's row: the one that is there already, else a new one that waits for its scores."""
    span, dated_by = _dated(one, asked)
    known = Report.objects.filter(model_id=file.model_id, digest=one.digest)
    # without a window a report is the same as one that somebody dated since
    same = known if span is None else known.filter(window_from=span[0], window_to=span[1])
    row = same.order_by("pk").first()
    if row is None:
        row = Report.objects.create(
            model_id=file.model_id,
            file=file,
            generation=found.generation,
            tool=found.tool,
            tool_version=found.tool_version,
            digest=one.digest,
            window_from=span[0] if span else None,
            window_to=span[1] if span else None,
            is_dated=span is not None,
            dated_by=dated_by,
            made_at=one.made_at,
            received_at=clock.now(),
            received_by=sender.user,
            note=one.note,
        )
    return row.pk


def _dated(one: ReadReport, asked: ReportWindow | None) -> tuple[tuple[datetime, datetime] | None, str]:
    """The window and who gave it: whoever sends the report, else its chunk's dates, else its own timestamp."""
    if asked is not None:
        return (asked.start, asked.end), DatedBy.ASKED
    if one.window is not None:
        return one.window, DatedBy.CHUNK
    if one.made_at is not None:
        return (one.made_at, one.made_at), DatedBy.TIMESTAMP
    return None, ""


def write_scores(report: Report, one: ReadReport, *, recipe: str = "") -> int:
    """Copy a report's scores in and mark it imported; how many. Within a transaction."""
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for row in _rows(report, one, recipe):
            copy.write_row(row)
    Report.objects.filter(pk=report.pk).update(
        state=ReportState.IMPORTED,
        share=one.share,
        drift_share=one.drift_share,
        is_drifted=one.is_drifted,
        columns=one.columns,
        drifted_columns=one.drifted_columns,
    )
    return len(one.scores)


def _rows(report: Report, one: ReadReport, recipe: str) -> list[Sequence[Any]]:
    return [
        (
            report.pk, position, score.column, score.kind.value, score.method, score.method_as_written, score.value,
            score.threshold, score.threshold_low, score.threshold_assumed, score.direction, score.is_drifted,
            report.tool, report.tool_version, recipe,
        )
        for position, score in enumerate(one.scores)
    ]  # fmt: skip


def storable(text: str) -> str:
    """A file's name may hold bytes that are no text."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "?")
