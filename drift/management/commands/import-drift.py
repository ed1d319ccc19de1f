"""import-drift --model NAME [--as report|reference|window] FILE...: brings reports, or rows to compute from, in."""

from argparse import ArgumentParser
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from drift import ingest
from drift.bringing import Brought, bring_reference, bring_report, bring_window
from drift.errors import DriftError
from drift.windows import parse_window
from fleetledger.fleet.commands import SentenceCommand, as_json

REPORT, REFERENCE, WINDOW = "report", "reference", "window"


class Command(SentenceCommand):
    help = (
        "Import drift reports of Evidently, NannyML, whylogs or TFDV (JSON or CSV, plain or .gz) for one model, or "
        "rows (Parquet or CSV): a reference, and windows to compare with it."
    )
    refusals = (DriftError,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--model", required=True, help="name of a model of the configuration")
        parser.add_argument(
            "--as",
            dest="kind",
            choices=(REPORT, REFERENCE, WINDOW),
            default=REPORT,
            help="what the files are (default: report)",
        )
        parser.add_argument(
            "--window",
            metavar="FROM/TO",
            help="the data that the reports are about, such as 2026-11-01/2026-11-02, else their own dates; "
            "needed for a window of rows",
        )
        parser.add_argument("--note", default="", help="why this reference, for those who review it")
        parser.add_argument("--partial", action="store_true", help="the file has not all rows of its window")
        parser.add_argument("files", nargs="+", metavar="FILE")
        parser.add_argument("--json", action="store_true", help="results as JSON on stdout")

    def act(self, options: dict[str, Any]) -> str:
        """All files are tried; one that is refused makes the command fail after the others are in."""
        bring = _bringer(options)
        results = [_one(Path(name), bring) for name in options["files"]]
        done = [result["sentence"] for result in results if result["state"] != "refused"]
        refused = [result["sentence"] for result in results if result["state"] == "refused"]
        text = as_json({"results": results}) if options["json"] else "\n".join(done)
        if refused:
            if text:
                self.stdout.write(text)
            raise CommandError("\n".join(refused))
        return text


def _bringer(options: dict[str, Any]) -> Callable[[Path], Brought]:
    """How each file is taken in; raises CommandError where the options do not go together."""
    _check(options)
    model = ingest.model_named(options["model"])
    window = parse_window(options["window"]) if options["window"] else None
    if options["kind"] == REFERENCE:
        return partial(bring_reference, model, options["note"])
    if options["kind"] == WINDOW and window is not None:
        return partial(bring_window, model, window, not options["partial"])
    return partial(bring_report, model, window)


def _check(options: dict[str, Any]) -> None:
    kind, is_partial = options["kind"], options["partial"]
    if kind == WINDOW and not options["window"]:
        raise CommandError("Say of which time the rows are: --window FROM/TO, such as 2026-11-01/2026-11-02.")
    if kind == WINDOW and not is_partial and len(options["files"]) > 1:
        raise CommandError("One file holds all rows of a window. For a file with a part of them add --partial.")
    if kind == REFERENCE and options["window"]:
        raise CommandError("A reference takes no --window. Leave it out, or write --as window.")
    if kind != REFERENCE and options["note"]:
        raise CommandError("Only a reference takes a --note. Leave it out, or write --as reference.")
    if kind != WINDOW and is_partial:
        raise CommandError("Only a window of rows may be --partial. Leave it out, or write --as window.")


def _one(path: Path, bring: Callable[[Path], Brought]) -> dict[str, Any]:
    try:
        return bring(path).as_result()
    except OSError as error:
        return _refused(path, f"{path}: {error.strerror}. Name a file that this user can read.")
    except DriftError as error:
        return _refused(path, f"{path.name}: {error}")


def _refused(path: Path, sentence: str) -> dict[str, Any]:
    return {
        "file": path.name, "state": "refused", "reports": (), "scores": 0, "known": False, "sentence": sentence,
    }  # fmt: skip
