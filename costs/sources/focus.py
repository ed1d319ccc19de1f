"""A FOCUS CSV as columns for the ledger: bill rows ready for COPY, dimension keys, and what was set aside."""

import csv
import itertools
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha1
from operator import gt, itemgetter, methodcaller

from costs.errors import MissingColumnsError, UnreadableFileError
from costs.sources import focus_columns as known
from costs.sources import records
from costs.sources.blocks import Block
from costs.sources.records import Broken
from costs.sources.values import NULL, Instants, exact_column, is_null
from fleetledger.lib.money import MINOR_UNITS

Column = list[str] | tuple[str, ...]
Key = tuple[str, ...]

_SHA1 = partial(sha1, usedforsecurity=False)
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each FOCUS column stands in the file. `default_currency` stands in where BillingCurrency is missing."""

    name: str
    columns: tuple[str, ...]
    delimiter: str
    positions: dict[str, int]
    default_currency: str
    has_spaces: bool

    def getter(self, names: tuple[str, ...]) -> Callable[[list[str]], Key]:
        """Takes a record to the values of `names` as a tuple, one name or many."""
        places = [self.positions[name] for name in names]
        if not places:
            return lambda _: ()
        if len(places) == 1:
            place = places[0]
            return lambda record: (record[place],)
        return itemgetter(*places)

    def present(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name in self.positions)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one block by columns, all of one length; amounts and instants are text that COPY takes as it is."""

    lines: list[int]
    raw: list[bytes]
    fingerprints: Sequence[int]
    periods: Column
    currencies: Column
    starts: Column
    ends: Column
    amounts: dict[str, Column]
    resources: list[Key]
    charges: list[Key]
    broken: list[Broken]


@dataclass(slots=True)
class Tally:
    """How rows departed from FOCUS' forms: count and first line per (check, column)."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    first_lines: dict[tuple[str, str], int] = field(default_factory=dict)

    def add(self, check: str, column: str, rows: int, first_line: int) -> None:
        self.counts[check, column] += rows
        self.first_lines.setdefault((check, column), first_line)


def layout(name: str, block: Block, *, default_currency: str, needs_effective: bool) -> tuple[Layout, Block]:
    """Read the header line; gives the layout and the rest of the block. Raises UnreadableFileError with the columns."""
    header, _, rest = block.content.partition(b"\n")
    try:
        text = header.removeprefix(_BOM).decode().rstrip("\r")
    except UnicodeDecodeError as error:
        raise UnreadableFileError(name, "line 1 is no UTF-8 text, so this is no CSV file. Save it as UTF-8.") from error
    delimiter = max(",;\t", key=text.count)
    try:
        given = next(csv.reader([text], delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        raise UnreadableFileError(name, f"the header on line 1 cannot be read ({error}).") from error
    columns = tuple(column.strip() for column in given)
    positions = _positions(columns)
    _refuse_missing(name, columns, positions, default_currency, needs_effective=needs_effective)
    found = Layout(
        name, columns, delimiter, positions, default_currency, any(a != b for a, b in zip(given, columns, strict=True))
    )
    return found, Block(2, block.line_count - 1, rest)


class Reader:
    """Reads one file block by block; rows that cannot be read are in `broken` with their line and the reason."""

    def __init__(self, found: Layout, tally: Tally) -> None:
        self._layout = found
        self._tally = tally
        self._records = records.Reader(delimiter=found.delimiter, field_count=len(found.columns))
        self._instants = Instants()
        self._resource = found.getter(found.present(tuple(known.RESOURCE)))
        self._charge = found.getter(found.present(tuple(known.CHARGE)))

    def read(self, block: Block) -> Batch:
        return self._batch(self._records.read(block))

    def finish(self) -> Batch:
        return self._batch(self._records.finish())

    def _batch(self, part: records.Records) -> Batch:
        """One block's rows. Values that make a row unreadable set the whole row aside, with its text."""
        wrong: dict[int, str] = {}
        rows = part.rows
        amounts = {column: self._amount(column, rows, part.lines, wrong) for column in known.MONEY + known.QUANTITIES}
        instants = {column: self._instant(column, rows, part.lines, wrong) for column in known.REQUIRED[1:]}
        currencies = self._currency(rows, wrong)
        starts, ends = instants["ChargePeriodStart"], instants["ChargePeriodEnd"]
        if any(map(gt, starts, ends)):
            for position, (start, end) in enumerate(zip(starts, ends, strict=True)):
                if start > end > "":
                    wrong.setdefault(position, "ChargePeriodEnd lies before ChargePeriodStart")
        batch = Batch(
            lines=part.lines,
            raw=part.raw,
            fingerprints=fingerprints(part.raw),
            periods=[start[:7] for start in instants["BillingPeriodStart"]],
            currencies=currencies,
            starts=starts,
            ends=ends,
            amounts=amounts,
            resources=list(map(self._resource, rows)),
            charges=list(map(self._charge, rows)),
            broken=part.broken,
        )
        return _without(batch, wrong) if wrong else batch

    def _column(self, name: str, rows: list[list[str]]) -> tuple[str, ...] | None:
        place = self._layout.positions.get(name)
        return None if place is None else tuple(map(itemgetter(place), rows))

    def _amount(self, name: str, rows: list[list[str]], lines: list[int], wrong: dict[int, str]) -> Column:
        values = self._column(name, rows)
        if values is None:
            return [NULL] * len(rows)
        numbers, bad = exact_column(values)
        if bad and name not in ("BilledCost", "EffectiveCost"):
            self._tally.add("not-a-number", name, len(bad), lines[min(bad)])
            return numbers
        wrong |= {
            position: f"{name} '{text}' is no decimal number" for position, text in bad.items() if position not in wrong
        }
        if name in ("BilledCost", "EffectiveCost") and NULL in numbers:
            for position in (position for position, number in enumerate(numbers) if number == NULL):
                wrong.setdefault(position, f"{name} is empty")
        return numbers

    def _instant(self, name: str, rows: list[list[str]], lines: list[int], wrong: dict[int, str]) -> Column:
        values = self._column(name, rows) or ()
        instants = list(map(self._instants.__getitem__, values))
        if self._instants.departed:
            places = [position for position, value in enumerate(values) if value in self._instants.departed]
            if places:
                self._tally.add("instant-form", name, len(places), lines[places[0]])
        if "" in instants:
            for position in (position for position, instant in enumerate(instants) if not instant):
                text = records.unquoted(values[position])
                wrong.setdefault(
                    position, f"{name} is empty" if is_null(text) else f"{name} '{text}' is no instant in time"
                )
        return instants

    def _currency(self, rows: list[list[str]], wrong: dict[int, str]) -> Column:
        values = self._column("BillingCurrency", rows)
        if values is None:
            return [self._layout.default_currency] * len(rows)
        if set(values) <= MINOR_UNITS.keys():
            return values
        values = tuple(map(records.unquoted, values))
        codes = [self._layout.default_currency if is_null(value) else value.strip().upper() for value in values]
        for position, code in enumerate(codes):
            if code not in MINOR_UNITS:
                wrong.setdefault(position, f"BillingCurrency '{values[position]}' is no currency of ISO 4217")
        return codes


def _without(batch: Batch, wrong: dict[int, str]) -> Batch:
    """The batch less the rows at the positions of `wrong`, which join the broken ones."""
    keep = [position not in wrong for position in range(len(batch.lines))]

    def kept(values: Column) -> Column:
        return list(itertools.compress(values, keep))

    broken = [Broken(batch.lines[at], records.readable(batch.raw[at]), reason) for at, reason in sorted(wrong.items())]
    return Batch(
        lines=list(itertools.compress(batch.lines, keep)),
        raw=list(itertools.compress(batch.raw, keep)),
        fingerprints=list(itertools.compress(batch.fingerprints, keep)),
        periods=kept(batch.periods),
        currencies=kept(batch.currencies),
        starts=kept(batch.starts),
        ends=kept(batch.ends),
        amounts={name: kept(values) for name, values in batch.amounts.items()},
        resources=list(itertools.compress(batch.resources, keep)),
        charges=list(itertools.compress(batch.charges, keep)),
        broken=sorted(batch.broken + broken, key=lambda line: line.line),
    )


def fingerprints(raw: list[bytes]) -> Sequence[int]:
    """64 bits of each row's bytes: equal for identical rows."""
    digests = b"".join(map(methodcaller("digest"), map(_SHA1, raw)))
    return list(map(itemgetter(0), struct.iter_unpack("<q12x", digests)))


def _positions(columns: tuple[str, ...]) -> dict[str, int]:
    """Columns by FOCUS' own spelling; the first wins where a name stands twice."""
    names = {name.lower(): name for name in known.KNOWN}
    found: dict[str, int] = {}
    for place, column in enumerate(columns):
        found.setdefault(names.get(column.lower(), column), place)
    for later, name in known.LATER_NAMES.items():
        if later in found and name not in found:
            found[name] = found[later]
    return found


def _refuse_missing(
    name: str, columns: tuple[str, ...], positions: dict[str, int], default_currency: str, *, needs_effective: bool
) -> None:
    wanted = [*known.REQUIRED]
    if needs_effective:
        wanted.append("EffectiveCost")
    if not default_currency:
        wanted.append("BillingCurrency")
    missing = [column for column in wanted if column not in positions]
    if not missing:
        return
    hint = ""
    lowered = {column.lower() for column in columns}
    if any("lineitem/" in column or column.startswith("line_item_") for column in lowered):
        hint = "It looks like an AWS Cost and Usage Report: export it as FOCUS instead (Data Exports, FOCUS 1.0)."
    elif lowered & {"meterid", "metercategory"} or any("(meterid)" in column for column in lowered):
        hint = "It looks like a native Azure export: create a Cost Management export of type FOCUS instead."
    elif missing == ["BillingCurrency"]:
        hint = "Set `currency` on the source, or export the bill as FOCUS 1.0 or later."
    elif missing == ["EffectiveCost"]:
        hint = "Set `basis: billed` on the source, or export the bill as FOCUS 1.0 or later."
    raise MissingColumnsError(name, missing, hint)
