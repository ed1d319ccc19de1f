"""What the columns of a model's data mean, as its configuration says under `data`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from typing import Any, Self
from zoneinfo import ZoneInfo

from drift.findings.seasons import Season
from drift.measures.columns import Kind
from drift.models import Model
from fleetledger.lib.durations import parse_duration

CLASSIFICATION, REGRESSION = "classification", "regression"
LATENESS = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Meanings:
    """Names of columns, empty where there is none. `positive` is the class that `score` is the chance of.

    `lateness` is how long after its end a window of events waits for late ones.
    """

    time: str = ""
    id: str = ""
    prediction: str = ""
    score: str = ""
    label: str = ""
    positive: str | None = None
    task: str = CLASSIFICATION
    ignore: tuple[str, ...] = ()
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    season: Season = Season.NONE
    zone: tzinfo = UTC
    lateness: timedelta = LATENESS

    @classmethod
    def of(cls, model: Model) -> Self:
        found: dict[str, Any] = dict(model.data)
        known = {name: found[name] for name in ("time", "id", "prediction", "score", "label", "task") if name in found}
        return cls(
            **known,
            positive=found.get("positive"),
            ignore=tuple(found.get("ignore", ())),
            kinds={name: Kind(kind) for name, kind in found.get("kinds", {}).items()},
            season=Season(found.get("season", Season.NONE)),
            zone=ZoneInfo(found.get("zone", "UTC")),
            lateness=parse_duration(found["lateness"]) if "lateness" in found else LATENESS,
        )

    @property
    def without_measure(self) -> tuple[str, ...]:
        """Columns that say when, which or how it ended: their drift means nothing."""
        return tuple(name for name in (self.time, self.id, self.label, *self.ignore) if name)
