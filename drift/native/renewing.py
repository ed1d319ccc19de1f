"""Makes the windows of a finding the next reference: what drifted is usual from now on, since two people said so.

The buckets stay, with what lay outside of them taken in, so that counts of windows become counts of the reference.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from django.db.models import Max, QuerySet, Sum

from drift.findings.rules import Rules
from drift.models import DataWindow, Finding, Reference, ReferenceState, WindowState
from drift.native import references
from drift.native.locking import lock
from drift.reviews.verdicts import Person
from monitoring.alerts import clock

if TYPE_CHECKING:
    from drift.measures.robust.profile import ColumnProfile, WindowCounts


def can_renew(finding: Finding) -> bool:
    """Whether there are rows enough since it opened, compared with a reference that knows no seasons."""
    active = references.active(finding.model_id)
    if active is None or active.seasons:
        return False
    return (_windows(finding, active).aggregate(rows=Sum("rows"))["rows"] or 0) >= Rules().min_rows


def renew(finding: Finding, note: str, by: Person) -> Reference:
    """The next version, active at once. Within a transaction, after `can_renew`."""
    from drift.measures.robust.profile import Profile, WindowCounts

    lock(finding.model_id)
    active = references.active(finding.model_id)
    assert active is not None  # noqa: S101 can_renew saw it, and retiring it takes the lock
    rows = _windows(finding, active)
    counts = [WindowCounts.from_json(one) for one in rows.values_list("counts", flat=True)]
    total = sum(counts[1:], counts[0])
    old = Profile.from_json(active.profile)
    profile = replace(old, rows=total.rows, columns=tuple(_renewed(column, total) for column in old.columns))
    span = rows.aggregate(end=Max("window_to"))
    references.retire(finding.model_id)
    now = clock.now()
    return Reference.objects.create(
        model_id=finding.model_id,
        version=Reference.objects.filter(model_id=finding.model_id).aggregate(last=Max("version"))["last"] + 1,
        state=ReferenceState.ACTIVE,
        finding=finding,
        note=note[: references.MAX_NOTE],
        rows=total.rows,
        columns=len(profile.columns),
        profile=profile.to_json(),
        baseline=active.baseline,
        window_from=finding.window_from,
        window_to=span["end"],
        received_at=now,
        received_by=by.user,
        received_from=f"finding {finding.pk}",
        decided_at=now,
        decided_by=by.name[:200],
        decision_note=note[: references.MAX_NOTE],
    )


def _windows(finding: Finding, active: Reference) -> QuerySet[DataWindow]:
    rows = DataWindow.objects.filter(reference=active, state=WindowState.COMPUTED, is_complete=True)
    return rows.filter(window_from__gte=finding.window_from) if finding.window_from else rows.none()


def _renewed(column: "ColumnProfile", total: "WindowCounts") -> "ColumnProfile":
    """A column that no window had keeps what the reference said of it."""
    from drift.measures.robust.profile import ColumnProfile

    counts = total.columns.get(column.name)
    if counts is None or not counts.present:
        return column
    buckets = column.buckets
    if buckets.edges:
        low, high = min(buckets.edges[0], counts.low or 0.0), max(buckets.edges[-1], counts.high or 0.0)
        inside = list(counts.inside)
        inside[0] += counts.below
        inside[-1] += counts.above
        edges = (low, *buckets.edges[1:-1], high)
        return ColumnProfile(
            replace(buckets, edges=edges), replace(counts, inside=tuple(inside), below=0, above=0), column.singles
        )
    if not buckets.levels:
        return ColumnProfile(buckets, counts, column.singles)
    known = dict(counts.new_levels)
    taken = sum(known.values())
    held = replace(counts, inside=(*counts.inside, *known.values()), new=counts.new - taken, new_levels=())
    singles = sum(count == 1 for count in held.inside)
    return ColumnProfile(replace(buckets, levels=(*buckets.levels, *known)), held, singles)
