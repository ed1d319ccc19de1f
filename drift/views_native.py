"""The pages about rows that are computed here: references, one with its columns, and windows."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from drift import reads, reads_native, reads_streams
from drift.models import WindowState
from drift.reads import ModelRow
from drift.reads_native import ReferenceColumn, ReferenceRow, WindowRow
from drift.reviews.permissions import may_review
from drift.sending import may_send
from fleetledger.fleet.access import TeamScope, teams_visible_to
from fleetledger.fleet.models import User
from fleetledger.lib.keyset import Cut
from fleetledger.lib.numbers import whole
from fleetledger.web.downloads import csv_response, wants_csv
from fleetledger.web.progress import progress_of
from fleetledger.web.tables import Column, build_table
from monitoring.alerts import clock

PER_PAGE = 50
CSV_ROWS = 10_000
REFERENCES_SHOWN = 5
WINDOWS_SHOWN = 10
NO_MODEL = "There is no such model among those you may see."
REFERENCE_HEADER = (
    "id", "model", "version", "state", "rows", "columns", "window_from", "window_to", "note", "trouble", "file_name",
    "size_bytes", "received_at", "received_by", "decided_at", "decided_by", "decision_note",
)  # fmt: skip
WINDOW_HEADER = (
    "id", "model", "window_from", "window_to", "state", "source", "rows", "is_complete", "reference_version",
    "report_id", "trouble", "file_name", "received_at", "changed_at",
)  # fmt: skip
BUCKET_HEADER = ("column", "kind", "rows", "null_share", "low", "high", "bucket", "share")
COLUMNS: tuple[Column[ReferenceColumn], ...] = (
    Column("position", "Column"),
    Column("kind", "Kind", lambda column: column.kind),
    Column("bars", "Shares of rows"),
    Column("range", "Range", lambda column: column.low),
    Column("nulls", "Nulls", lambda column: column.null_share, align="right", first_descending=True),
)


def of_model(row: ModelRow, teams: TeamScope) -> dict[str, Any]:
    """What the page of a model says of its rows."""
    references_ = reads_native.references(row.name, teams=teams, cut=Cut(REFERENCES_SHOWN))
    windows_ = reads_native.windows(row.name, teams=teams, cut=Cut(WINDOWS_SHOWN))
    stream = reads_streams.streams(row.name, teams=teams)
    return {
        "references": references_[:REFERENCES_SHOWN],
        "more_references": len(references_) > REFERENCES_SHOWN,
        "proposed": reads_native.proposed(row.name, teams=teams),
        "windows": windows_[:WINDOWS_SHOWN],
        "more_windows": len(windows_) > WINDOWS_SHOWN,
        "stream": stream if stream is not None and stream.is_used else None,
        "is_reading": _is_reading(windows_) or any(one.is_waiting for one in references_),
        "has_rows": bool(references_ or windows_ or (stream is not None and stream.is_used)),
    }


@require_safe
def references(request: HttpRequest, name: str) -> HttpResponseBase:
    """Every version of a model's reference."""
    row, teams = _model(request, name), teams_visible_to(request.user)
    if wants_csv(request):
        everything = reads_native.references(row.name, teams=teams, cut=Cut(CSV_ROWS))[:CSV_ROWS]
        return csv_response(f"drift-references-{row.name}", REFERENCE_HEADER, _cells(REFERENCE_HEADER, everything))
    before = _before(request)
    found = reads_native.references(row.name, teams=teams, cut=Cut(PER_PAGE), beside=before)
    shown = found[:PER_PAGE]
    context = {
        "model": row,
        "references": shown,
        "next_before": shown[-1].id if len(found) > PER_PAGE else None,
        "is_first": before is None,
        "may_send": _may_send(request, row.name),
        "is_reading": any(one.is_waiting for one in shown),
    }
    return render(request, "drift/references.html", context)


@require_safe
def reference(request: HttpRequest, reference_id: int) -> HttpResponseBase:
    """One version: what it holds of each column, and what people decide about it."""
    teams = teams_visible_to(request.user)
    row = _reference(request, reference_id)
    columns = reads_native.reference_columns(reference_id, teams=teams)
    if wants_csv(request):
        return csv_response(f"drift-{row.model}-reference-{row.version}", BUCKET_HEADER, _buckets(columns))
    context = {
        "row": row,
        "table": build_table(columns, COLUMNS, request.GET, text=_text, default_sort="position"),
        "progress": progress_of(row.job_id) if row.is_waiting else None,
        "compared": reads_native.compared(reference_id, teams=teams),
        "may_send": _may_send(request, row.model),
    }
    if row.is_proposed:
        active = reads_native.active(row.model, teams=teams)
        before = reads_native.reference_columns(active.id, teams=teams) if active is not None else ()
        context |= {"active": active, "changes": _changes(before, columns), "refusal": _why_not(request, row)}
    return render(request, "drift/reference.html", context)


@require_safe
def windows(request: HttpRequest, name: str) -> HttpResponseBase:
    """The windows of a model, those that cannot be read with their reason."""
    row, teams = _model(request, name), teams_visible_to(request.user)
    state = request.GET.get("state", "")
    state = state if state in WindowState.values else ""
    if wants_csv(request):
        everything = reads_native.windows(row.name, teams=teams, state=state, cut=Cut(CSV_ROWS))[:CSV_ROWS]
        return csv_response(f"drift-windows-{row.name}", WINDOW_HEADER, _cells(WINDOW_HEADER, everything))
    before = _before(request)
    found = reads_native.windows(row.name, teams=teams, state=state, cut=Cut(PER_PAGE), beside=before)
    shown = found[:PER_PAGE]
    sent = _sent(request, row, teams)
    context = {
        "model": row,
        "windows": shown,
        "state": state,
        "states": [("", "All"), *((value, str(label)) for value, label in WindowState.choices)],
        "unreadable": reads_native.unreadable_windows(row.name, teams=teams),
        "next_before": shown[-1].id if len(found) > PER_PAGE else None,
        "is_first": before is None,
        "sent": sent,
        "progress": progress_of(sent.job_id) if sent is not None and sent.is_waiting else None,
        "may_send": _may_send(request, row.name),
        "is_reading": _is_reading(shown),
    }
    return render(request, "drift/windows.html", context)


def _why_not(request: HttpRequest, row: ReferenceRow) -> str:
    """Why this reader cannot decide about a proposed version; empty where they can."""
    model = reads.stored(row.model, teams=teams_visible_to(request.user))
    person = _person(request)
    if model is None or person is None or not may_review(person, model):
        return "A lead of its team or an SRE decides. Ask one of them."
    if model.is_production and row.sent_by_user == person.pk:
        return (
            f"{row.model} runs in production and you sent this reference, so another person decides. "
            "Ask another lead of its team, or an SRE."
        )
    return ""


def _changes(before: Sequence[ReferenceColumn], after: Sequence[ReferenceColumn]) -> list[str]:
    """How the columns of a proposed version differ from the active one's."""
    old, new_ = ({column.name: column for column in columns} for columns in (before, after))
    told = [
        ("new", [name for name in new_ if name not in old]),
        ("gone", [name for name in old if name not in new_]),
        ("of another kind", [name for name in new_ if name in old and old[name].kind != new_[name].kind]),
    ]
    return [f"{said}: {_listed(names)}" for said, names in told if names]


def _listed(names: Sequence[str], most: int = 8) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(name[:60] for name in names[:most]) + more


def _sent(request: HttpRequest, row: ModelRow, teams: TeamScope) -> WindowRow | None:
    """The window that the reader has just sent."""
    number = whole(request.GET.get("sent", ""), None)
    found = reads_native.window(number, teams=teams) if number else None
    return found if found is not None and found.model == row.name else None


def _is_reading(rows: Iterable[WindowRow]) -> bool:
    """Whether a worker will soon say more: events wait for the end of their window instead."""
    return any(one.is_waiting and one.file_name for one in rows)


def _before(request: HttpRequest) -> int | None:
    return whole(request.GET.get("before", ""), None) or None


def _model(request: HttpRequest, name: str) -> ModelRow:
    row = reads.model(name, teams=teams_visible_to(request.user), at=clock.now())
    if row is None:
        raise Http404(NO_MODEL)
    return row


def _reference(request: HttpRequest, reference_id: int) -> ReferenceRow:
    row = reads_native.reference(reference_id, teams=teams_visible_to(request.user))
    if row is None:
        raise Http404("There is no such reference among those you may see.")
    return row


def _may_send(request: HttpRequest, name: str) -> bool:
    model, person = reads.stored(name, teams=teams_visible_to(request.user)), _person(request)
    return model is not None and person is not None and may_send(person, model.owner)


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _text(column: ReferenceColumn) -> str:
    return f"{column.name} {column.kind}"


def _buckets(columns: Iterable[ReferenceColumn]) -> Iterable[list[Any]]:
    for column in columns:
        about = [column.name, column.kind, column.rows, column.null_share, column.low, column.high]
        for bucket in column.buckets:
            yield [*about, bucket.label, bucket.share]


def _cells(header: Sequence[str], rows: Iterable[ReferenceRow | WindowRow]) -> Iterable[list[Any]]:
    return ([getattr(row, key) for key in header] for row in rows)
