"""Drift's tables, by room: which models there are, and what reports say of them."""

from drift.models.models import Model, WindowGrain
from drift.models.reports import DatedBy, Direction, Generation, Report, ReportFile, ReportState, Score, ScoreKind

__all__ = [
    "DatedBy",
    "Direction",
    "Generation",
    "Model",
    "Report",
    "ReportFile",
    "ReportState",
    "Score",
    "ScoreKind",
    "WindowGrain",
]
