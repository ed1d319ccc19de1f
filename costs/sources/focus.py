"""A FOCUS CSV as columns for the ledger: bill rows ready for COPY, dimension keys, and what was set aside."""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
from xxhash import xxh3_64_digest

from costs.errors import MissingColumnsError, UnreadableFileError
from costs.sources import focus_columns as known
from costs.sources import keys, records
from costs.sources.blocks import Block
from costs.sources.keys import Keys
from costs.sources.records import Broken
from costs.sources.values import NUMBERS, Instants, exact_column, is_null, month_of
from fleetledger.lib.money import MINOR_UNITS

_LINE, _FINGERPRINT = "line", "fingerprint"  # beside the FOCUS columns
_BOM = b"\xef\xbb\xbf"
_TAKEN = (
    frozenset(known.MONEY + known.QUANTITIES + known.REQUIRED + ("BillingCurrency",))
    | known.RESOURCE.keys()
    | known.CHARGE.keys()
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each FOCUS column stands in the file. `default_currency` stands in where BillingCurrency is missing."""

    name: str
    columns: tuple[str, ...]
    delimiter: str
    positions: dict[str, int]
    default_currency: str
    has_spaces: bool

    def present(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name in self.positions)


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of one block by columns, all of one length.

    Instants are microseconds since 2000, amounts as `values.exact_column` gives them; `parts` combine the month of
    BillingPeriodStart (2026-10) and the currency.
    """

    lines: pa.Array
    fingerprints: pa.Array
    parts: Keys
    starts: pa.Array
    ends: pa.Array
    amounts: tuple[pa.Array, ...]
    resources: Keys
    charges: Keys
    broken: list[Broken]

    @property
    def last_line(self) -> int:
        return self.lines[-1].as_py() if len(self.lines) else 0


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
        positions = {name: place for name, place in found.positions.items() if name in _TAKEN}
        self._records = records.Reader(delimiter=found.delimiter, field_count=len(found.columns), positions=positions)
        self._instants = Instants()
        self._resource = found.present(tuple(known.RESOURCE))
        self._charge = found.present(tuple(known.CHARGE))

    def records_of(self, block: Block) -> list[records.Records]:
        """The block's records, for `batches_of`: two steps, so that two blocks are worked on at a time."""
        return list(self._records.read(block))

    def batches_of(self, found: list[records.Records]) -> list[Batch]:
        return [self._batch(part) for part in found]

    def finish(self) -> Batch:
        return self._batch(self._records.finish())

    def _batch(self, part: records.Records) -> Batch:
        """One block's rows. Values that make a row unreadable set the whole row aside, with its text."""
        wrong: dict[int, str] = {}
        columns = {name: self._amount(name, part, wrong) for name in known.MONEY + known.QUANTITIES}
        columns |= {name: self._instant(name, part, wrong) for name in known.REQUIRED[1:]}
        columns["BillingCurrency"] = self._currency(part, wrong)
        _note_reversed(columns["ChargePeriodStart"], columns["ChargePeriodEnd"], wrong)
        columns = part.columns | columns
        columns |= {_LINE: pa.array(part.lines, pa.int32()), _FINGERPRINT: fingerprints(part.raw)}
        if wrong:
            keep = pa.array([position not in wrong for position in range(len(part.lines))], pa.bool_())
            columns = {name: values.filter(keep) for name, values in columns.items()}
        return self._as_batch(columns, part.broken + _broken(part, wrong))

    def _as_batch(self, columns: dict[str, pa.Array], broken: list[Broken]) -> Batch:
        months = _months(columns["BillingPeriodStart"])
        count = len(months)
        return Batch(
            lines=columns[_LINE],
            fingerprints=columns[_FINGERPRINT],
            parts=keys.coded([months, columns["BillingCurrency"]], count),
            starts=columns["ChargePeriodStart"],
            ends=columns["ChargePeriodEnd"],
            amounts=tuple(columns[name] for name in known.MONEY + known.QUANTITIES),
            resources=keys.coded([columns[name] for name in self._resource], count),
            charges=keys.coded([columns[name] for name in self._charge], count),
            broken=sorted(broken, key=lambda line: line.line),
        )

    def _amount(self, name: str, part: records.Records, wrong: dict[int, str]) -> pa.Array:
        if name not in part.columns:
            return pa.nulls(len(part.lines), NUMBERS)
        numbers, bad = exact_column(part.columns[name])
        if name not in ("BilledCost", "EffectiveCost"):
            if bad:
                self._tally.add("not-a-number", name, len(bad), part.lines[min(bad)])
            return numbers
        for position, text in bad.items():
            wrong.setdefault(position, f"{name} '{text}' is no decimal number")
        units, texts = numbers.field("units"), numbers.field("text")
        if units.null_count:
            for position in pc.indices_nonzero(pc.and_(units.is_null(), texts.is_null())).to_pylist():
                wrong.setdefault(position, f"{name} is empty")
        return numbers

    def _instant(self, name: str, part: records.Records, wrong: dict[int, str]) -> pa.Array:
        found = part.columns[name].dictionary_encode()
        texts = found.dictionary.to_pylist()
        instants = self._instants.of(texts)
        departed = _places(found, [text in self._instants.departed for text in texts])
        if departed:
            self._tally.add("instant-form", name, len(departed), part.lines[departed[0]])
        for position in _places(found, [instant is None for instant in instants]):
            text = texts[found.indices[position].as_py()]
            wrong.setdefault(
                position, f"{name} is empty" if is_null(text) else f"{name} '{text}' is no instant in time"
            )
        return pa.array(instants, pa.int64()).take(found.indices)

    def _currency(self, part: records.Records, wrong: dict[int, str]) -> pa.Array:
        default = self._layout.default_currency
        if "BillingCurrency" not in part.columns:
            return pa.repeat(pa.scalar(default), len(part.lines))
        found = part.columns["BillingCurrency"].dictionary_encode()
        texts = found.dictionary.to_pylist()
        codes = [default if is_null(text) else text.strip().upper() for text in texts]
        for position in _places(found, [code not in MINOR_UNITS for code in codes]):
            text = texts[found.indices[position].as_py()]
            wrong.setdefault(position, f"BillingCurrency '{text}' is no currency of ISO 4217")
        return pa.array(codes, pa.string()).take(found.indices)


def fingerprints(raw: Iterable[bytes]) -> pa.Array:
    """64 bits of each row's bytes by XXH3: equal for identical rows."""
    digests = b"".join(map(xxh3_64_digest, raw))
    return pa.Array.from_buffers(pa.int64(), len(digests) // 8, [None, pa.py_buffer(digests)])


def _months(instants: pa.Array) -> pa.Array:
    found = instants.dictionary_encode()
    return pa.array(map(month_of, found.dictionary.to_pylist()), pa.string()).take(found.indices)


def _places(found: pa.Array, is_meant: list[bool]) -> list[int]:
    """The positions of a coded column whose text is meant."""
    if not any(is_meant):
        return []
    places: list[int] = pc.indices_nonzero(pa.array(is_meant).take(found.indices)).to_pylist()
    return places


def _note_reversed(starts: pa.Array, ends: pa.Array, wrong: dict[int, str]) -> None:
    """Charge periods that end before they start."""
    is_reversed = pc.greater(starts, ends)
    if is_reversed.true_count:
        for position in pc.indices_nonzero(is_reversed).to_pylist():
            wrong.setdefault(position, "ChargePeriodEnd lies before ChargePeriodStart")


def _broken(part: records.Records, wrong: dict[int, str]) -> list[Broken]:
    raw = list(part.raw) if wrong else []
    return [Broken(part.lines[at], records.readable(raw[at]), reason) for at, reason in wrong.items()]


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
