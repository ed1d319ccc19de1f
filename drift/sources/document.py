"""Turns a report's bytes into plain values: unpacked, within limits of size and depth, with a digest without plots."""

import gzip
import hashlib
import io
import json
import zlib
from typing import Any

from drift.errors import ReportTooLargeError, UnreadableReportError
from drift.sources.node import ROOT

MAX_DEPTH = 80
_GZIP = b"\x1f\x8b"
_LONGEST_INTEGER = 19
PLOTS = frozenset(
    {
        "additionalGraphs", "correlations", "distribution", "plot_data", "plot_shape", "scatter", "small_distribution",
        "tests_widgets", "widget", "widgets",
    }
)  # fmt: skip
BY_COLUMN = frozenset({"drift_by_columns", "features"})  # below these, a key is a column's name


def unpacked(content: bytes, limit_bytes: int) -> bytes:
    """`content`, out of its gzip where it is one; raises ReportTooLargeError before it grows past the limit."""
    if content.startswith(_GZIP):
        try:
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
                content = packed.read(limit_bytes + 1)
        except (OSError, EOFError, zlib.error) as error:
            raise UnreadableReportError(ROOT, "the gzip is damaged or cut off. Send it again.") from error
    if len(content) > limit_bytes:
        raise ReportTooLargeError(limit_bytes)
    return content


def text_of(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableReportError(ROOT, f"byte {error.start} is no UTF-8. Send JSON or CSV as UTF-8.") from error


def parsed(text: str) -> Any:
    """The JSON value; NaN and Infinity are None."""
    try:
        value = json.loads(text, parse_constant=_nothing, parse_int=_integer)
    except json.JSONDecodeError as error:
        raise UnreadableReportError(
            f"line {error.lineno}, column {error.colno}", f"this is no JSON ({error.msg})."
        ) from error
    except RecursionError as error:
        raise _too_deep(ROOT) from error
    _check_depth(value)
    return value


def digest(value: Any, *, has_plots: bool) -> str:
    """SHA-256 of the canonical JSON; plots are left out where the tool draws some."""
    kept = _without_plots(value) if has_plots else value
    text = json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _without_plots(value: Any, *, are_columns: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_plots(inner, are_columns=key in BY_COLUMN)
            for key, inner in value.items()
            if are_columns or key not in PLOTS
        }
    return [_without_plots(inner) for inner in value] if isinstance(value, list) else value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise _too_deep(ROOT)


def _inside(value: Any) -> list[Any]:
    """The containers right below."""
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return []
    return [inner for inner in value if isinstance(inner, dict | list)]


def _too_deep(path: str) -> UnreadableReportError:
    return UnreadableReportError(path, f"it is nested more than {MAX_DEPTH} levels deep. Save it without plots.")


def _nothing(_token: str) -> None:
    return None


def _integer(text: str) -> int | float:
    """A long one as the float that it is nearest to: it holds no more digits than any score."""
    return int(text) if len(text) <= _LONGEST_INTEGER else float(text)
