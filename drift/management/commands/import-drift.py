"""import-drift --model NAME [--window FROM/TO] FILE...: brings drift reports in."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError

from drift import importing, ingest
from drift.errors import DriftError, ReportTooLargeError
from drift.ingest import Received, Sender
from drift.models import Model
from drift.windows import ReportWindow, parse_window
from fleetledger.fleet.commands import SentenceCommand, as_json


class Command(SentenceCommand):
    help = "Import drift reports of Evidently, NannyML, whylogs or TFDV (JSON or CSV, plain or .gz) for one model."
    refusals = (DriftError,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", required=True, help="name of a model of the configuration")
        parser.add_argument(
            "--window",
            metavar="FROM/TO",
            help="the data that the reports are about, such as 2026-11-01/2026-11-02; else their own dates",
        )
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument("--json", action="store_true", help="results as JSON on stdout")

    def act(self, options: dict[str, Any]) -> str:
        """All files are tried; one that is refused makes the command fail after the others are in."""
        model = ingest.model_named(options["model"])
        window = parse_window(options["window"]) if options["window"] else None
        results = [_one(model, Path(name), window) for name in options["files"]]
        done = [result["sentence"] for result in results if result["state"] != "refused"]
        refused = [result["sentence"] for result in results if result["state"] == "refused"]
        text = as_json({"results": results}) if options["json"] else "\n".join(done)
        if refused:
            if text:
                self.stdout.write(text)
            raise CommandError("\n".join(refused))
        return text


def _one(model: Model, path: Path, window: ReportWindow | None) -> dict[str, Any]:
    try:
        content = _content(path)
        received = importing.import_now(
            model, content, name=path.name, window=window, sender=Sender(name="import-drift")
        )
    except OSError as error:
        return _refused(path, f"{path}: {error.strerror}. Name a file that this user can read.")
    except DriftError as error:
        return _refused(path, f"{path.name}: {error}")
    return {
        "file": path.name,
        "state": "imported",
        "reports": received.report_ids,
        "scores": received.scores,
        "known": received.is_known,
        "sentence": _sentence(path.name, received),
    }


def _content(path: Path) -> bytes:
    limit: int = settings.DRIFT_REPORT_MAX_BYTES
    with path.open("rb") as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise ReportTooLargeError(limit)
    return content


def _sentence(name: str, received: Received) -> str:
    reports = importing.counted(len(received.report_ids), "report")
    if received.is_known:
        return f"{name}: the same is here already ({reports}); nothing changed."
    undated = " It has no window, so it stays out of trends until somebody dates it." if received.undated else ""
    return f"{name}: {reports} imported with {importing.counted(received.scores, 'score')}.{undated}"


def _refused(path: Path, sentence: str) -> dict[str, Any]:
    return {
        "file": path.name, "state": "refused", "reports": (), "scores": 0, "known": False, "sentence": sentence,
    }  # fmt: skip
