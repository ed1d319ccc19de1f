"""allocate PERIOD: divides a period's bill rows among teams, idle and unallocated, and rounds once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from costs import reads
from costs.allocate import Outcome, allocate
from costs.errors import CostsError
from fleetledger.fleet.access import TeamScope
from fleetledger.fleet.commands import SentenceCommand, as_json
from fleetledger.lib import money
from fleetledger.lib.buckets import Month, PeriodError


class Command(SentenceCommand):
    help = "Allocate a billing period, such as 2026-10. Its draft statements are replaced."
    refusals = (CostsError,)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("period", metavar="PERIOD")
        parser.add_argument("--json", action="store_true", help="results as JSON on stdout")

    def act(self, options: dict[str, Any]) -> str:
        try:
            month = Month.parse(options["period"])
        except PeriodError as error:
            raise CommandError(str(error), returncode=2) from error
        outcomes = allocate(month)
        rows = reads.statements(month, teams=TeamScope.everything())
        if options["json"]:
            return as_json(_result(month, outcomes, rows))
        lines = [f"  {row.account:<40} {row.amount:>16} {row.currency}" for row in rows]
        return "\n".join([*map(_sentence, outcomes), *lines])


def _sentence(outcome: Outcome) -> str:
    note = " (inputs unchanged, draft kept)" if outcome.is_unchanged else ""
    return (
        f"{outcome.source} {outcome.period}: {outcome.row_count} rows, {money.plain(outcome.exact)} exact, "
        f"{outcome.amount} {outcome.currency}{note}. Run {outcome.result_hash[:12]}"
    )


def _result(month: Month, outcomes: tuple[Outcome, ...], rows: tuple[reads.StatementRow, ...]) -> dict[str, Any]:
    return {
        "period": str(month),
        "runs": [
            {
                "source": outcome.source,
                "currency": outcome.currency,
                "rows": outcome.row_count,
                "lines": outcome.line_count,
                "exact": money.plain(outcome.exact),
                "total": money.plain(outcome.amount),
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
                "total": money.plain(row.amount),
                "exact": money.plain(row.exact),
                "status": row.status,
            }
            for row in rows
        ],
    }
