"""allocate PERIOD: divides a period's bill rows among teams, idle and unallocated, and rounds once."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from costs import reads
from costs.allocate import Outcome, allocate
from costs.errors import CostsError
from fleetledger.fleet.access import TeamScope
from fleetledger.lib import money
from fleetledger.lib.buckets import Month, PeriodError


class Command(BaseCommand):
    help = "Allocate a billing period, such as 2026-10. Its draft statements are replaced."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("period", metavar="PERIOD")
        parser.add_argument("--json", action="store_true", help="results as JSON on stdout")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            month = Month.parse(options["period"])
        except PeriodError as error:
            raise CommandError(str(error), returncode=2) from error
        try:
            outcomes = allocate(month)
        except CostsError as error:
            raise CommandError(str(error)) from error
        rows = reads.statements(month, teams=TeamScope.everything())
        if options["json"]:
            self.stdout.write(json.dumps(_as_json(month, outcomes, rows), indent=2))
            return
        for outcome in outcomes:
            self.stdout.write(_sentence(outcome))
        for row in rows:
            self.stdout.write(f"  {row.account:<40} {row.amount:>16} {row.currency}")


def _sentence(outcome: Outcome) -> str:
    note = " (inputs unchanged, draft kept)" if outcome.is_unchanged else ""
    return (
        f"{outcome.source} {outcome.period}: {outcome.row_count} rows, {money.plain(outcome.exact)} exact, "
        f"{outcome.amount} {outcome.currency}{note}. Run {outcome.result_hash[:12]}"
    )


def _as_json(month: Month, outcomes: tuple[Outcome, ...], rows: tuple[reads.StatementRow, ...]) -> dict[str, Any]:
    return {
        "period": str(month),
        "runs": [
            {
                "source": outcome.source,
                "currency": outcome.currency,
                "rows": outcome.row_count,
                "lines": outcome.line_count,
                "exact": money.plain(outcome.exact),
                "total": str(outcome.amount),
                "inputs_hash": outcome.inputs_hash,
                "hash": outcome.result_hash,
                "unchanged": outcome.is_unchanged,
            }
            for outcome in outcomes
        ],
        "statements": [
            {
                "team": row.team,
                "account": row.account,
                "currency": row.currency,
                "total": str(row.amount),
                "exact": money.plain(row.exact),
                "status": row.status,
            }
            for row in rows
        ],
    }
