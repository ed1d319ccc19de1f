"""What a finding rests on, as it was when it opened or last got worse; stored as JSON with it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

MOST = 100  # columns of which a finding keeps the numbers; the report keeps them all


@dataclass(frozen=True, slots=True)
class Number:
    """A score as its report gives it."""

    column: str
    method: str
    value: float | None
    threshold: float | None
    threshold_low: float | None
    direction: str
    is_drifted: bool | None


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact about a column's data; `value` is None where the tool gives none."""

    column: str
    method: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """`recent` holds the last judged windows of the signal, true where drifted. The rest is of some kinds alone."""

    scores: tuple[Number, ...] = ()
    facts: tuple[Fact, ...] = ()
    recent: tuple[bool, ...] = ()
    reports: tuple[int, ...] = ()
    share: float | None = None
    drift_share: float | None = None
    columns: int = 0
    drifted_columns: int = 0
    is_estimate: bool = False
    usual: float | None = None
    loss: float | None = None
    row: int | None = None
    since: datetime | None = None
    missed: int = 0
    expected_every: str = ""

    @property
    def leading(self) -> Number | None:
        return self.scores[0] if self.scores else None

    def packed(self) -> dict[str, Any]:
        """As JSON holds it; what is empty is left out."""
        cut = replace(self, scores=self.scores[:MOST], facts=self.facts[:MOST])
        found = asdict(cut) | {"since": self.since.isoformat() if self.since else None}
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in found.items() if _says(value)
        }

    @classmethod
    def unpacked(cls, document: Mapping[str, Any]) -> "Evidence":
        known: dict[str, Any] = dict(document)
        since = known.get("since")
        return cls(
            **known
            | {
                "scores": tuple(Number(**one) for one in known.get("scores", ())),
                "facts": tuple(Fact(**one) for one in known.get("facts", ())),
                "recent": tuple(known.get("recent", ())),
                "reports": tuple(known.get("reports", ())),
                "since": datetime.fromisoformat(since) if since else None,
            }
        )


def leading_first(numbers: Sequence[Number], column: str) -> tuple[Number, ...]:
    """Those of the leading column first, of these the drifted ones."""
    return tuple(sorted(numbers, key=lambda one: (one.column != column, one.is_drifted is not True)))


def _says(value: object) -> bool:
    return value is not None and value is not False and value not in ("", (), 0)
