"""Takes the rows that lie in a watched folder: references/NAME.parquet and windows/FROM_TO.parquet, or .csv."""

from pathlib import Path
from typing import IO

from drift.errors import BadWindowError, DriftError, NoReferenceError
from drift.ingest import Sender
from drift.models import Model, Reference, ReferenceState
from drift.native import references, windows
from drift.windows import ReportWindow, parse_window

SUFFIXES = (".parquet", ".csv")


class TooEarlyError(DriftError):
    """The reference of a window is still read: the window waits in its folder."""

    def __init__(self) -> None:
        super().__init__("The model's reference is still read.")


class BadFileNameError(DriftError):
    def __init__(self, name: str) -> None:
        super().__init__(
            f"'{name[:100]}' does not say its time. Name it FROM_TO, such as 2026-11-01_2026-11-02.parquet or "
            "2026-11-01T00Z_2026-11-01T06Z.csv."
        )


class OtherFileError(DriftError):
    def __init__(self, name: str) -> None:
        super().__init__(f"'{name[:100]}' is neither Parquet nor CSV by its name. End it in .parquet or .csv.")


def take_reference(model: Model, path: Path) -> None:
    """The file as the model's next reference. Raises DriftError, OSError."""
    _check_suffix(path)
    with path.open("rb") as stream:
        references.receive(model, stream, name=path.name, sender=_sender(path))


def take_window(model: Model, path: Path) -> None:
    """The file as a window of the time in its name. Raises DriftError, OSError."""
    _check_suffix(path)
    window = window_named(path)
    with path.open("rb") as stream:
        receive_window(model, stream, window, name=path.name, sender=_sender(path))


def receive_window(model: Model, stream: IO[bytes], window: ReportWindow, *, name: str, sender: Sender) -> None:
    """Raises TooEarlyError while the model's reference is still read, DriftError."""
    try:
        windows.receive(model, stream, window, name=name, sender=sender)
    except NoReferenceError as error:
        if Reference.objects.filter(model=model, state__in=(ReferenceState.WAITING, ReferenceState.ACTIVE)).exists():
            raise TooEarlyError from error
        raise


def window_named(path: Path) -> ReportWindow:
    """The time that a file's name tells; raises BadFileNameError."""
    try:
        return parse_window(path.name.removesuffix(path.suffix).replace("_", "/", 1))
    except BadWindowError as error:
        raise BadFileNameError(path.name) from error


def _check_suffix(path: Path) -> None:
    if path.suffix.lower() not in SUFFIXES:
        raise OtherFileError(path.name)


def _sender(path: Path) -> Sender:
    return Sender(name=f"folder {path.parent}")
