"""How well we see: sources that fail or fall behind, and time of which nobody knows what the GPUs did."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fleetledger.fleet.access import TeamScope
from monitoring.alerts.rules.facts import Fact, Question
from monitoring.alerts.rules.found import Found
from monitoring.telemetry import reads_sources
from monitoring.telemetry.reads_sources import KnownShare, SourceStatus

EVERYTHING = TeamScope.everything()
US_PER_HOUR = 3_600_000_000


@dataclass(frozen=True, slots=True)
class BehindOptions:
    """`behind`: how far a source's facts may lag what can be expected of it."""

    behind: timedelta = reads_sources.BEHIND


@dataclass(frozen=True, slots=True)
class CoverageOptions:
    """`below`: the known share of a source's GPU time over `window` under which it is too little."""

    window: timedelta = timedelta(hours=1)
    below: float = 0.9


def look_behind(question: Question) -> Sequence[Found]:
    """A result per source that fails, was never read or is behind; its value is the lag in seconds."""
    options: BehindOptions = question.options
    found = []
    for source in reads_sources.sources_status(teams=EVERYTHING, at=question.at):
        reason = _trouble(source, options.behind)
        if reason:
            lag_s = source.lag.total_seconds() if source.lag else 0.0
            labels = {"source": source.name, "kind": source.kind, "cluster": source.cluster}
            told = {"summary": f"Source {source.name} {reason}", "description": _advice(source)}
            found.append(Found(labels, lag_s, None, told))
    return found


def look_coverage(question: Question) -> Sequence[Found]:
    """A result per source that knows too little of its GPUs' time; its value is the known share."""
    options: CoverageOptions = question.options
    shares = reads_sources.known_shares(question.at, options.window, teams=EVERYTHING)
    return [_too_little(share, options) for share in shares if share.share < options.below]


def _trouble(source: SourceStatus, behind: timedelta) -> str:
    if source.state == "disabled":
        return ""
    if source.last_error:
        return "cannot be read"
    if source.lag is None:
        return "has never been read"
    return f"is {source.lag // timedelta(minutes=1)} minutes behind" if source.lag > behind else ""


def _advice(source: SourceStatus) -> str:
    if source.last_error:
        return source.last_error
    until = f"Its facts end at {source.watermark_at:%Y-%m-%d %H:%M}Z. " if source.watermark_at else ""
    return f"{until}Are the workers running? See the sources page."


def _too_little(share: KnownShare, options: CoverageOptions) -> Found:
    hours = options.window / timedelta(hours=1)
    unknown = (share.existence_us - share.observed_us) / US_PER_HOUR
    told = {
        "summary": f"Source {share.source} knows only {share.share:.1%} of its GPUs' time",
        "description": (
            f"Of the {hours:g} h until {share.until_at:%Y-%m-%d %H:%M}Z {unknown:.1f} GPU-hours are unknown: nobody "
            "can be charged for them. Are all exporters up?"
        ),
    }
    return Found({"source": share.source, "cluster": share.cluster}, share.share, None, told)


BEHIND = Fact("source_behind", look_behind, BehindOptions, "Sources that cannot be read or are behind.")
COVERAGE = Fact("telemetry_coverage", look_coverage, CoverageOptions, "Sources that know too little of their GPUs.")
