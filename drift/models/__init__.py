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
from drift.models.native import (
    ConceptWatch,
    DataBlock,
    DataFile,
    DataWindow,
    EventBatch,
    Prediction,
    Reference,
    ReferenceState,
    SeenObject,
    WindowSource,
    WindowState,
)
from drift.models.reports import DatedBy, Direction, Generation, Report, ReportFile, ReportState, Score, ScoreKind
from drift.models.reviews import Review, Step, ThresholdChange

__all__ = [
    "ConceptWatch",
    "DataBlock",
    "DataFile",
    "DataWindow",
    "DatedBy",
    "Deployment",
    "Direction",
    "Evaluated",
    "EventBatch",
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
    "Prediction",
    "Reference",
    "ReferenceState",
    "Report",
    "ReportFile",
    "ReportState",
    "Review",
    "ReviewState",
    "Score",
    "ScoreKind",
    "SeenObject",
    "Step",
    "ThresholdChange",
    "Verdict",
    "WindowGrain",
    "WindowSource",
    "WindowState",
]
