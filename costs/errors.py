"""What the ledger refuses, each with a sentence that says how to mend it."""

from collections.abc import Iterable


class CostsError(Exception):
    """The base of everything that costs refuses. `http_status` is how the API tells it."""

    http_status: int = 422


class UnknownAccountError(CostsError):
    http_status = 404

    def __init__(self, key: str) -> None:
        super().__init__(f"No account is called '{key}'. Take a team's slug, (idle) or (unallocated:<reason>).")


class UnknownSourceError(CostsError):
    def __init__(self, name: str, known: Iterable[str]) -> None:
        listed = ", ".join(sorted(known))
        fix = f"Known: {listed}." if listed else "There is none yet: apply a source of kind bill first."
        super().__init__(f"No bill source is called '{name}'. {fix}")


class UnsupportedFormatError(CostsError):
    def __init__(self, source: str, wanted: str) -> None:
        super().__init__(
            f"Source '{source}' has the format '{wanted}', which this version does not read. "
            "Export the bill as FOCUS CSV and set `format: focus`."
        )


class BadSourceError(CostsError):
    def __init__(self, source: str, key: str, value: object, allowed: str) -> None:
        super().__init__(f"Source '{source}' has {key}: {value}. Set it to {allowed}.")


class UnreadableFileError(CostsError):
    """A file that is no FOCUS CSV at all; nothing of it was imported."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")


class MissingColumnsError(UnreadableFileError):
    def __init__(self, name: str, missing: Iterable[str], hint: str = "") -> None:
        listed = list(missing)
        noun = "the column" if len(listed) == 1 else "the columns"
        super().__init__(
            name,
            f"{noun} {', '.join(listed)} {'is' if len(listed) == 1 else 'are'} missing, so this is no FOCUS bill "
            f"that can be imported. {hint or 'Export the bill as FOCUS 1.0 or later.'}",
        )


class FileTooLargeError(CostsError):
    http_status = 413

    def __init__(self, name: str, limit_bytes: int) -> None:
        super().__init__(
            f"{name}: larger than {limit_bytes} bytes. Split the export, or raise FLEETLEDGER_BILL_UPLOAD_MAX_BYTES."
        )


class ImportBusyError(CostsError):
    http_status = 409

    def __init__(self, source: str) -> None:
        super().__init__(f"Another import of source '{source}' is still running. Try again when it is done.")


class NothingToAllocateError(CostsError):
    def __init__(self, period: str, known: Iterable[str]) -> None:
        listed = ", ".join(sorted(known))
        fix = f"Periods with bill rows: {listed}." if listed else "Import a bill first: import-bill --source NAME FILE."
        super().__init__(f"No bill has rows of {period}. {fix}")


class ClosedPeriodError(CostsError):
    http_status = 409

    def __init__(self, period: str) -> None:
        super().__init__(f"{period} is closed and never changes. Later rows are posted to the open period.")
