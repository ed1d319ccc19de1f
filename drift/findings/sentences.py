"""What a finding says of itself, in one sentence with its numbers."""

from collections.abc import Sequence
from datetime import UTC, datetime

from drift.findings.evidence import Evidence, Fact
from drift.models import FindingKind

SHOWN = 3


def summary(kind: FindingKind, columns: Sequence[str], evidence: Evidence) -> str:
    """At most 1,000 characters: names of columns may be long."""
    return _SENTENCES[kind](columns, evidence)[:1000]


def instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def names(columns: Sequence[str]) -> str:
    """Some of them, and how many more."""
    shown = ", ".join(column[:80] for column in columns[:SHOWN])
    return f"{shown} and {len(columns) - SHOWN} more" if len(columns) > SHOWN else shown


def _drift(columns: Sequence[str], evidence: Evidence) -> str:
    seen = evidence.recent
    often = f"in {sum(seen)} of the last {len(seen)} windows" if len(seen) > 1 else "in the last window"
    return f"{names(columns)} drifted {often}{_number(evidence)}."


def _quality(columns: Sequence[str], evidence: Evidence) -> str:
    facts = [_fact(fact) for fact in evidence.facts[:SHOWN]]
    return f"The data of {names(columns)} changed{': ' if facts else ''}{', '.join(facts)}."


def _fact(fact: Fact) -> str:
    """A fact that tells its numbers in words needs no further one."""
    tells = fact.value is None or any(sign.isdigit() for sign in fact.method)
    return fact.method if tells else f"{fact.method} {fact.value:.4g}"


def _dataset(_columns: Sequence[str], evidence: Evidence) -> str:
    share = f"a share of {evidence.share:.4g}" if evidence.share is not None else "an unknown share"
    limit = f", where {evidence.drift_share:.4g} is the limit" if evidence.drift_share is not None else ""
    return f"{evidence.drifted_columns} of {evidence.columns} columns drifted: {share}{limit}."


def _performance(columns: Sequence[str], evidence: Evidence) -> str:
    what = "The estimate of " if evidence.is_estimate else ""
    band = "its band" if len(columns) == 1 else "their bands"
    return f"{what}{names(columns)} left {band}{_number(evidence)}."


def _concept(_columns: Sequence[str], evidence: Evidence) -> str:
    loss = f" from {evidence.usual:.4g} to {evidence.loss:.4g}" if evidence.loss is not None else ""
    row = f" at labelled event {evidence.row}" if evidence.row is not None else ""
    return f"The mean loss rose{loss}{row}."


def _missing(_columns: Sequence[str], evidence: Evidence) -> str:
    since = f" since {instant(evidence.since)}" if evidence.since else ""
    every = f"; one is expected every {evidence.expected_every}" if evidence.expected_every else ""
    return f"No report came{since}{every}, {evidence.missed} {'is' if evidence.missed == 1 else 'are'} missing."


def _number(evidence: Evidence) -> str:
    lead = evidence.leading
    if lead is None or lead.value is None:
        return ""
    limit = f", threshold {lead.threshold:.4g}" if lead.threshold is not None else ""
    low = f", lower threshold {lead.threshold_low:.4g}" if lead.threshold_low is not None else ""
    return f" ({lead.method} {lead.value:.4g}{limit}{low})"


_SENTENCES = {
    FindingKind.DRIFT: _drift,
    FindingKind.QUALITY: _quality,
    FindingKind.CONCEPT: _concept,
    FindingKind.PERFORMANCE: _performance,
    FindingKind.MISSING_REPORT: _missing,
    FindingKind.DATASET: _dataset,
}
