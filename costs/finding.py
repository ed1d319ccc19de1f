"""Finds statements by their month or their team, for the search page."""

import re

from costs import figures, reads
from fleetledger.fleet.access import TeamScope
from fleetledger.lib.buckets import Month
from fleetledger.web import words
from fleetledger.web.search.hits import Group, Hit

_MONTH = re.compile(r"\b(\d{4})-(\d{2})\b")
NEWEST = 3


def statements(query: str, teams: TeamScope, limit: int) -> Group:
    """Statements of a named month (2026-10, with words of a team if wanted), else the newest ones of a named team."""
    named = _MONTH.search(query)
    text = (query.replace(named[0], "") if named else query).casefold().split()
    known = [one.period for one in reads.periods(teams=teams)]
    months = [period for period in known if named and period == named[0]] if named else known[:NEWEST]
    hits = [
        _hit(row)
        for period in months
        for row in reads.statements(Month.parse(period), teams=teams)
        if all(word in f"{row.label} {row.account}".casefold() for word in text)
    ]
    return Group("Statements", tuple(hits[:limit]), len(hits) > limit)


def _hit(row: reads.StatementRow) -> Hit:
    label = f"{row.label}, {figures.month_label(row.period)}"
    return Hit(label, figures.statement_url(row), words.money(row.amount, row.currency), "receipt")
