"""Takes bills in: the bytes first, then, in one transaction, their rows. The one writer of deliveries and bill rows."""

import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain
from typing import BinaryIO

import psycopg
import psycopg.errors
import pyarrow as pa
import structlog
from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from costs import bill_sources, conformance, copy_binary, snapshots
from costs.ahead import ahead
from costs.dimensions import ChargeCodes, ResourceCodes
from costs.errors import ImportBusyError, UnreadableFileError
from costs.identical import Fingerprints
from costs.models import (
    Delivery,
    DeliveryMode,
    DeliveryPart,
    DeliveryState,
    LedgerVersion,
    QuarantinedRow,
)
from costs.sources import blocks as files
from costs.sources import focus
from costs.sources import focus_columns as known
from costs.sources.blocks import Block, Packed
from costs.sources.hashed import Hashed
from costs.sources.keys import Keys, split
from costs.sources.records import Broken, Records
from fleetledger.fleet.models import Source, User

log = structlog.get_logger(__name__)

_COPY_ROWS = (
    "COPY costs_billrow (id, part_id, line, fingerprint, resource_id, charge_id, charge_start_at, charge_end_at, "
    "billed, effective, list_cost, contracted, pricing_quantity, consumed_quantity) FROM STDIN (FORMAT BINARY)"
)
_NEXT_BLOCK = (
    "SELECT first_line, line_count, content FROM costs_deliveryblock "
    "WHERE delivery_id = %s AND first_line > %s ORDER BY first_line LIMIT 1"
)
_LOCK = 4_017  # of pg_advisory_xact_lock: imports, one at a time per source

Progress = Callable[[int, int], None]
_Columns = tuple[tuple[pa.Array, ...], tuple[pa.Array, ...]]  # integers and numbers, in the order of _COPY_ROWS


@dataclass(frozen=True, slots=True)
class Received:
    """A delivery whose bytes are stored. `is_known`: these bytes were here before, nothing happened."""

    delivery_id: int
    is_known: bool
    state: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did, or had done before where `is_known`."""

    delivery_id: int
    file_name: str
    state: str
    error: str
    row_count: int
    quarantined_count: int
    is_known: bool


def receive(
    source_name: str,
    name: str,
    stream: BinaryIO,
    *,
    mode: str = DeliveryMode.OVERWRITE,
    batch: uuid.UUID | None = None,
    user: User | None = None,
) -> Received:
    """Store a file's bytes as they came, so that its import can run again. `stream` can seek. Raises CostsError.

    The same bytes for the same source are known by their SHA-256: nothing is stored a second time.
    """
    source = bill_sources.named(source_name)
    size = files.size(stream, name=name, limit_bytes=settings.BILL_UPLOAD_MAX_BYTES)
    delivery = Delivery(
        source_id=source.id,
        file_name=name[:500],
        size_bytes=size,
        mode=DeliveryMode(mode),
        batch=batch or uuid.uuid4(),
        received_by=user,
    )
    known = _same_bytes(delivery, stream)
    if known is not None:
        return _known(known, batch)
    try:
        with transaction.atomic():
            _store(delivery, stream)
    except IntegrityError:  # somebody delivered the same at the same time
        return _known(Delivery.objects.get(source_id=source.id, sha256=delivery.sha256), batch)
    return Received(delivery.pk, is_known=False, state=delivery.state)


def import_delivery(delivery_id: int, *, on_progress: Progress | None = None) -> Imported:
    """Read a received delivery's rows into the ledger: all of it or, when the process dies, nothing.

    1. Locks the source, so that one import runs at a time; a delivery that is imported already is left alone.
    2. Rows by COPY, unreadable ones to quarantine. 3. Replaces the former snapshot and notes the difference.
    A file that is no FOCUS bill becomes `refused`, with the sentence kept.
    """
    try:
        with transaction.atomic():
            delivery = _claim(delivery_id)
            if delivery.state != DeliveryState.RECEIVED:
                return _outcome(delivery, is_known=True)
            with transaction.atomic():
                _import(delivery, on_progress or _silent)
            return _outcome(delivery, is_known=False)
    except UnreadableFileError as error:
        Delivery.objects.filter(pk=delivery_id, state=DeliveryState.RECEIVED).update(
            state=DeliveryState.REFUSED, error=str(error)
        )
        return _outcome(Delivery.objects.get(pk=delivery_id), is_known=False)


def stored_blocks(delivery_id: int) -> Iterator[Packed]:
    """A delivery's lines as they came, block by block, each read when it is asked for."""
    first_line = 0
    while True:
        with psycopg.Cursor(connection.connection) as cursor:  # Django's own takes no bytes as they are
            cursor.execute(_NEXT_BLOCK, [delivery_id, first_line], binary=True)
            row = cursor.fetchone()
        if row is None:
            return
        first_line = row[0]
        yield Packed(*row)


def _same_bytes(delivery: Delivery, stream: BinaryIO) -> Delivery | None:
    """The delivery of the same bytes, if there is one; the file is read for it only where another is as long."""
    ours = Delivery.objects.filter(source_id=delivery.source_id)
    if not ours.filter(size_bytes=delivery.size_bytes).exists():
        return None
    sha256, _ = files.digest(stream, name=delivery.file_name, limit_bytes=delivery.size_bytes)
    return ours.filter(sha256=sha256).first()


def _known(delivery: Delivery, batch: uuid.UUID | None) -> Received:
    if batch is not None and delivery.batch != batch:
        Delivery.objects.filter(pk=delivery.pk).update(batch=batch)
    return Received(delivery.pk, is_known=True, state=delivery.state)


def _store(delivery: Delivery, stream: BinaryIO) -> None:
    """Write the blocks, and the delivery once their SHA-256 is known: the file is read but once."""
    into = "COPY costs_deliveryblock (delivery_id, first_line, line_count, content) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, Hashed(stream) as hashed:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('costs_delivery', 'id'))")
        (delivery.pk,) = cursor.fetchone()
        found = files.blocks(hashed, name=delivery.file_name, limit_bytes=settings.BILL_UPLOAD_MAX_BYTES)
        with cursor.copy(into) as copy:
            copy.set_types(["int8", "int8", "int4", "bytea"])
            for packed in ahead(files.pack, found):
                copy.write_row((delivery.pk, packed.first_line, packed.line_count, packed.content))
                delivery.line_count += packed.line_count
        delivery.sha256 = hashed.hexdigest()
    delivery.save(force_insert=True)


def _claim(delivery_id: int) -> Delivery:
    source_id = Delivery.objects.values_list("source_id", flat=True).get(pk=delivery_id)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK, source_id])
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
            raise ImportBusyError(Source.objects.get(pk=source_id).name) from error
        raise
    return Delivery.objects.select_for_update(of=("self",)).select_related("source").get(pk=delivery_id)


def _import(delivery: Delivery, on_progress: Progress) -> None:
    stored = stored_blocks(delivery.pk)
    source = bill_sources.checked(delivery.source)
    head = next(stored, None)
    if head is None:
        raise UnreadableFileError(delivery.file_name, "the file is empty.")
    found, rest = focus.layout(
        delivery.file_name,
        files.unpack(head),
        default_currency=source.currency,
        needs_effective=source.basis == "effective",
    )
    tally = focus.Tally()
    writer = _Writer(delivery, found)
    writer.write(_read_ahead(focus.Reader(found, tally), rest, stored), on_progress)
    delivery.columns = list(found.columns)
    delivery.row_count, delivery.quarantined_count = writer.row_count, writer.quarantined_count
    delivery.state, delivery.imported_at = DeliveryState.IMPORTED, timezone.now()
    delivery.save()
    snapshots.total_up(delivery)
    snapshots.replace_former(delivery)
    conformance.report(delivery, found, tally, writer.extents)
    LedgerVersion.bump()


def _read_ahead(reader: focus.Reader, rest: Block, stored: Iterator[Packed]) -> Iterator[focus.Batch]:
    """Batches, the next blocks read in threads while the database takes the last."""

    def records(block: Block | Packed) -> list[Records]:
        return reader.records_of(files.unpack(block) if isinstance(block, Packed) else block)

    found: Iterator[Block | Packed] = chain([rest], stored)
    for batches in ahead(reader.batches_of, ahead(records, found)):
        yield from batches
    yield reader.finish()


class _Writer:
    """Writes batches of one delivery: parts and dimensions as they first appear, rows by COPY."""

    def __init__(self, delivery: Delivery, found: focus.Layout) -> None:
        self._delivery = delivery
        self._resources = ResourceCodes(delivery.source_id, found.present(tuple(known.RESOURCE)), known.RESOURCE)
        self._charges = ChargeCodes(delivery.source_id, found.present(tuple(known.CHARGE)), known.CHARGE)
        self._parts: dict[str, int] = {}
        self._fingerprints = Fingerprints()
        self.extents = conformance.Extents()
        self.row_count = 0
        self.quarantined_count = 0

    def write(self, batches: Iterable[focus.Batch], on_progress: Progress) -> None:
        """Write all rows, then note those that the file holds several times."""
        for pieces in ahead(_packed, self._columns(batches, on_progress)):
            with connection.cursor() as cursor, cursor.copy(_COPY_ROWS) as copy:
                for piece in pieces:
                    copy.write(piece)
        self._fingerprints.write_repeated(self._delivery.pk)

    def _columns(self, batches: Iterable[focus.Batch], on_progress: Progress) -> Iterator[_Columns]:
        """Each batch's columns in the order of _COPY_ROWS; what is new to the dimensions is in the database then."""
        for batch in batches:
            self._quarantine(batch.broken)
            count = len(batch.lines)
            if not count:
                continue
            first = (self._delivery.pk << 32) + self.row_count
            self.row_count += count
            self._fingerprints.add(batch.fingerprints)
            charge_ids = self._charges.ids(batch.charges)
            self.extents.add(charge_ids, batch.lines)
            integers = (
                pa.arange(first, first + count),
                self._part_ids(batch.parts),
                batch.lines,
                batch.fingerprints,
                self._resources.ids(batch.resources),
                charge_ids,
                batch.starts,
                batch.ends,
            )
            yield integers, batch.amounts
            on_progress(batch.last_line, self._delivery.line_count)

    def _part_ids(self, found: Keys) -> pa.Array:
        for key in found.distinct:
            if key not in self._parts:
                month, currency = split(key, 2)
                period = date.fromisoformat(f"{month}-01")
                part = DeliveryPart.objects.create(delivery=self._delivery, period=period, currency=currency)
                self._parts[key] = part.pk
        return pa.array([self._parts[key] for key in found.distinct], pa.int64()).take(found.codes)

    def _quarantine(self, broken: list[Broken]) -> None:
        self.quarantined_count += len(broken)
        QuarantinedRow.objects.bulk_create(
            QuarantinedRow(delivery=self._delivery, line=line.line, raw=line.raw, reason=line.reason) for line in broken
        )


def _packed(columns: _Columns) -> list[bytes | memoryview]:
    return list(copy_binary.rows(*columns))


def _outcome(delivery: Delivery, *, is_known: bool) -> Imported:
    return Imported(
        delivery_id=delivery.pk,
        file_name=delivery.file_name,
        state=delivery.state,
        error=delivery.error,
        row_count=delivery.row_count,
        quarantined_count=delivery.quarantined_count,
        is_known=is_known,
    )


def _silent(_done: int, _total: int) -> None:
    return None
