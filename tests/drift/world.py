"""Typed factories for drift: models, and reports that were taken in."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from drift import importing, ingest
from drift.models import Model, Report, Score
from drift.windows import ReportWindow
from fleetledger.fleet.models import Team
from tests import world as fleet
from tests.drift import reports

START = datetime(2026, 11, 1, tzinfo=UTC)


def model(name: str = "ranker", *, owner: Team | None = None, **fields: Any) -> Model:
    """A model, of a team of its own where none is named."""
    return Model.objects.create(name=name, owner=owner or fleet.team(f"owner-of-{name}".lower()), **fields)


def day(number: int) -> ReportWindow:
    """The window of a day, counted from START."""
    start = START + timedelta(days=number)
    return ReportWindow(start, start + timedelta(days=1))


def report(of: Model, *scores: float, window: ReportWindow | None = None, **said: Any) -> Report:
    """A report of generation E that was taken in, undated unless a window is given."""
    content = reports.packed(reports.evidently(*(scores or (0.2, 0.01)), **said))
    received = importing.import_now(of, content, name="report.json", window=window)
    return Report.objects.get(pk=received.report_ids[0])


def sent(of: Model, name: str, **words: Any) -> ingest.Received:
    """A file of tests/drift/data/reports, taken in."""
    return importing.import_now(of, reports.content(name), name=name, **words)


def scores(of: Report) -> Sequence[Score]:
    return list(Score.objects.filter(report=of).order_by("position"))
