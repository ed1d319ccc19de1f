"""Two reports of a model side by side: each column's score in both, what changed first."""

from dataclasses import dataclass

from drift import reads_reports
from drift.models import ScoreKind
from drift.reads_reports import ReportRow, ScoreRow
from fleetledger.fleet.access import TeamScope
from fleetledger.lib.keyset import Cut

CHOICES = 100


@dataclass(frozen=True, slots=True)
class Pair:
    """One score of a column in both reports; None where a report has none. Only equal methods are compared."""

    column: str
    method: str
    before: ScoreRow | None
    after: ScoreRow | None

    @property
    def change(self) -> str:
        """began, ended, both, none or unknown."""
        flags = tuple(None if row is None else row.is_drifted for row in (self.before, self.after))
        words = {(False, True): "began", (True, False): "ended", (True, True): "both", (False, False): "none"}
        return words.get((flags[0] is True, flags[1] is True), "unknown") if None not in flags else "unknown"

    @property
    def difference(self) -> float | None:
        values = [row.value for row in (self.before, self.after) if row is not None and row.value is not None]
        return values[1] - values[0] if len(values) == 2 else None  # noqa: PLR2004 both


@dataclass(frozen=True, slots=True)
class Comparison:
    """`choices` are the model's dated reports, the newest first."""

    choices: tuple[ReportRow, ...]
    before: ReportRow | None
    after: ReportRow | None
    pairs: tuple[Pair, ...]

    def count(self, change: str) -> int:
        return sum(pair.change == change for pair in self.pairs)


def compare(model: str, *, before: int | None, after: int | None, teams: TeamScope) -> Comparison:
    """The last two dated reports unless two are named; one that is not the model's is as if it were not named."""
    found = reads_reports.reports(teams=teams, model=model, dated=True, cut=Cut(CHOICES))[:CHOICES]
    choices = tuple(sorted(found, key=lambda row: (row.at, row.id), reverse=True))
    by_id = {row.id: row for row in choices}
    newer = by_id.get(after or 0) or (choices[0] if choices else None)
    older = by_id.get(before or 0) or next((row for row in choices if newer is None or row.id != newer.id), None)
    if newer is None or older is None:
        return Comparison(choices, older, newer, ())
    return Comparison(choices, older, newer, _pairs(older, newer, teams))


def _pairs(older: ReportRow, newer: ReportRow, teams: TeamScope) -> tuple[Pair, ...]:
    sides = [_scores(row.id, teams) for row in (older, newer)]
    names = dict.fromkeys([*sides[1], *sides[0]])
    pairs = [Pair(*name, sides[0].get(name), sides[1].get(name)) for name in names]
    order = ["began", "ended", "both", "unknown", "none"]
    return tuple(sorted(pairs, key=lambda pair: (order.index(pair.change), pair.column.casefold())))


def _scores(report_id: int, teams: TeamScope) -> dict[tuple[str, str], ScoreRow]:
    rows = reads_reports.scores(report_id, teams=teams)
    return {(row.column, row.method): row for row in rows if row.kind != ScoreKind.QUALITY}
