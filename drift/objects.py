"""Takes reports and rows from an object store that a model watches: s3://, gs:// or abfss://, as folders are.

Objects stay where they are, since the store may be read-only: what was taken is remembered by path, size and time.
Credentials come from the environment, as the store's own tools read them.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import transaction

from drift import importing
from drift.errors import DriftError, ReportTooLargeError
from drift.folders import UNFINISHED, Scanned
from drift.folders_rows import TooEarlyError, receive_window, window_named
from drift.ingest import Sender
from drift.models import Model, SeenObject
from drift.native import references
from monitoring.alerts import clock

MOST_AT_ONCE = 200
log = structlog.get_logger(__name__)


class Found(NamedTuple):
    """An object below the watched prefix. `kind` is the folder that it lies in, empty for reports."""

    path: str
    kind: str
    size: int
    modified_at: datetime


def watched() -> list[Model]:
    rows = Model.objects.filter(removed_at__isnull=True, watch__contains="://").select_related("owner")
    return list(rows.order_by("name"))


def scan() -> Scanned:
    """Look into every watched store; one that does not answer holds up no other."""
    total = Scanned()
    for model in watched():
        try:
            total += _scan(model)
        except OSError as error:
            log.warning(
                "a watched store cannot be read", model=model.name, store=_plain(model), reason=str(error)[:500]
            )
            total += Scanned(stuck=1)
    return total


def _scan(model: Model) -> Scanned:
    from pyarrow import fs  # late: workers read stores, the web part never does

    try:
        store, root = fs.FileSystem.from_uri(model.watch)
    except ValueError as error:  # pyarrow's for an address that no store understands
        raise OSError(str(error)) from error
    total = Scanned()
    for one in _new(model, list(_listed(store, root))):
        total += _take(model, store, one)
    return total


def _listed(store: Any, root: str) -> Iterator[Found]:
    """Reports at the prefix itself, rows in references/ and windows/ below it; references first."""
    from pyarrow import fs

    for kind in ("references", "", "windows"):
        folder = f"{root.rstrip('/')}/{kind}".rstrip("/")
        for item in store.get_file_info(fs.FileSelector(folder, allow_not_found=True)):
            name = item.base_name
            if (
                item.type == fs.FileType.File
                and item.size
                and not name.startswith(".")
                and not name.endswith(UNFINISHED)
            ):
                yield Found(item.path, kind, item.size, item.mtime or datetime.fromtimestamp(0, UTC))


def _new(model: Model, listed: list[Found]) -> list[Found]:
    """The oldest of each kind first; at most so many that one store keeps no worker for long."""
    seen = set(
        SeenObject.objects.filter(model=model, path__in=[one.path for one in listed]).values_list(
            "path", "size", "modified_at"
        )
    )
    new = [one for one in listed if (one.path, one.size, one.modified_at) not in seen]
    order = {"references": 0, "": 1, "windows": 2}
    return sorted(new, key=lambda one: (order[one.kind], one.modified_at, one.path))[:MOST_AT_ONCE]


def _take(model: Model, store: Any, one: Found) -> Scanned:
    """Remembered with what became of it; who dies in between takes it again, as a known one."""
    take: Callable[[Model, Any, Found], None] = {"references": _reference, "": _report, "windows": _window}[one.kind]
    trouble = ""
    try:
        take(model, store, one)
    except TooEarlyError:
        return Scanned()
    except DriftError as error:
        trouble = str(error)[:1000]
    with transaction.atomic():
        SeenObject.objects.get_or_create(
            model=model,
            path=one.path,
            size=one.size,
            modified_at=one.modified_at,
            defaults={"taken_at": clock.now(), "trouble": trouble},
        )
    log.info("a watched object was taken", model=model.name, path=one.path, reason=trouble)
    return Scanned(refused=1) if trouble else Scanned(taken=1)


def _report(model: Model, store: Any, one: Found) -> None:
    limit = int(settings.DRIFT_REPORT_MAX_BYTES)
    if one.size > limit:
        raise ReportTooLargeError(limit)
    with store.open_input_stream(one.path) as stream:
        content = stream.read(limit + 1)
    importing.receive_and_enqueue(model, content, name=Path(one.path).name, sender=_sender(model))


def _reference(model: Model, store: Any, one: Found) -> None:
    with store.open_input_stream(one.path, compression=None) as stream:
        references.receive(model, stream, name=Path(one.path).name, sender=_sender(model))


def _window(model: Model, store: Any, one: Found) -> None:
    path = Path(one.path)
    span = window_named(path)
    with store.open_input_stream(one.path, compression=None) as stream:
        receive_window(model, stream, span, name=path.name, sender=_sender(model))


def _sender(model: Model) -> Sender:
    return Sender(name=f"store {_plain(model)}"[:200])


def _plain(model: Model) -> str:
    """Without what stands behind the question mark."""
    return model.watch.partition("?")[0]
