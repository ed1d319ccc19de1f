"""The last picture of everything in a file: written by the notifier, read when the database does not answer.

It is shown to whoever asks, for sessions are in the database: so it holds what is public, and no reasons.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import orjson
import structlog
from django.conf import settings

from monitoring.availability.models import Component
from monitoring.availability.tiles import Tile

FILE = "status.json"
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Remembered:
    """A public component as it was."""

    title: str
    state: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    at: datetime
    components: tuple[Remembered, ...]


def of(tiles: Mapping[int, Tile], at: datetime) -> Snapshot:
    """What is public of these tiles."""
    rows = Component.objects.filter(removed_at=None, is_public=True).order_by("position", "name")
    return Snapshot(at, tuple(_remembered(rows, tiles)))


def write(snapshot: Snapshot) -> None:
    """Whole or not at all: who reads meanwhile reads the one before. Nothing without a state directory."""
    path = place()
    if path is None:
        return
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_bytes(orjson.dumps(asdict(snapshot)))
        fresh.replace(path)
    except OSError as error:
        log.warning("availability.snapshot_not_written", error=error.strerror or type(error).__name__)


def read() -> Snapshot | None:
    """The last one, or None where there is none that can be read."""
    path = place()
    try:
        document = orjson.loads(path.read_bytes()) if path else None
        if document is None:
            return None
        components = [Remembered(str(item["title"]), str(item["state"])) for item in document["components"]]
        return Snapshot(datetime.fromisoformat(document["at"]), tuple(components))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def place() -> Path | None:
    return Path(settings.STATE_DIR) / FILE if settings.STATE_DIR else None


def _remembered(rows: Iterable[Component], tiles: Mapping[int, Tile]) -> Sequence[Remembered]:
    return [Remembered(row.public_title or row.title, tiles[row.pk].state.value) for row in rows if row.pk in tiles]
