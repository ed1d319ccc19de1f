"""The conformance report of an import: where a bill departs from FOCUS, in sentences, with how many rows do."""

from collections.abc import Iterator

import pyarrow as pa
from django.db import connection

from costs.models import BilledCharge, ConformanceFinding, Delivery, Severity
from costs.sources import focus_columns as known
from costs.sources.focus import Layout, Tally

_IN_PARTS = """
SELECT min(line), EXISTS (
    SELECT 1 FROM costs_billrow
    WHERE id >= %(delivery)s::bigint << 32 AND id < (%(delivery)s::bigint + 1) << 32
        AND billed <> trunc(billed) AND effective <> trunc(effective)
)
FROM (
    SELECT line FROM costs_billrow
    WHERE id >= %(delivery)s::bigint << 32 AND id < (%(delivery)s::bigint + 1) << 32
        AND billed <> trunc(billed) AND effective IS NOT NULL
    ORDER BY id LIMIT 1
) first_broken
"""
_SENTENCES = {
    "instant-form": "{column} is not written as YYYY-MM-DDTHH:mm:ssZ; it was read as UTC.",
    "not-a-number": "{column} holds text that is no decimal number; it was left empty.",
}


class Extents(dict[int, tuple[int, int]]):
    """Per charge how many rows have it, and the first line of them."""

    def add(self, charge_ids: pa.Array, lines: pa.Array) -> None:
        """Count rows that come after those counted before."""
        rows = pa.table([charge_ids, lines], ["charge", "line"])
        found = rows.group_by("charge", use_threads=False).aggregate([("line", "count"), ("line", "min")])
        for charge, count, line in zip(*(column.to_pylist() for column in found.columns), strict=True):
            counted, first = self.get(charge, (0, line))
            self[charge] = counted + count, first


def report(delivery: Delivery, layout: Layout, tally: Tally, extents: Extents) -> None:
    """Write the findings of a delivery whose rows are stored."""
    findings = [*_of_columns(delivery, layout), *_of_forms(delivery, tally), *_of_values(delivery, layout, extents)]
    findings += _of_effective_cost(delivery)
    if delivery.quarantined_count:
        sentence = "Rows that could not be read are in quarantine, with their lines and reasons; they block closing."
        findings.append(
            _finding(delivery, "quarantined", "", Severity.ERROR, delivery.quarantined_count, None, sentence)
        )
    ConformanceFinding.objects.bulk_create(findings)


def _of_columns(delivery: Delivery, layout: Layout) -> Iterator[ConformanceFinding]:
    for column in known.MANDATORY:
        if column not in layout.positions:
            sentence = f"The mandatory column {column} is missing."
            if column == "BillingCurrency":
                sentence += f" The source's currency {layout.default_currency} was taken."
            yield _finding(delivery, "column-missing", column, Severity.ERROR, delivery.row_count, None, sentence)
    for column in sorted(layout.positions.keys() - known.KNOWN):
        if not column.startswith("x_"):
            sentence = f"{column or 'A column without a name'} is no FOCUS column, and its name does not start with x_."
            yield _finding(
                delivery, "column-unknown", column[:100], Severity.WARNING, delivery.row_count, None, sentence
            )
    doubled = {column for column in layout.columns if layout.columns.count(column) > 1}
    for column in sorted(doubled):
        sentence = f"The column {column} stands twice; the first was read."
        yield _finding(delivery, "column-twice", column[:100], Severity.ERROR, delivery.row_count, None, sentence)
    if layout.has_spaces:
        sentence = "Names in the header have spaces around them; they were cut off."
        yield _finding(delivery, "header-spaces", "", Severity.WARNING, 0, 1, sentence)


def _of_forms(delivery: Delivery, tally: Tally) -> Iterator[ConformanceFinding]:
    for (check, column), rows in sorted(tally.counts.items()):
        sentence = _SENTENCES[check].format(column=column)
        first = tally.first_lines[check, column]
        yield _finding(delivery, check, column, Severity.WARNING, rows, first, sentence)


def _of_values(delivery: Delivery, layout: Layout, extents: Extents) -> Iterator[ConformanceFinding]:
    columns = sorted(({*known.ALLOWED} | {*known.NEVER_EMPTY}) & set(layout.positions) & known.CHARGE.keys())
    if not columns:
        return
    for column, values in _groups(extents, columns).items():
        allowed = known.ALLOWED.get(column)
        empty = [value for value in values if not value[0]] if column in known.NEVER_EMPTY else []
        strange = [value for value in values if value[0] and allowed is not None and value[0] not in allowed]
        if empty:
            yield _finding(delivery, "value-empty", column, Severity.ERROR, *_extent(empty), f"{column} is empty.")
        if strange:
            texts = ", ".join(f"'{text[:60]}'" for text, _, _ in strange[:3])
            sentence = f"{column} holds {texts}, which FOCUS does not list."
            yield _finding(delivery, "value-not-allowed", column, Severity.ERROR, *_extent(strange), sentence)


def _extent(values: list[tuple[str, int, int]]) -> tuple[int, int]:
    """How many rows have these values, and the first line of them."""
    return sum(rows for _, rows, _ in values), min(line for _, _, line in values)


def _groups(extents: Extents, columns: list[str]) -> dict[str, list[tuple[str, int, int]]]:
    """Per column its values with how many rows have them and the first line."""
    fields = [known.CHARGE[column] for column in columns]
    found: dict[str, dict[str, tuple[int, int]]] = {column: {} for column in columns}
    charges = BilledCharge.objects.filter(pk__in=extents).values_list("pk", *fields)
    for pk, *texts in charges.iterator(chunk_size=5_000):
        rows, line = extents[pk]
        for column, text in zip(columns, texts, strict=True):
            count, first = found[column].get(text, (0, line))
            found[column][text] = (count + rows, min(first, line))
    return {column: [(text, *counts) for text, counts in values.items()] for column, values in found.items()}


def _of_effective_cost(delivery: Delivery) -> list[ConformanceFinding]:
    with connection.cursor() as cursor:
        cursor.execute(_IN_PARTS, {"delivery": delivery.pk})
        line, has_parts = cursor.fetchone()
    if line is None or has_parts:
        return []
    sentence = "EffectiveCost is cut to whole units where BilledCost is not: charge by `basis: billed`."
    rows = delivery.row_count
    return [_finding(delivery, "effective-cut", "EffectiveCost", Severity.ERROR, rows, line, sentence)]


def _finding(  # noqa: PLR0917 the finding's own order
    delivery: Delivery, check: str, column: str, severity: Severity, rows: int, first_line: int | None, sentence: str
) -> ConformanceFinding:
    return ConformanceFinding(
        delivery=delivery,
        check_id=check,
        column=column,
        severity=severity,
        row_count=rows,
        first_line=first_line,
        sentence=sentence,
    )
