"""The score of one column in one window against its reference."""

from dataclasses import dataclass
from enum import StrEnum

from drift.measures.robust.buckets import labels_of_buckets
from drift.measures.robust.counts import Counts
from drift.measures.robust.effects import effect
from drift.measures.robust.noise import noise_band
from drift.measures.robust.probability import p_value
from drift.measures.robust.profile import ColumnProfile

FLOOR = 0.1  # effects below are never drift: 0.1 is a shift of about 0.18 standard deviations
MIN_ROWS = 100  # with a value, in either window
ALPHA = 0.01
MEDIUM, HIGH = 2.0, 4.0  # times the threshold


class Severity(StrEnum):
    """From the effect alone: a p-value gets small by rows, not by harm."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Move:
    """A bucket with its share of the rows in the reference and in the window."""

    bucket: str
    reference_share: float
    window_share: float


@dataclass(frozen=True, slots=True)
class RobustScore:
    """`threshold` is the larger of the floor and the noise at this size. `is_sufficient`: there were rows enough.

    `shift` is how far the mean moved in deviations of the reference: for the card, not for the verdict, as one outlier
    moves it.
    """

    column: str
    effect: float
    shape: float
    location: float
    shift: float
    p_value: float
    threshold: float
    rows: int
    is_sufficient: bool
    moves: tuple[Move, ...]

    @property
    def is_large(self) -> bool:
        return self.is_sufficient and self.effect >= self.threshold

    @property
    def is_drifted(self) -> bool:
        """The verdict on this column alone; over many columns `drift.findings` controls false alarms."""
        return self.is_large and self.p_value <= ALPHA

    @property
    def severity(self) -> Severity:
        return severity_of(self.effect, self.threshold) if self.is_large else Severity.NONE


def score(profile: ColumnProfile, window: Counts, *, floor: float = FLOOR, min_rows: int = MIN_ROWS) -> RobustScore:
    """Nulls, new categories and values out of range are buckets like others: what moves there is drift too."""
    is_ordered, reference = profile.buckets.is_ordered, profile.counts
    found = effect(reference, window, is_ordered=is_ordered)
    is_sufficient = min(reference.rows, window.rows) >= min_rows
    return RobustScore(
        profile.name,
        effect=found.size,
        shape=found.shape,
        location=found.location,
        shift=window.mean - reference.mean if window.rows else 0.0,
        p_value=p_value(reference, window, is_ordered=is_ordered),
        threshold=max(floor, noise_band(reference, window.rows, is_ordered=is_ordered)) if is_sufficient else floor,
        rows=window.rows,
        is_sufficient=is_sufficient,
        moves=moves(profile, window),
    )


def severity_of(effect_size: float, threshold: float) -> Severity:
    if effect_size < threshold:
        return Severity.NONE
    if effect_size < MEDIUM * threshold:
        return Severity.LOW
    return Severity.MEDIUM if effect_size < HIGH * threshold else Severity.HIGH


def moves(profile: ColumnProfile, window: Counts, *, most: int = 5) -> tuple[Move, ...]:
    """The buckets whose share changed most, largest change first."""
    reference = profile.counts
    names = (*labels_of_buckets(profile.buckets), "below", "above", "new", "null", "other type")
    mine, theirs = _shares(reference), _shares(window)
    changed = [Move(*move) for move in zip(names, mine, theirs, strict=True)]
    changed.sort(key=lambda move: -abs(move.window_share - move.reference_share))
    return tuple(move for move in changed[:most] if move.window_share != move.reference_share)


def _shares(counts: Counts) -> list[float]:
    cells = (*counts.inside, counts.below, counts.above, counts.new, counts.nulls, counts.misfits)
    return [cell / counts.rows if counts.rows else 0.0 for cell in cells]
