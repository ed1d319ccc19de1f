"""Which reference a window is compared with: that of its hour or weekday, where the days of a week differ."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from enum import StrEnum

from drift.findings.rules import Rules
from drift.measures.robust.profile import Profile

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Season(StrEnum):
    NONE = "none"
    HOUR = "hour"
    WEEKDAY = "weekday"
    HOUR_OF_WEEK = "hour of week"


def season_of(start: datetime, season: Season, zone: tzinfo) -> str:
    """The name of a window's season by where its start lies on the clock of `zone`: people keep local hours."""
    local = start.astimezone(zone)
    hour, weekday = f"{local.hour:02d}h", WEEKDAYS[local.weekday()]
    names = {Season.NONE: "", Season.HOUR: hour, Season.WEEKDAY: weekday, Season.HOUR_OF_WEEK: f"{weekday} {hour}"}
    return names[season]


@dataclass(frozen=True, slots=True)
class References:
    """The whole reference, and its parts by season."""

    whole: Profile
    season: Season = Season.NONE
    zone: tzinfo | None = None
    parts: Mapping[str, Profile] = field(default_factory=dict)

    def of(self, start: datetime, rules: Rules) -> Profile:
        """A season with too few rows to judge by falls back to the whole reference."""
        if self.season is Season.NONE or self.zone is None:
            return self.whole
        part = self.parts.get(season_of(start, self.season, self.zone))
        return part if part is not None and part.rows >= rules.min_rows else self.whole
