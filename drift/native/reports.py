"""Writes what was computed here as a report, beside those of other tools."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version

from drift import ingest
from drift.models import DatedBy, Generation, Model, Report, ReportState
from drift.sources.records import Kind, ReadReport, ReadScore
from drift.windows import ReportWindow
from monitoring.alerts import clock

TOOL = "fleetledger"


def write(
    model: Model, window: ReportWindow, scores: Sequence[ReadScore], *, recipe: str, reference: int, note: str = ""
) -> Report:
    """The report that says so of this window: the one that is there already, else a new one. Within a transaction."""
    flags: dict[str, bool | None] = {}  # a text has two scores: it drifts where one of them says so
    for one in scores:
        if one.kind is Kind.DRIFT:
            flags[one.column] = one.is_drifted or flags.get(one.column, one.is_drifted)
    judged = [flag for flag in flags.values() if flag is not None]
    share = sum(judged) / len(judged) if judged else None
    limit = model.settings.get("drift_share")
    said = ReadReport(
        digest=_digest(scores, recipe, reference),
        scores=tuple(scores),
        share=share,
        drift_share=limit,
        is_drifted=None if share is None or limit is None else share >= limit,
        columns=len(flags),
        drifted_columns=sum(judged),
        note=note,
    )
    report, is_new = Report.objects.get_or_create(
        model=model,
        digest=said.digest,
        window_from=window.start,
        window_to=window.end,
        is_dated=True,
        defaults={
            "generation": Generation.NATIVE,
            "tool": TOOL,
            "tool_version": version("fleetledger"),
            "dated_by": DatedBy.ASKED,
            "made_at": clock.now(),
            "received_at": clock.now(),
            "state": ReportState.RECEIVED,
            "note": note,
        },
    )
    if is_new:
        ingest.write_scores(report, said, recipe=recipe)
    return report


def _digest(scores: Sequence[ReadScore], recipe: str, reference: int) -> str:
    said = [recipe, reference, [asdict(one) for one in scores]]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
