"""What applying a file does: the changes in order, and the mistakes that stop it."""

from dataclasses import dataclass, field
from typing import Any

from fleetledger.fleet.config.document import Document
from fleetledger.fleet.config.issues import Issue, Path

SIGNS = {"added": "+", "changed": "~", "removed": "-"}


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that was added, changed or removed, in words."""

    kind: str
    thing: str
    name: str
    detail: str = ""

    def __str__(self) -> str:
        rest = f": {self.detail}" if self.detail else ""
        return f"{SIGNS[self.kind]} {self.thing} {self.name}{rest}"


@dataclass(slots=True)
class Plan:
    """Handed to each section while a file is applied, inside one transaction."""

    document: Document
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)

    def refuse(self, path: Path, sentence: str) -> None:
        """Note a mistake; nothing of the file is kept once there is one."""
        self.issues.append(self.document.issue(path, sentence))

    def added(self, thing: str, name: str, detail: str = "") -> None:
        self.changes.append(Change("added", thing, name, detail))

    def changed(self, thing: str, name: str, detail: str) -> None:
        self.changes.append(Change("changed", thing, name, detail))

    def removed(self, thing: str, name: str, detail: str = "") -> None:
        self.changes.append(Change("removed", thing, name, detail))

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


def save(plan: Plan, thing: str, name: str, row: Any, values: dict[str, Any]) -> None:
    """Bring a model's row to `values`, saving only where something differs, and say what."""
    is_new = row.pk is None
    differing = {key: value for key, value in values.items() if getattr(row, key) != value}
    words = [f"{key} {shown(getattr(row, key))} -> {shown(value)}" for key, value in differing.items() if not is_new]
    for key, value in differing.items():
        setattr(row, key, value)
    if is_new:
        row.save()
        given = [f"{key} {shown(value)}" for key, value in values.items() if value not in (None, "", {}, [])]
        plan.added(thing, name, ", ".join(given))
    elif differing:
        row.save(update_fields=list(differing))
        plan.changed(thing, name, ", ".join(words))


def shown(value: Any) -> str:
    """A value as the difference shows it."""
    if value in (None, "", {}, []):
        return "none"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {shown(item)}" for key, item in value.items()) + "}"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
