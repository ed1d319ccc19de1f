"""The words by which the OpenAPI document is written: ways to sign in, answers from dataclasses, problems."""

import re
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints
from uuid import UUID

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, inline_serializer
from rest_framework import serializers

from fleetledger.rest.pagination import CSV_LIMIT, LIMIT, MAX_LIMIT

F = TypeVar("F")
_PLAIN: dict[Any, type[serializers.Field[Any, Any, Any, Any]]] = {
    str: serializers.CharField,
    int: serializers.IntegerField,
    float: serializers.FloatField,
    bool: serializers.BooleanField,
    datetime: serializers.DateTimeField,
    date: serializers.DateField,
    UUID: serializers.UUIDField,
}
LIST_PARAMETERS = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT},
        description=f"Rows on a page: {LIMIT} unless given, {CSV_LIMIT} as CSV.",
    ),
    OpenApiParameter("cursor", str, description="From 'next' or 'previous' of an answer."),
]
FORMAT = OpenApiParameter("format", str, enum=["json", "csv"], description="The form of the answer.")


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "fleetledger.rest.auth.TokenAuthentication"
    name = "token"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "An API token: fl_..."}


class SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "fleetledger.rest.auth.PageSessionAuthentication"
    name = "session"

    def get_security_definition(self, _auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": "The session of a page."}


class Operations(AutoSchema):
    """Names an operation that answers with a page `…_list`."""

    def get_operation_id(self) -> str:
        known = str(super().get_operation_id())
        handler = getattr(self.view, self.method.lower(), None)
        return f"{known.removesuffix('_retrieve')}_list" if getattr(handler, "answers_page", False) else known


class Problem(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="One sentence that says what to do.")


def problem_responses(*statuses: int) -> dict[tuple[int, str], Any]:
    """The refusals of an endpoint; every one may also answer 401, 403, 406, 429 and 503."""
    known = sorted({401, 403, 406, 422, 429, 503, *statuses})
    return {(status, "application/problem+json"): Problem for status in known}


def endpoint(
    row: type[Any] | None = None,
    *,
    many: bool = False,
    summary: str = "",
    parameters: Sequence[OpenApiParameter] = (),
    request: Any = None,
    status: int = 200,
    refusals: Sequence[int] = (),
    csv: bool = True,
    operation_id: str | None = None,
) -> Callable[[F], F]:
    """Describes a handler that answers with the dataclass (or serializer) `row`, or a page of them."""
    answer = _answer(row, many=many)
    responses: dict[Any, Any] = {(status, "application/json"): answer}
    if csv:
        responses[status, "text/csv"] = OpenApiTypes.STR
    if status == 200:  # noqa: PLR2004 HTTP's OK
        responses[304] = OpenApiResponse(description="As the client has it already.")
    listing = LIST_PARAMETERS if many else []
    described = extend_schema(
        operation_id=operation_id,
        summary=summary,
        parameters=[*parameters, *listing, *([FORMAT] if csv else [])],
        request=request,
        responses=responses | problem_responses(*refusals),
    )

    def describe(handler: Any) -> Any:
        handler.answers_page, handler.answers_csv = many, csv
        handler.csv_columns = columns(row) if many and row is not None and is_dataclass(row) else None
        return described(handler)

    return cast("Callable[[F], F]", describe)


def columns(row: type[Any]) -> tuple[str, ...]:
    """The names of a dataclass's fields: the first line of its CSV, also when there are no rows."""
    return tuple(item.name for item in fields(row))


@cache
def serializer_of(shape: type[Any]) -> type[serializers.Serializer[Any]]:
    """A serializer with a dataclass's fields, for the OpenAPI document alone; `from_` is told as `from`."""
    hints = get_type_hints(shape)
    members: dict[str, Any] = {item.name.rstrip("_"): _field(hints[item.name]) for item in fields(shape)}
    members["__doc__"] = (shape.__doc__ or "").split("\n")[0]
    return type(f"{shape.__name__}Serializer", (serializers.Serializer,), members)


def _answer(row: type[Any] | None, *, many: bool) -> Any:
    if row is None:
        return None
    one: Any = serializer_of(row) if is_dataclass(row) else row
    return _page(one) if many else one


@cache
def _page(one: Any) -> Any:
    """One class for each kind of page: two of the same name would be two things in the document."""
    name = re.sub(r"Serializer$", "", one.__name__)
    link = {"allow_null": True}
    return inline_serializer(
        f"{name}Page",
        {
            "results": one(many=True),
            "next": serializers.URLField(**link),  # type: ignore[arg-type]
            "previous": serializers.URLField(**link),  # type: ignore[arg-type]
        },
    )


def _field(hint: Any, *, nullable: bool = False) -> Any:
    """The field for a type hint."""
    if get_origin(hint) in (Union, types.UnionType):
        inner = get_args(hint)
        kept = [item for item in inner if item is not type(None)]
        return _field(kept[0], nullable=type(None) in inner)
    options: dict[str, Any] = {"allow_null": True} if nullable else {}
    return _container(hint, options) or _scalar(hint, options)


def _container(hint: Any, options: dict[str, Any]) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (list, tuple, set, frozenset, Sequence):
        return serializers.ListField(child=_field(inner[0]), **options)
    if hint is dict or origin in (dict, Mapping):
        return serializers.DictField(**options)
    return serializer_of(hint)(**options) if is_dataclass(hint) and isinstance(hint, type) else None


def _scalar(hint: Any, options: dict[str, Any]) -> Any:
    if get_origin(hint) is Literal:
        return serializers.ChoiceField(choices=list(get_args(hint)), **options)
    if hint is Decimal:
        return serializers.CharField(help_text="A decimal number.", **options)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return serializers.ChoiceField(choices=[item.value for item in hint], **options)
    plain = _PLAIN.get(hint)
    return plain(**options) if plain else serializers.JSONField(**options)
