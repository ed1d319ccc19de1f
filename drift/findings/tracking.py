"""The state of one root signal over windows, and the step that a window makes: when a finding opens and closes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from drift.findings.grouping import RootReading
from drift.findings.readings import Verdict
from drift.findings.rules import Rules
from drift.measures.robust.scoring import Severity


class Change(StrEnum):
    OPENED = "opened"
    WORSENED = "worsened"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Track:
    """States: 1. quiet, 2. open, 3. quiet again. Only judged windows move it; the same window twice moves it once.

    `recent` holds the last judged windows, true where drifted. `openings` are the numbers of the windows that opened
    it, counted from 1; `judged` is the number of the last one. `blind` counts windows without enough data since a
    verdict.
    """

    root: str
    is_open: bool = False
    recent: tuple[bool, ...] = ()
    clean_run: int = 0
    judged: int = 0
    blind: int = 0
    openings: tuple[int, ...] = ()
    severity: Severity = Severity.NONE
    last_window: datetime | None = None

    def is_flapping(self, rules: Rules) -> bool:
        """It opened so often lately that telling people each time would teach them to look away."""
        lately = [opened for opened in self.openings if opened > self.judged - rules.flap_windows]
        return len(lately) >= rules.flaps


@dataclass(frozen=True, slots=True)
class Step:
    """`is_quiet`: the change is real, but of a flapping signal: show it, tell nobody."""

    track: Track
    change: Change | None = None
    is_quiet: bool = False


def step(track: Track, reading: RootReading, rules: Rules, *, window: datetime) -> Step:
    """Move a track by the window that ends at `window`. Windows come in their order; an older one changes nothing.

    1. Insufficient data moves nothing but `blind`: an open finding stays open, a quiet one is not green.
    2. A drifted window opens at once where it may, else on `opens_on` of `out_of`; an open one may get worse.
    3. A clean window counts towards closing; one that is near the threshold starts that count anew.
    """
    if track.last_window is not None and window <= track.last_window:
        return Step(track)
    if not reading.leading.is_judged:
        return Step(replace(track, blind=track.blind + 1, last_window=window))
    seen = _seen(track, reading, rules, window)
    if seen.is_open:
        return _while_open(track, seen, reading, rules)
    if reading.leading.at_once or (seen.recent[-1] and sum(seen.recent) >= rules.opens_on):
        opened = replace(seen, is_open=True, openings=(*seen.openings, seen.judged), severity=reading.leading.severity)
        return Step(opened, Change.OPENED, is_quiet=opened.is_flapping(rules))
    return Step(seen)


def replay(root: str, readings: Iterable[tuple[datetime, RootReading]], rules: Rules) -> tuple[Track, tuple[Step, ...]]:
    """The track after all these windows and the steps that changed it: for a reference or rules that changed."""
    track, changes = Track(root), list[Step]()
    for window, reading in readings:
        moved = step(track, reading, rules, window=window)
        track = moved.track
        if moved.change is not None:
            changes.append(moved)
    return track, tuple(changes)


def _seen(track: Track, reading: RootReading, rules: Rules, window: datetime) -> Track:
    verdict = reading.leading.verdict
    return replace(
        track,
        recent=(*track.recent, verdict is Verdict.DRIFTED)[-rules.out_of :],
        clean_run=track.clean_run + 1 if verdict is Verdict.CLEAN else 0,
        judged=track.judged + 1,
        blind=0,
        openings=tuple(opened for opened in track.openings if opened > track.judged + 1 - rules.flap_windows),
        last_window=window,
    )


def _while_open(before: Track, seen: Track, reading: RootReading, rules: Rules) -> Step:
    needed = rules.clean_when_flapping if seen.is_flapping(rules) else rules.clean_needed
    if seen.clean_run >= needed:
        closed = replace(seen, is_open=False, recent=(), clean_run=0, severity=Severity.NONE)
        return Step(closed, Change.CLOSED, is_quiet=seen.is_flapping(rules))
    order = list(Severity)
    if order.index(reading.leading.severity) > order.index(before.severity):
        return Step(replace(seen, severity=reading.leading.severity), Change.WORSENED, is_quiet=seen.is_flapping(rules))
    return Step(seen)
