"""Drift's tables, by room: which models there are, and what reports say of them, what was found and decided."""

from drift.models.findings import (
    Deployment,
    Evaluated,
    Finding,
    FindingKind,
    FindingSeverity,
    FindingState,
    ReviewState,
    Verdict,
)
from drift.models.mitigation import Mitigation, MitigationKind, MitigationState, MitigationStep
from drift.models.models import Model, WindowGrain
from drift.models.reports import DatedBy, Direction, Generation, Report, ReportFile, ReportState, Score, ScoreKind
from drift.models.reviews import Review, Step, ThresholdChange

__all__ = [
    "DatedBy",
    "Deployment",
    "Direction",
    "Evaluated",
    "Finding",
    "FindingKind",
    "FindingSeverity",
    "FindingState",
    "Generation",
    "Mitigation",
    "MitigationKind",
    "MitigationState",
    "MitigationStep",
    "Model",
    "Report",
    "ReportFile",
    "ReportState",
    "Review",
    "ReviewState",
    "Score",
    "ScoreKind",
    "Step",
    "ThresholdChange",
    "Verdict",
    "WindowGrain",
]
