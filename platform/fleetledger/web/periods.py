"""Reads the time range that a page shows from its address: presets, instants, days, with errors in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from fleetledger.lib.buckets import BUCKET, DAY, HOUR, Window, ceil, floor

PRESETS: tuple[tuple[str, timedelta], ...] = (
    ("24h", timedelta(hours=24)),
    ("7d", timedelta(days=7)),
    ("30d", timedelta(days=30)),
    ("90d", timedelta(days=90)),
)
DEFAULT_PRESET = "30d"
REFRESHES: tuple[tuple[str, int], ...] = (("Off", 0), ("30s", 30), ("1m", 60), ("5m", 300))
DEFAULT_REFRESH = "1m"
BUCKETS_UP_TO = timedelta(hours=48)
HOURS_UP_TO = timedelta(days=45)
LONGEST = timedelta(days=366 * 5)

_RELATIVE = re.compile(r"now(?:-(\d{1,6})(m|h|d|w))?")
_UNITS = {"m": timedelta(minutes=1), "h": HOUR, "d": DAY, "w": timedelta(weeks=1)}


@dataclass(frozen=True, slots=True)
class Period:
    """The range a page shows. `preset` is set while its start moves with the clock; `error` says what was wrong."""

    window: Window
    preset: str
    refresh: str
    error: str = ""

    @property
    def previous(self) -> Window:
        """The range of the same length just before."""
        return Window(self.window.start - self.window.duration, self.window.start)

    @property
    def step(self) -> timedelta:
        """How finely a chart of this range is drawn, so that it stays below about 1,100 points."""
        if self.window.duration <= BUCKETS_UP_TO:
            return BUCKET
        return HOUR if self.window.duration <= HOURS_UP_TO else DAY

    @property
    def label(self) -> str:
        """As a person says it: 24 Oct - 22 Nov, or with hours where days do not tell the range."""
        start, end = self.window.start, self.window.end
        if self.window.duration < timedelta(days=2):
            same_day = start.date() == (end - BUCKET).date()
            return f"{_day(start)} {start:%H:%M} \N{EN DASH} {'' if same_day else _day(end) + ' '}{end:%H:%M}"
        last = end - BUCKET
        years = start.year != last.year
        return f"{_day(start, year=years)} \N{EN DASH} {_day(last, year=years)}"

    @property
    def words(self) -> str:
        """As in "vs previous 30 days"."""
        hours = round(self.window.duration / HOUR)
        if hours < 48:  # noqa: PLR2004 two days
            return f"{hours} hours" if hours != 1 else "hour"
        return f"{round(hours / 24)} days"

    @property
    def query(self) -> str:
        """The address part that gives this range again."""
        return f"from=now-{self.preset}&to=now" if self.preset else self.fixed_query

    @property
    def fixed_query(self) -> str:
        """The address part that gives these very instants, for a link to send to somebody."""
        return f"from={self.window.start:%Y-%m-%dT%H:%MZ}&to={self.window.end:%Y-%m-%dT%H:%MZ}"

    @property
    def first_day(self) -> str:
        return self.window.start.date().isoformat()

    @property
    def last_day(self) -> str:
        return (self.window.end - BUCKET).date().isoformat()

    @property
    def refresh_seconds(self) -> int:
        return dict(REFRESHES)[self.refresh]


class RangeError(ValueError):
    """A time range that cannot be shown; the text says what to write instead."""


def parse_period(query: Mapping[str, str], now: datetime, *, default: str = DEFAULT_PRESET) -> Period:
    """The period of an address. A wrong one gives the default period with `error` set, never an exception."""
    refresh = query.get("refresh", DEFAULT_REFRESH)
    refresh = refresh if refresh in dict(REFRESHES) else DEFAULT_REFRESH
    from_text, to_text = query.get("from", "").strip(), query.get("to", "").strip()
    preset = _preset_of(from_text, to_text, default)
    if preset:
        return Period(_aligned(now - dict(PRESETS)[preset], now), preset, refresh)
    try:
        window = _window(from_text or f"now-{default}", to_text or "now", now)
    except RangeError as error:
        return Period(_aligned(now - dict(PRESETS)[default], now), default, refresh, str(error))
    return Period(window, "", refresh)


def _preset_of(from_text: str, to_text: str, default: str) -> str:
    if not from_text and not to_text:
        return default
    name = from_text.removeprefix("now-")
    return name if to_text in {"", "now"} and from_text.startswith("now-") and name in dict(PRESETS) else ""


def _window(from_text: str, to_text: str, now: datetime) -> Window:
    start = _instant(from_text, now, "from", last=False)
    end = _instant(to_text, now, "to", last=True)
    if end <= start:
        raise RangeError("The range ends before it starts. Choose a later 'to' or an earlier 'from'.")
    if end - start > LONGEST:
        raise RangeError("The range is longer than five years. Choose a shorter one.")
    if start > now:
        raise RangeError("The range lies in the future. Choose days that have begun.")
    return _aligned(start, end)


def _instant(text: str, now: datetime, name: str, *, last: bool) -> datetime:
    """One end of a range. A bare day means its first instant, as the range's end the day's last."""
    relative = _RELATIVE.fullmatch(text)
    if relative:
        return now - int(relative[1]) * _UNITS[relative[2]] if relative[1] else now
    try:
        if len(text) == len("2026-10-24"):
            day = date.fromisoformat(text)
            return datetime(day.year, day.month, day.day, tzinfo=UTC) + (DAY if last else timedelta(0))
        at = datetime.fromisoformat(text)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise RangeError(
            f"'{text}' is not a time for '{name}'. Write now-30d, a day such as 2026-10-24, or 2026-10-24T12:00Z."
        ) from error


def _aligned(start: datetime, end: datetime) -> Window:
    """Widened to whole buckets, and to whole hours where only hours are drawn."""
    step = BUCKET if end - start <= BUCKETS_UP_TO else HOUR
    return Window(floor(start, step), ceil(end, step))


def _day(at: datetime, *, year: bool = False) -> str:
    return f"{at.day} {at:%b}" + (f" {at.year}" if year else "")
