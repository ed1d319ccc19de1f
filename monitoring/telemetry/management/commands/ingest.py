"""The command `ingest`: pulls a source's telemetry for a window now."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone

from fleetledger.fleet.commands import SentenceCommand, as_json
from fleetledger.lib.buckets import BUCKET, Window, ceil, floor
from monitoring.telemetry.errors import IncompleteError, TelemetryError
from monitoring.telemetry.ingest import Outcome, ingest, record_failure, telemetry_source
from monitoring.telemetry.sources.errors import SourceError


class Command(SentenceCommand):
    help = "Pulls a source's telemetry for a window now; safe to run again: what is there is replaced."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--source", required=True, help="the source's name")
        parser.add_argument("--from", required=True, dest="start", type=_instant, help="2026-11-01T00:00:00Z")
        parser.add_argument("--to", dest="end", type=_instant, help="an instant; now where it is left out")
        parser.add_argument("--json", action="store_true", help="machine-readable result on stdout")

    def act(self, options: dict[str, Any]) -> str:
        now = timezone.now()
        end = min(options["end"] or now, ceil(now, BUCKET))
        window = Window(floor(options["start"], BUCKET), max(ceil(end, BUCKET), floor(options["start"], BUCKET)))
        if window.start >= window.end:
            raise CommandError("There is nothing to read: '--to' comes after '--from', and '--from' lies in the past.")
        try:
            outcomes = _read(options["source"], window, self._say)
        except (SourceError, TelemetryError) as error:
            raise CommandError(str(error)) from error
        return _result(outcomes, machine=options["json"])

    def _say(self, outcome: Outcome) -> None:
        self.stderr.write(str(outcome))


def _read(name: str, window: Window, say: Any) -> list[Outcome]:
    source = telemetry_source(name)
    try:
        return ingest(source, window, progress=say)
    except (SourceError, IncompleteError) as error:
        record_failure(source, str(error))
        raise


def _result(outcomes: list[Outcome], *, machine: bool) -> str:
    totals = {
        "source": outcomes[0].source,
        "from": outcomes[0].window.start.isoformat(),
        "to": outcomes[-1].window.end.isoformat(),
        "gpus": max(outcome.gpus for outcome in outcomes),
        "samples": sum(outcome.samples for outcome in outcomes),
        "facts": sum(outcome.facts for outcome in outcomes),
        "rejected_samples": sum(outcome.rejected_samples for outcome in outcomes),
        "notes": sorted({note for outcome in outcomes for note in outcome.notes}),
    }
    if machine:
        return as_json(totals)
    return (
        f"{totals['samples']} samples of {totals['gpus']} GPUs became {totals['facts']} facts; "
        f"{totals['rejected_samples']} samples were rejected."
    )


def _instant(text: str) -> datetime:
    """RFC 3339, or seconds since 1970; without a zone it is UTC."""
    try:
        if text.replace(".", "", 1).isdigit():
            return datetime.fromtimestamp(float(text), UTC)
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as error:
        raise ArgumentTypeError(f"'{text}' is no instant. Write it as 2026-11-01T00:00:00Z, in UTC.") from error
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
