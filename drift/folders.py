"""Takes reports and rows from watched folders: each file ends in done/ or failed/ beside it, none is lost.

Reports lie in the folder itself, rows in references/ and windows/: see `folders_rows`.
"""

import os
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import structlog
from django.conf import settings

from drift import folders_rows, importing, ingest
from drift.errors import DriftError
from drift.ingest import Sender
from drift.models import Model

DONE, FAILED = "done", "failed"
SETTLED_AFTER_S = 5.0
MOST_AT_ONCE = 200
UNFINISHED = (".part", ".tmp", ".partial", ".crdownload", ".why.txt")
MAX_NAMES = 100_000
ROWS = {"references": folders_rows.take_reference, "windows": folders_rows.take_window}  # in this order
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Scanned:
    """How many files were taken in, were refused, and could not be moved out of the folder afterwards."""

    taken: int = 0
    refused: int = 0
    stuck: int = 0

    def __add__(self, other: "Scanned") -> "Scanned":
        return Scanned(self.taken + other.taken, self.refused + other.refused, self.stuck + other.stuck)


def scan() -> Scanned:
    """Take in what lies in every watched folder. A file that is taken twice is the same report: it counts once."""
    total = Scanned()
    for model, folder in watched():
        for path in _files(folder):
            total += _take(path, partial(_report, model, path))
        for name, receive in ROWS.items():
            for path in _files(folder / name):
                total += _take(path, partial(receive, model, path))
    return total


def watched() -> Iterator[tuple[Model, Path]]:
    """The models with their folders: the one that the configuration names, and DRIFT_FOLDER/<model>."""
    for model in Model.objects.filter(removed_at__isnull=True).select_related("owner"):
        if model.watch and "://" not in model.watch:
            yield model, Path(model.watch)
        if settings.DRIFT_FOLDER:
            yield model, Path(settings.DRIFT_FOLDER) / model.name


def _files(folder: Path) -> list[Path]:
    """The oldest files that nobody writes any more; links and hidden files are left alone."""
    try:
        with os.scandir(folder) as entries:
            known = [(entry.stat(follow_symlinks=False), entry.path) for entry in entries if _is_finished(entry.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        log.warning("a watched folder cannot be read", folder=str(folder), reason=error.strerror)
        return []
    settled = time.time() - SETTLED_AFTER_S
    files = [
        (found.st_mtime, path) for found, path in known if stat.S_ISREG(found.st_mode) and found.st_mtime < settled
    ]
    return [Path(path) for _, path in sorted(files)[:MOST_AT_ONCE]]


def _is_finished(name: str) -> bool:
    return not name.startswith(".") and not name.endswith(UNFINISHED)


def _take(path: Path, receive: Callable[[], None]) -> Scanned:
    """A file is stored before it moves: who dies in between takes it again, as a known one."""
    try:
        receive()
    except folders_rows.TooEarlyError:
        return Scanned()
    except OSError as error:
        if not path.exists():  # another worker took it
            return Scanned()
        return _put_away(path, FAILED, f"The file cannot be read: {error.strerror}.", Scanned(refused=1))
    except DriftError as error:
        return _put_away(path, FAILED, str(error), Scanned(refused=1))
    return _put_away(path, DONE, "", Scanned(taken=1))


def _report(model: Model, path: Path) -> None:
    content = ingest.content_of(path)
    importing.receive_and_enqueue(model, content, name=path.name, sender=Sender(name=f"folder {path.parent}"))


def _put_away(path: Path, where: str, why: str, done: Scanned) -> Scanned:
    log.info("a watched file was taken", file=str(path), ends_in=where, reason=why)
    folder = path.parent / where
    try:
        folder.mkdir(exist_ok=True)
        place = _moved(path, folder)
        if why:
            place.with_name(f"{place.name}.why.txt").write_text(f"{why}\n", encoding="utf-8")
    except FileNotFoundError:  # another worker moved it
        return Scanned()
    except OSError as error:
        log.warning("a watched file cannot be moved", file=str(path), to=str(folder), reason=error.strerror)
        return done + Scanned(stuck=1)
    return done


def _moved(path: Path, folder: Path) -> Path:
    """Where the file lies now: under its name, or with a number where others of that name came before."""
    for number in range(MAX_NAMES):
        place = folder / (f"{path.name}.{number}" if number else path.name)
        try:
            place.touch(exist_ok=False)  # so that two workers take two places
        except FileExistsError:
            continue
        try:
            return path.rename(place)
        except OSError:
            place.unlink(missing_ok=True)
            raise
    raise OSError(0, f"{MAX_NAMES} files of this name are there")
