"""Writes answers: JSON by orjson, and CSV that a spreadsheet cannot mistake for formulas."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from rest_framework.renderers import BaseRenderer

JSON_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS
ROW_KEYS = ("results", "rows")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?([eE][+-]?\d+)?")


class OrjsonRenderer(BaseRenderer):
    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, _accepted_media_type: str | None = None, _renderer_context: Any = None) -> bytes:
        return b"" if data is None else dumps(data)


class CsvRenderer(BaseRenderer):
    """The list inside an answer (`results`, `rows`, or the answer itself) as RFC 4180 lines."""

    media_type = "text/csv"
    format = "csv"
    charset = "utf-8"

    def render(self, data: Any, _accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return (to_csv(_rows(data), columns=_columns(renderer_context or {})) or "\r\n").encode()


def dumps(data: Any) -> bytes:
    """JSON with RFC 3339 instants in UTC and decimals as strings."""
    return orjson.dumps(data, default=_plain, option=JSON_OPTIONS)


def to_csv(rows: Iterable[Any], *, columns: Sequence[str] | None = None) -> str:
    """Lines for mappings or dataclasses; the first line names the columns, those of the rows where none are given."""
    records = [_record(row) for row in rows]
    names = list(columns or dict.fromkeys(name for record in records for name in record))
    out = io.StringIO()
    writer = csv.writer(out)
    if names:
        writer.writerow(names)
    writer.writerows([csv_cell(record.get(name)) for name in names] for record in records)
    return out.getvalue()


def csv_cell(value: Any) -> str:
    """One cell. Text that a spreadsheet would run as a formula gets an apostrophe; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    text = dumps(value).decode() if isinstance(value, Mapping | list | tuple) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def _columns(context: Mapping[str, Any]) -> Sequence[str] | None:
    """Those that the view names, else those of the endpoint's rows."""
    view, request = context.get("view"), context.get("request")
    handler = getattr(view, str(getattr(request, "method", "")).lower(), None)
    named: Sequence[str] | None = getattr(view, "csv_columns", None) or getattr(handler, "csv_columns", None)
    return named


def _rows(data: Any) -> Iterable[Any]:
    if isinstance(data, Mapping):
        for key in ROW_KEYS:
            if isinstance(data.get(key), list | tuple):
                return data[key]  # type: ignore[no-any-return]
        return [data]
    if is_dataclass(data) and not isinstance(data, type):
        return next((getattr(data, key) for key in ROW_KEYS if hasattr(data, key)), [data])
    return data if isinstance(data, list | tuple) else []


def _record(row: Any) -> Mapping[str, Any]:
    if is_dataclass(row) and not isinstance(row, type):
        return {item.name: getattr(row, item.name) for item in fields(row)}
    return row if isinstance(row, Mapping) else {"value": row}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no form in JSON")
