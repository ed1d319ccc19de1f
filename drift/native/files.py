"""Keeps files of rows in blocks, so that neither web nor a worker ever holds one in memory."""

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection, transaction

from drift.errors import DataTooLargeError, EmptyDataError
from drift.ingest import Sender, storable
from drift.models import DataBlock, DataFile, Model
from monitoring.alerts import clock

BLOCK_BYTES = 1 << 20
_COPY = "COPY drift_datablock (file_id, position, content) FROM STDIN"


@transaction.atomic
def store(model: Model, stream: IO[bytes], *, name: str, sender: Sender) -> DataFile:
    """All of a stream, or nothing. Raises DataTooLargeError, EmptyDataError."""
    file = DataFile.objects.create(
        model=model,
        digest="",
        name=storable(name[-200:]),
        size_bytes=0,
        received_at=clock.now(),
        received_by=sender.user,
        received_from=storable(sender.name[:200]),
    )
    digest, limit = hashlib.sha256(), int(settings.DRIFT_DATA_MAX_BYTES)
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        for position, block in enumerate(iter(lambda: stream.read(BLOCK_BYTES), b"")):
            digest.update(block)
            file.size_bytes += len(block)
            if file.size_bytes > limit:
                raise DataTooLargeError(limit)
            copy.write_row((file.pk, position, block))
    if not file.size_bytes:
        raise EmptyDataError
    file.digest = digest.hexdigest()
    file.save(update_fields=["digest", "size_bytes"])
    return file


@contextmanager
def opened(file: DataFile) -> Iterator[Path]:
    """A copy of the file on disk, under its own name, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="fl-rows-") as folder:
        path = Path(folder) / (Path(file.name.replace("\\", "/")).name or "rows")
        with path.open("wb") as target:
            for pk in DataBlock.objects.filter(file=file).order_by("position").values_list("pk", flat=True):
                target.write(DataBlock.objects.values_list("content", flat=True).get(pk=pk))
        yield path


def forget(file: DataFile) -> None:
    """Drop the rows; what was counted of them stays."""
    DataBlock.objects.filter(file=file).delete()
