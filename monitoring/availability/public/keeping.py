"""Keeps what the public page says: fresh while the database answers, and the last of it in a file for when it does not.

1. What is younger than FRESH_S is shown without asking anybody.
2. Else it is built anew in a thread; a visitor waits for it at most PATIENCE_S.
3. Where that gives nothing, the last is shown: of this process, else of the file. After GREY_AFTER_S it is old: no
   state of it holds any more, and the page says since when.
"""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
import structlog
from django.conf import settings
from django.db import connection

from monitoring.alerts import clock
from monitoring.availability.public import building, shown
from monitoring.availability.public.shown import Shown

FILE = "public-status.json"
FRESH_S = 10.0
PATIENCE_S = 2.0
GREY_AFTER_S = 30.0
NOTHING = Shown(datetime(1970, 1, 1, tzinfo=UTC), (), (), (), (), is_old=True)
log = structlog.get_logger(__name__)
Build = Callable[[], Shown]


def build() -> Shown:
    return building.build(clock.now())


@dataclass(frozen=True, slots=True)
class _Last:
    """`at`: this machine's clock, which is there without a database."""

    shown: Shown
    at: float

    @property
    def age_s(self) -> float:
        return max(time.time() - self.at, 0.0)


class Keeper:
    """One for each process. `is_inline`: build in the visitor's thread, for tests within a transaction."""

    def __init__(self, build: Build = build, *, is_inline: bool = False) -> None:
        self._build, self.is_inline = build, is_inline
        self._last: _Last | None = None
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._is_building = False

    def latest(self) -> Shown:
        """Within PATIENCE_S and a moment, whatever the database does."""
        if self._last is None or self._last.age_s > FRESH_S:
            self._renew()
        last = self._last or _read()
        if last is None:
            return NOTHING
        return last.shown if last.age_s <= GREY_AFTER_S else shown.old(last.shown)

    def renew(self) -> Shown:
        """Build it now, and put it into the file; raises what the database raises."""
        found = self._build()
        self._last = _Last(found, time.time())
        _write(self._last)
        return found

    def forget(self) -> None:
        self._last = None

    def _renew(self) -> None:
        if self.is_inline:
            self._try()
            return
        with self._lock:
            begins = not self._is_building
            if begins:
                self._is_building = True
                self._done.clear()
                threading.Thread(target=self._in_thread, name="public status", daemon=True).start()
        if begins or self._last is None:
            self._done.wait(PATIENCE_S)

    def _in_thread(self) -> None:
        try:
            self._try()
            connection.close()
        finally:
            with self._lock:
                self._is_building = False
            self._done.set()

    def _try(self) -> None:
        try:
            self.renew()
        except Exception as error:  # noqa: BLE001 the page is there for when things break
            log.warning("availability.public_not_built", error=type(error).__name__)


def place() -> Path | None:
    """Where the file lies; None without a state directory."""
    return Path(settings.STATE_DIR) / FILE if settings.STATE_DIR else None


def _write(last: _Last) -> None:
    """Whole or not at all: who reads meanwhile reads the one before."""
    path = place()
    if path is None:
        return
    document = {"wall_at": last.at, "shown": shown.packed(last.shown)}
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        fresh.write_bytes(orjson.dumps(document))
        fresh.replace(path)
    except OSError as error:
        log.warning("availability.public_not_written", error=error.strerror or type(error).__name__)
        fresh.unlink(missing_ok=True)


def _read() -> _Last | None:
    path = place()
    try:
        document = orjson.loads(path.read_bytes()) if path else None
        return _Last(shown.unpacked(document["shown"]), float(document["wall_at"])) if document else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


keeper = Keeper()
