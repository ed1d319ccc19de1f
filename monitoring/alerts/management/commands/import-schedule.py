"""import-schedule NAME FILE.ics: makes a schedule of a calendar, with everybody whom it recognises in it."""

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from fleetledger.fleet.commands import SentenceCommand, as_json
from fleetledger.web import words
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.oncall import importing
from monitoring.alerts.oncall.ical_in import MAX_BYTES
from monitoring.alerts.oncall.importing import Imported


class Command(SentenceCommand):
    help = "Make a schedule of an iCalendar file, or give one that came from a calendar before its new events."
    refusals = (AlertsError,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("schedule", metavar="NAME", help="of the schedule")
        parser.add_argument("file", metavar="FILE.ics")
        parser.add_argument(
            "--time-zone", default="", help="of days and times without one; else the calendar's, or UTC"
        )
        parser.add_argument("--team", default="", help="slug of the team whose schedule it is; else the platform's")
        parser.add_argument("--dry-run", action="store_true", help="say what would come in, and change nothing")
        parser.add_argument("--json", action="store_true", help="results as JSON on stdout")

    def act(self, options: dict[str, Any]) -> str:
        wanted = importing.Wanted(
            options["schedule"], _text(Path(options["file"])), options["time_zone"], options["team"]
        )
        done = importing.take(wanted, dry_run=options["dry_run"])
        return as_json(asdict(done)) if options["json"] else "\n".join(_lines(done, is_dry=options["dry_run"]))


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(MAX_BYTES + 1).decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}. Name a file that this user can read.") from error


def _lines(done: Imported, *, is_dry: bool) -> list[str]:
    verb = "would be" if is_dry else "was"
    lines = [f"The schedule {done.name} {verb} {'made' if done.is_new else 'changed'}, in {done.time_zone}."]
    lines += [
        f"  recognised {known.name} ({known.username}): {words.plural(known.shifts, 'shift')}"
        for known in done.recognised
    ]
    lines += [
        f"  nobody we know: '{unknown.words}', {words.plural(unknown.shifts, 'shift')}, "
        f"the first on {unknown.first_at:%Y-%m-%d %H:%M} UTC"
        for unknown in done.unknown
    ]
    if not done.recognised and not done.unknown:
        lines.append("  no event lies within a year of now")
    if done.unknown:
        lines.append("Their time counts as nobody's. Name them in the configuration under the layer's people.")
    if done.left_out:
        lines.append(f"Not carried: {', '.join(done.left_out)}")
    return lines
