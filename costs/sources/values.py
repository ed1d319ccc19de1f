"""Values of a bill's columns, read as they really come: exact numbers and instants in UTC, whole columns at a time."""

import re
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fleetledger.lib.money import MAX_DIGITS, NotANumberError, parse_exact, plain

NULL_WORDS = frozenset({"", "null", "none", "n/a", "nan"})
_PLAIN_NUMBER = r"^-?[0-9]+(?:\.[0-9]+)?$"
_FIRST_MARK, _MARKS = ord("-"), ord("9") - ord("-")  # of a plain number, and the slash, which no integer has
_DIGITS_IN_UNITS = 18
_NONE, _ONE = pa.scalar(0, pa.int32()), pa.scalar(1, pa.int32())
_NUMBER_FIELDS = ("units", "scale", "text")
NUMBERS = pa.struct([("units", pa.int64()), ("scale", pa.int32()), ("text", pa.string())])
_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?\s*(Z|UTC|[+-]\d{2}:?\d{2})?",
    re.ASCII | re.IGNORECASE,
)
_AMERICAN = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2}))?)?\s*(Z|UTC)?", re.ASCII)
_CACHED = 100_000
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)  # PostgreSQL's


def is_null(text: str) -> bool:
    return text.strip().lower() in NULL_WORDS


def text_or_empty(text: str) -> str:
    """The text without what stands for null; other text stays as it is, spaces and all."""
    return "" if is_null(text) else text


def exact_column(values: pa.Array) -> tuple[pa.Array, dict[int, str]]:
    """Numbers exactly as written, as a struct, with, per position, the text of what is none (null too).

    A number is `units` / 10^`scale`, or where it has too many digits for an integer, `text`; null for null.
    Python looks only at texts that are no plain number, and once at those that are alike.
    """
    if _may_be_plain(values):
        try:
            return _in_units(values), {}
        except pa.ArrowInvalid:
            pass
    texts, wrong = _plain_texts(values)
    is_short = pc.less_equal(pc.binary_length(pc.ascii_ltrim(_without_point(texts), "-0")), _DIGITS_IN_UNITS)
    shorts = _in_units(pc.if_else(is_short, texts, None))
    return pc.make_struct(
        shorts.field("units"), shorts.field("scale"), pc.if_else(is_short, None, texts), field_names=_NUMBER_FIELDS
    ), wrong


def _may_be_plain(values: pa.Array) -> bool:
    """Whether each text is a plain number if, without its first point, it is an integer. Looks at all bytes at once."""
    starts = np.frombuffer(values.buffers()[1], np.int32, len(values) + 1, values.offset * np.int32().itemsize)
    marks = np.frombuffer(values.buffers()[2] or b"", np.uint8)
    marks = marks[starts[0] : starts[-1]]
    if values.null_count or ((marks - _FIRST_MARK) > _MARKS).any():
        return False
    points, lengths = pc.find_substring(values, ".").to_numpy(), np.diff(starts)
    begins = (marks.take(starts[:-1] - starts[0], mode="clip") == _FIRST_MARK) if len(marks) else points == 0
    return not ((points == begins) | (points == lengths - 1)).any()


def _in_units(texts: pa.Array) -> pa.Array:
    """Plain numbers as `exact_column` gives them; raises ArrowInvalid where one is none, or has too many digits."""
    points = pc.find_substring(texts, ".")
    behind = pc.subtract(pc.subtract(pc.binary_length(texts), points), _ONE)
    scale = pc.if_else(pc.less(points, _NONE), _NONE, behind)
    units = _without_point(texts).cast(pa.int64())
    return pc.make_struct(units, scale, pa.nulls(len(texts), pa.string()), field_names=_NUMBER_FIELDS)


def _without_point(texts: pa.Array) -> pa.Array:
    return pc.replace_substring(texts, ".", "", max_replacements=1)


def _plain_texts(values: pa.Array) -> tuple[pa.Array, dict[int, str]]:
    """Numbers in digits alone, null for null, with the texts of what is none."""
    is_plain = pc.and_(
        pc.match_substring_regex(values, _PLAIN_NUMBER), pc.less_equal(pc.binary_length(values), MAX_DIGITS)
    )
    if is_plain.true_count == len(values):
        return values, {}
    is_odd = pc.invert(is_plain)
    odd = values.filter(is_odd).dictionary_encode()
    texts = odd.dictionary.to_pylist()
    numbers, is_wrong = zip(*map(_number, texts), strict=True)
    wrong: dict[int, str] = {}
    if any(is_wrong):
        places = zip(pc.indices_nonzero(is_odd).to_pylist(), odd.indices.to_pylist(), strict=True)
        wrong = {position: texts[code] for position, code in places if is_wrong[code]}
    return pc.replace_with_mask(values, is_odd, pa.array(numbers, pa.string()).take(odd.indices)), wrong


def _number(text: str) -> tuple[str | None, bool]:
    """The number in digits alone, None for null, and whether the text is wrong."""
    try:
        return (None if is_null(text) else plain(parse_exact(text.strip()))), False
    except NotANumberError:
        return None, True


class Instants(dict[str, int | None]):
    """Text of an instant to microseconds since 2000 in UTC; None for what is none.

    `departed` are texts not of FOCUS' own form.
    """

    def __init__(self) -> None:
        super().__init__()
        self.departed: set[str] = set()

    def of(self, texts: list[str]) -> list[int | None]:
        if len(self) > _CACHED:
            self.clear()
            self.departed.clear()
        return list(map(self.__getitem__, texts))

    def __missing__(self, text: str) -> int | None:
        if not is_focus_instant(text):
            self.departed.add(text)
        at = parse_instant(text)
        self[text] = value = None if at is None else (at - _EPOCH) // timedelta(microseconds=1)
        return value


def month_of(microseconds: int) -> str:
    """The month in UTC (2026-10) of an instant given in microseconds since 2000."""
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat()[: len("2026-10")]


def parse_instant(text: str) -> datetime | None:
    """FOCUS' instants and their relatives: no T, no Z, a bare day, `4/1/25` (month first). None for anything else."""
    text = text.strip()
    try:
        if match := _ISO.fullmatch(text):
            return _iso(match)
        if match := _AMERICAN.fullmatch(text):
            month, day, year, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
            return datetime(year + 2000 if len(match[3]) == 2 else year, month, day, hour, minute, second, tzinfo=UTC)  # noqa: PLR2004 digits of a year
    except ValueError:
        return None
    return None


def is_focus_instant(text: str) -> bool:
    """Whether the text has FOCUS' form YYYY-MM-DDTHH:mm:ssZ."""
    return len(text) == len("2026-10-01T00:00:00Z") and text[10] == "T" and text[-1] == "Z"


def last_segment(resource_id: str) -> str:
    """What names a machine in a ResourceId or a provider id: the part after the last slash or colon, lower case.

    `aws:///us-west-2a/i-0abc`, `arn:aws:ec2:us-west-2:1:instance/i-0abc` and `i-0abc` all give `i-0abc`.
    """
    return re.split(r"[/:]", resource_id.strip().rstrip("/"))[-1].lower()


def _iso(match: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    micros = int((match[7] or "0")[:6].ljust(6, "0"))
    at = datetime(year, month, day, hour, minute, second, micros, tzinfo=UTC)
    zone = match[8]
    if zone and zone[0] in "+-":
        return datetime.fromisoformat(at.strftime("%Y-%m-%dT%H:%M:%S.%f") + zone).astimezone(UTC)
    return at
