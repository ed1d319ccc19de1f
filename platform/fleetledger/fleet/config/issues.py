"""What is wrong with a configuration file: where, which key, and what would be right."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fleetledger.fleet.errors import FleetError

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file, counted from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Issue:
    place: Place
    path: Path
    sentence: str

    def __str__(self) -> str:
        key = path_text(self.path)
        return f"{self.place}: {key}: {self.sentence}" if key else f"{self.place}: {self.sentence}"


class ConfigError(FleetError):
    """A configuration that changes nothing because something in it is wrong; one line for each mistake."""

    def __init__(self, issues: Iterable[Issue]) -> None:
        self.issues: Sequence[Issue] = sorted(
            dict.fromkeys(issues), key=lambda issue: (issue.place.file, issue.place.line)
        )
        super().__init__("\n".join(str(issue) for issue in self.issues))


def path_text(path: Path) -> str:
    """('teams', 0, 'slug') as teams[0].slug."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
