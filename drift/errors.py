"""What drift refuses, each with a sentence that says how to mend it."""

from collections.abc import Iterable

SHOWN = 8


class DriftError(Exception):
    """The base of everything that drift refuses. `http_status` is how the API tells it."""

    http_status: int = 422


class UnreadableReportError(DriftError):
    """A report of which nothing was taken; `path` is where in it the trouble stands, as in metrics[3].result."""

    def __init__(self, path: str, why: str) -> None:
        self.path = _printable(path)
        super().__init__(f"{self.path}: {_printable(why)}")


class ReportTooLargeError(DriftError):
    http_status = 413

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"The report is larger than {limit_bytes} bytes. Save it without plots and raw data, "
            "or raise FLEETLEDGER_DRIFT_REPORT_MAX_BYTES."
        )


class UnknownModelError(DriftError):
    http_status = 404

    def __init__(self, name: str, known: Iterable[str]) -> None:
        listed = sorted(known)
        more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
        fix = (
            f"Known: {', '.join(listed[:SHOWN])}{more}."
            if listed
            else "There is none yet: apply a file with `models` first."
        )
        super().__init__(f"No model is called '{name[:100]}'. {fix}")


class BadWindowError(DriftError):
    def __init__(self, text: str) -> None:
        super().__init__(
            f"'{text[:100]}' is no window. Write FROM/TO, such as 2026-11-01/2026-11-02 or "
            "2026-11-01T00:00Z/2026-11-01T06:00Z, the later last."
        )


class ManyWindowsError(DriftError):
    def __init__(self, chunks: int) -> None:
        super().__init__(f"The file holds {chunks} chunks, each with a window of its own. Send it without a window.")


class SameWindowError(DriftError):
    http_status = 409

    def __init__(self, report_id: int) -> None:
        super().__init__(f"Report {report_id} says the same of this window already. Give another window.")


class NotUndatedError(DriftError):
    http_status = 409

    def __init__(self, report_id: int) -> None:
        super().__init__(f"Report {report_id} has a window already. Only an undated report is dated, and once.")


class DataTooLargeError(DriftError):
    http_status = 413

    def __init__(self, limit_bytes: int) -> None:
        super().__init__(
            f"The file is larger than {limit_bytes} bytes. Send a shorter window or Parquet instead of CSV, "
            "or raise FLEETLEDGER_DRIFT_DATA_MAX_BYTES."
        )


class EmptyDataError(DriftError):
    def __init__(self) -> None:
        super().__init__("The file is empty. Send rows as Parquet, or as CSV with a header.")


class UnreadableDataError(DriftError):
    """Rows of which nothing was taken."""

    def __init__(self, why: str) -> None:
        super().__init__(_printable(why)[:1000])


class NoReferenceError(DriftError):
    http_status = 409

    def __init__(self, name: str) -> None:
        super().__init__(
            f"'{name}' has no active reference to compare with. Send its reference first: POST "
            f"/api/v1/drift/references?model={name}, or `import-drift --model {name} --as reference FILE`."
        )


class NotProposedError(DriftError):
    http_status = 409

    def __init__(self, version: int, state: str) -> None:
        super().__init__(f"Reference {version} is {state}. Only one that waits for a review is decided, and once.")


class SenderDecidesError(DriftError):
    http_status = 409

    def __init__(self) -> None:
        super().__init__("You sent this reference. Of a production model another person accepts or refuses it.")


class NoNoteError(DriftError):
    def __init__(self, most: int) -> None:
        super().__init__(f"A decision about a reference needs a note of 1 to {most} characters: say what you saw.")


class EventsError(DriftError):
    """Events of which nothing was taken; `path` is where the trouble stands, as in events[3].at."""

    def __init__(self, path: str, why: str) -> None:
        self.path = _printable(path)
        super().__init__(f"{self.path}: {_printable(why)}")


class OtherEventsError(DriftError):
    http_status = 409

    def __init__(self, key: str) -> None:
        super().__init__(f"Other events came with the key '{key[:100]}' before. Give each batch a key of its own.")


def _printable(text: str) -> str:
    """`text` as a page, the API and the database take it, whatever stood in the report."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\x00", "\\x00")
