"""What can go wrong with telemetry, each in one sentence with its fix."""


class TelemetryError(Exception):
    """Base of the room's errors."""


class UnknownSourceError(TelemetryError):
    def __init__(self, name: str, known: list[str]) -> None:
        names = ", ".join(known) or "none yet; add one under 'sources' and run apply"
        super().__init__(f"No telemetry source is called '{name}'. Known: {names}.")


class WindowError(TelemetryError):
    """A window that cannot be ingested."""


class SourceBusyError(TelemetryError):
    def __init__(self, name: str) -> None:
        super().__init__(f"Source '{name}' is being read by another worker. Try again when it is done.")


class IncompleteError(TelemetryError):
    def __init__(self, name: str, missing: list[str]) -> None:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        super().__init__(f"Source '{name}' gave only a part, so nothing was written. Missing: {missing[0]}{more}")
