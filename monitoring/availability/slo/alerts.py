"""Tells alerting what burns: one alert for each objective and pair of windows that fires."""

from collections.abc import Sequence
from fractions import Fraction

from monitoring.alerts import door
from monitoring.availability.models import Slo, SloState, SloVerdict
from monitoring.availability.slo import sentences
from monitoring.availability.slo.budget import Budget, budget, lasts_s
from monitoring.availability.slo.burn import Severity, Terms, rate, span_text
from monitoring.availability.slo.stored import counted_of, long_of

ALERT = "SloBurnRate"
SEVERITIES = {Severity.PAGE: "critical", Severity.TICKET: "warning"}
OURS = ("alertname", "slo", "component", "severity", "window")
"""Labels that nobody else gives."""


def reporter(slo: Slo) -> str:
    """By which name the door knows the objective: each speaks for itself, so that one that is away keeps its alerts."""
    return f"slo:{slo.pk}"


def report(slo: Slo, state: SloState, verdicts: Sequence[SloVerdict], terms: Terms) -> None:
    """Bring its alerts to what fires now."""
    left = budget(counted_of(state), terms.allowed)
    firing = [row for row in verdicts if row.fires] if slo.is_alerting else []
    door.report(reporter(slo), slo.team_id, [_finding(slo, row, terms, left) for row in firing])


def end(slo: Slo) -> None:
    """Its alerts are over: it was removed, switched off, or is another team's from now on."""
    door.report(reporter(slo), slo.team_id, [])


def _finding(slo: Slo, row: SloVerdict, terms: Terms, left: Budget) -> door.Finding:
    labels = {
        "alertname": ALERT,
        "slo": slo.name,
        "component": slo.component.name if slo.component else "",
        "severity": SEVERITIES[Severity(row.severity)],
        "window": span_text(row.long_s),
    }
    return door.Finding({**slo.labels, **labels}, _annotations(slo, row, terms, left), row.fired_at)


def _annotations(slo: Slo, row: SloVerdict, terms: Terms, left: Budget) -> dict[str, str]:
    runbook = slo.component.runbook_url if slo.component else ""
    burn = rate(long_of(row), terms) or Fraction(0)
    summary = f"{slo.title or slo.name} uses up its error budget {sentences.times(burn)} times as fast as it may."
    found = {"summary": summary, "description": row.why, "impact": _impact(row, terms, left)}
    return {**({"runbook_url": runbook} if runbook else {}), **found, **slo.annotations}


def _impact(row: SloVerdict, terms: Terms, left: Budget) -> str:
    failed = f"{sentences.amount(long_of(row).bad, terms.unit)} failed in {span_text(row.long_s)}."
    if left.left is None:
        return failed
    if left.is_exhausted:
        return f"{failed} The error budget of {terms.period_days} days is used up."
    lasts = lasts_s(left.left, rate(long_of(row), terms) or Fraction(0), terms)
    words = f"{failed} {sentences.budget_left(left.left)} of the error budget is left"
    return f"{words}, which lasts {span_text(round(lasts / 60) * 60)} at this rate." if lasts else f"{words}."
