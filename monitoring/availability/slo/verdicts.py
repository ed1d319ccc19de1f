"""The one writer of what pairs of windows say, and since when they fire."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleetledger.lib.buckets import floor
from monitoring.availability.models import Slo, SloBurn, SloVerdict
from monitoring.availability.slo import sentences
from monitoring.availability.slo.asks import Answers, Ask
from monitoring.availability.slo.burn import DAY_S, Counted, Outcome, Pair, Terms, Verdict, judge, pairs, windows

SLOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether a pair fires. `decided_at`: its last verdict that was one."""

    fires: bool = False
    fired_at: datetime | None = None
    decided_at: datetime | None = None


def due(terms: Terms, before: datetime | None, at: datetime) -> tuple[Pair, ...]:
    """The pairs to look at: those of days only now and then, for they cost a Prometheus more than all others."""
    is_slow_too = before is None or floor(before, SLOW) != floor(at, SLOW)
    return tuple(pair for pair in pairs(terms.period_days) if pair.long_s < DAY_S or is_slow_too)


def asks(of: Sequence[Pair], until: int) -> list[Ask]:
    return [Ask.window(until, seconds) for seconds in windows(of)]


def judged(of: Sequence[Pair], answers: Answers, until: int, terms: Terms) -> list[Verdict]:
    """These pairs at the instant for which was asked."""
    found = []
    for pair in of:
        long, short = (answers[Ask.window(until, seconds)] for seconds in (pair.long_s, pair.short_s))
        found.append(judge(pair, long, short, terms))
    return found


def advance(before: Standing, verdict: Verdict, at: datetime) -> Standing:
    """What fires goes on through a gap, for at most its long window: not to see is not to be over."""
    if verdict.outcome is Outcome.FIRES:
        return Standing(fires=True, fired_at=before.fired_at if before.fires else at, decided_at=at)
    if verdict.outcome is not Outcome.GAP:
        return Standing(decided_at=at)
    goes_on = timedelta(seconds=verdict.pair.long_s)
    if before.fires and before.decided_at is not None and at - before.decided_at <= goes_on:
        return before
    return Standing(decided_at=before.decided_at)


def keep(slo: Slo, verdicts: Sequence[Verdict], terms: Terms, at: datetime) -> list[SloVerdict]:
    """Write them, and when burning began and ended; gives every pair's as it stands, also those of before."""
    stored = {row.long_s: row for row in SloVerdict.objects.filter(slo=slo)}
    rows = []
    for verdict in verdicts:
        row = stored.get(verdict.pair.long_s) or SloVerdict(slo=slo, long_s=verdict.pair.long_s)
        before, row = row.fires, _filled(row, verdict, terms, at)
        if row.fires and not before:
            SloBurn.objects.create(slo=slo, long_s=row.long_s, severity=row.severity, from_at=at)
        row.save()
        rows.append(row)
    rows += [row for long_s, row in stored.items() if long_s not in {new.long_s for new in rows}]
    quiet = [row.long_s for row in rows if not row.fires]
    SloBurn.objects.filter(slo=slo, long_s__in=quiet, until_at=None).update(until_at=at)
    return rows


def clear(slo: Slo, at: datetime) -> None:
    """What it said is no longer said: it was removed or counts something else."""
    SloVerdict.objects.filter(slo=slo).delete()
    SloBurn.objects.filter(slo=slo, until_at=None).update(until_at=at)


def _filled(row: SloVerdict, verdict: Verdict, terms: Terms, at: datetime) -> SloVerdict:
    now = advance(Standing(row.fires, row.fired_at, row.decided_at), verdict, at)
    row.fires, row.fired_at, row.decided_at = now.fires, now.fired_at, now.decided_at
    row.short_s, row.severity = verdict.pair.short_s, verdict.pair.severity
    row.outcome, row.why, row.at = verdict.outcome, sentences.of_verdict(verdict, terms), at
    for prefix, counted in (("long", verdict.long), ("short", verdict.short)):
        for name, value in _numbers(counted).items():
            setattr(row, f"{prefix}_{name}", value)
    return row


def _numbers(counted: Counted) -> Mapping[str, float]:
    return {name: float(getattr(counted, name)) for name in ("bad", "total", "covered_s", "expected_s")}
