"""What was computed here as the scores of a report, so that it is stored and weighed like any other tool's."""

from collections.abc import Iterable, Sequence
from math import hypot

from drift.findings.native import JudgedWindow
from drift.findings.readings import Reading, Verdict
from drift.measures.compatible.scoring import WindowScores
from drift.measures.domain.classifier import METHOD as DOMAIN_CLASSIFIER
from drift.measures.domain.classifier import DomainScore
from drift.measures.labels.estimates import Estimate
from drift.measures.labels.performance import CERTAIN, Metric, declines
from drift.measures.robust import RECIPE as ROBUST
from drift.measures.robust.quality import Fact
from drift.sources.methods import LARGE, SMALL
from drift.sources.records import Kind, ReadScore

WRITTEN = 200  # characters of a fact that are kept


def of_robust(judged: JudgedWindow) -> tuple[ReadScore, ...]:
    """Effects with the verdict that all columns together gave, then the facts; without enough rows the flag is open."""
    told = {reading.column: _flag(reading) for reading in judged.readings}
    scores = [
        ReadScore(
            one.column,
            Kind.DRIFT,
            method=ROBUST,
            method_as_written=f"p {one.p_value:.3g}",
            value=one.effect,
            threshold=one.threshold,
            direction=LARGE,
            is_drifted=told[one.column],
        )
        for one in judged.scores
    ]
    return (*scores, *(_of_fact(fact) for fact in judged.facts))


def of_compatible(found: WindowScores) -> tuple[ReadScore, ...]:
    return tuple(
        ReadScore(
            one.column,
            Kind.DRIFT,
            method=one.method,
            method_as_written=one.method,
            value=one.value,
            threshold=one.threshold,
            direction=one.direction,
            is_drifted=one.is_drifted,
        )
        for one in found.scores
    )


def of_domains(found: Iterable[DomainScore]) -> tuple[ReadScore, ...]:
    """Texts and embeddings."""
    return tuple(
        ReadScore(
            one.column,
            Kind.DRIFT,
            method=DOMAIN_CLASSIFIER,
            method_as_written=f"p {one.p_value:.3g}",
            value=one.auc,
            threshold=one.threshold,
            direction=LARGE,
            is_drifted=one.is_drifted,
        )
        for one in found
    )


def of_performance(reference: Sequence[Metric], window: Sequence[Metric]) -> tuple[ReadScore, ...]:
    """Each metric against what the reference had, four standard errors of both for the worse."""
    before = {metric.name: metric for metric in reference}
    certain = {decline.metric for decline in declines(reference, window) if decline.is_certain}
    return tuple(
        ReadScore(
            metric.name,
            Kind.PERFORMANCE,
            method=metric.name,
            method_as_written=metric.name,
            value=metric.value,
            threshold=_bound(before.get(metric.name), metric),
            direction=SMALL if metric.is_higher_better else LARGE,
            is_drifted=metric.name in certain if metric.name in before else None,
        )
        for metric in window
    )


def of_estimate(reference: Sequence[Metric], estimated: Estimate) -> tuple[ReadScore, ...]:
    """Without labels. Only accuracy has an error to judge by; the others are shown, and their flag is open."""
    before = {metric.name: metric for metric in reference}
    usual = before.get("accuracy")
    expected = Metric("accuracy", estimated.accuracy, estimated.accuracy_error, estimated.rows, is_higher_better=True)
    bound = _bound(usual, expected)
    flags = {"accuracy": None if bound is None else estimated.accuracy < bound}
    values = {"accuracy": estimated.accuracy, "f1": estimated.f1, "auc": estimated.auc}
    return tuple(
        ReadScore(
            name,
            Kind.ESTIMATE,
            method=name,
            method_as_written=f"{name}, estimated without labels",
            value=value,
            threshold=bound if name == "accuracy" else None,
            direction=SMALL,
            is_drifted=flags.get(name),
        )
        for name, value in values.items()
    )


def _flag(reading: Reading) -> bool | None:
    return reading.verdict is Verdict.DRIFTED if reading.is_judged else None


def _of_fact(fact: Fact) -> ReadScore:
    return ReadScore(
        fact.column,
        Kind.QUALITY,
        method=fact.kind.value,
        method_as_written=fact.detail[:WRITTEN],
        value=fact.share,
        threshold=None,
        direction=LARGE,
        is_drifted=fact.opens,
    )


def _bound(usual: Metric | None, now: Metric) -> float | None:
    if usual is None:
        return None
    allowed = CERTAIN * hypot(usual.error, now.error)
    return usual.value - allowed if now.is_higher_better else usual.value + allowed
