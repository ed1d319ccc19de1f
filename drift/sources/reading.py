"""Recognises a report by its keys and has the reader of its generation read it."""

from typing import Any

from drift.errors import UnreadableReportError
from drift.sources import document, evidently, evidently_legacy, nannyml, nannyml_frame, tfdv, whylogs
from drift.sources.node import ROOT, Node
from drift.sources.records import ReadFile, ReadReport

MAX_SCORES = 200_000
KNOWN = "Evidently 0.2 or later (Report, TestSuite, snapshot), NannyML, whylogs and TFDV"
_SHOWN = 8


def read(content: bytes, *, limit_bytes: int) -> ReadFile:
    """What a file says, whichever tool made it; plain or gzipped. Raises UnreadableReportError, ReportTooLargeError."""
    text = document.text_of(document.unpacked(content, limit_bytes))
    if not text.strip():
        raise UnreadableReportError(ROOT, "the file is empty.")
    if text.lstrip()[0] not in "{[" and nannyml_frame.is_csv(text):
        found = _nannyml(nannyml_frame.of_csv(text), text.splitlines())
    else:
        found = _of_value(document.parsed(text))
    if sum(len(report.scores) for report in found.reports) > MAX_SCORES:
        raise UnreadableReportError(ROOT, f"more than {MAX_SCORES} scores are here. Send fewer windows at once.")
    return found


def _of_value(value: Any) -> ReadFile:
    root = Node(value)
    generation = _evidently(value)
    if generation:
        return _read_evidently(generation, root)
    if isinstance(value, dict) and tfdv.is_anomalies(value):
        digest = document.digest(value, has_plots=False)
        return _one("tfdv", tfdv.TOOL, "", tfdv.read_anomalies(root, digest))
    if whylogs.is_scores(value):
        digest = document.digest(value, has_plots=False)
        return _one("whylogs", whylogs.TOOL, "", whylogs.read_scores(root, digest))
    if nannyml_frame.is_frame(value):
        return _nannyml(nannyml_frame.of_json(value), value)
    if isinstance(value, dict) and value:
        keys = ", ".join(list(value)[:_SHOWN]) + (", …" if len(value) > _SHOWN else "")
        raise UnreadableReportError(ROOT, f"no known report has these keys: {keys[:300]}. Known: {KNOWN}.")
    raise UnreadableReportError(ROOT, f"this is no drift report. Known: {KNOWN}.")


def _evidently(value: Any) -> str:
    """The generation, A to F, or nothing; by the keys that only it has."""
    if not isinstance(value, dict):
        return ""
    if isinstance(value.get("metric_results"), dict):
        return "f"
    if isinstance(value.get("suite"), dict):
        return "c"
    metrics = value.get("metrics")
    if isinstance(metrics, list):
        first = next((item for item in metrics if isinstance(item, dict)), {})
        if "metric" in first:
            return "a"
        root = Node(first)
        return "d" if evidently.is_early(root) else "e" if evidently.is_late(root) else ""
    return "b" if isinstance(value.get("tests"), list) and "summary" in value else ""


def _read_evidently(generation: str, root: Node) -> ReadFile:
    readers = {
        "a": evidently_legacy.read_report,
        "b": evidently_legacy.read_suite,
        "c": evidently_legacy.read_snapshot,
        "d": evidently.read_report,
        "e": evidently.read_report,
        "f": evidently.read_snapshot,
    }
    report = readers[generation](root, document.digest(root.value, has_plots=True))
    version = root.find("version")
    return _one(f"evidently-{generation}", "evidently", version.text(40) if version is not None else "", report)


def _nannyml(frame: nannyml_frame.Frame, canonical: Any) -> ReadFile:
    digest = document.digest(canonical, has_plots=False)
    return ReadFile("nannyml", nannyml.TOOL, "", digest, nannyml.read_frame(frame, digest))


def _one(generation: str, tool: str, version: str, report: ReadReport) -> ReadFile:
    return ReadFile(generation, tool, version, report.digest, (report,))
