"""The command `import-slo FILE...`."""

import os
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from fleetledger.fleet.commands import SentenceCommand, as_json, text_of
from monitoring.availability.slo.moving_in import Converted
from monitoring.availability.slo.moving_in.ours import converted


class Command(SentenceCommand):
    help = "Prints objectives of OpenSLO and Sloth as our `slos`, and lists what cannot be taken over. Changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", metavar="FILE", nargs="+", help="OpenSLO v1 or Sloth; - is standard input")
        parser.add_argument("--team", metavar="SLUG", help="make them this team's")
        parser.add_argument("--output", metavar="FILE", help="write our configuration there, the list to the terminal")
        parser.add_argument("--json", action="store_true", help="the result as JSON")

    def act(self, options: dict[str, Any]) -> str:
        files = [("standard input" if name == "-" else name, text_of(name)) for name in options["files"]]
        found = converted(files, options["team"])
        if options["output"]:
            _write(options["output"], found.configuration)
        if options["json"]:
            return as_json(found)
        report = list(_report(found))
        if options["output"]:
            return "\n".join([*report, f"Written to {options['output']}. Nothing was changed."])
        return found.configuration + "\n".join(f"# {line}" for line in report)


def _report(found: Converted) -> Iterator[str]:
    yield f"{len(found.names)} objectives. {len(found.carried)} keys are carried, {len(found.not_carried)} are not."
    yield from (f"{row.file}, line {row.line}: {row.path}: {row.reason}" for row in found.not_carried)
    if found.notes:
        yield "What means something else now:"
        yield from found.notes


def _write(name: str, text: str) -> None:
    if Path(name).exists():
        raise CommandError(f"{name} is there already. Name another file.")
    try:
        Path(name).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{name} cannot be written: {os.strerror(error.errno or 0)}.") from error
