"""The bars of a column: its buckets in a computed window beside those of its reference."""

from drift.measures.robust.buckets import labels_of_buckets
from drift.measures.robust.counts import Counts
from drift.measures.robust.profile import WindowCounts
from drift.models import DataWindow
from drift.native.profiles import profile_for
from drift.reviews.histograms import Bar

OUTSIDE = ("below", "above", "new", "null", "other type")


def bars(report_id: int, column: str) -> tuple[Bar, ...]:
    """Inner buckets in their order, then those of what the reference never had, where either side has rows there."""
    row = DataWindow.objects.select_related("model", "reference").filter(report_id=report_id).first()
    if row is None or row.reference is None:
        return ()
    profile = profile_for(row.model, row.reference, row.window_from)
    held = next((one for one in profile.columns if one.name == column), None)
    counts = WindowCounts.from_json(row.counts).columns.get(column)
    if held is None or counts is None:
        return ()
    labels = (*labels_of_buckets(held.buckets), *OUTSIDE)
    pairs = zip(labels, shares(held.counts), shares(counts), strict=True)
    found = [Bar(label, mine, theirs) for label, mine, theirs in pairs]
    return tuple(bar for bar in found if bar.label not in OUTSIDE or bar.reference_share or bar.window_share)


def shares(counts: Counts) -> list[float]:
    """Of all rows, by bucket: the inner ones, then below, above, new, null and of another type."""
    cells = (*counts.inside, counts.below, counts.above, counts.new, counts.nulls, counts.misfits)
    return [cell / counts.rows if counts.rows else 0.0 for cell in cells]
