"""What every endpoint stands on: who asks, what they may see, ETags, and the headers of each answer."""

import hashlib
from collections.abc import Callable
from typing import Any, ClassVar

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from fleetledger.fleet import audit
from fleetledger.fleet.access import Capability, Principal, TeamScope, TokenPrincipal
from fleetledger.lib.keyset import Key
from fleetledger.rest.auth import caller_key, principal, scope_of
from fleetledger.rest.pagination import Ask, Page, comparable, page_in_memory, paged_response
from fleetledger.rest.problems import ProblemError
from fleetledger.rest.renderers import dumps
from fleetledger.rest.schema import Operations


class Negotiation(DefaultContentNegotiation):
    """`?format=` as a word that is refused with the words that are known."""

    def filter_renderers(self, renderers: Any, format: str) -> Any:  # noqa: A002 DRF names it so
        fitting = [renderer for renderer in renderers if renderer.format == format]
        if not fitting:
            known = ", ".join(sorted({renderer.format for renderer in renderers}))
            raise ProblemError(f"'format' is one of {known}.", parameter="format")
        return fitting


class ApiView(APIView):
    """`area` is the word that narrows scopes (read:costs); `write_capability` is what a change needs."""

    area: ClassVar[str] = ""
    write_capability: ClassVar[Capability | None] = None
    csv_columns: ClassVar[tuple[str, ...] | None] = None
    content_negotiation_class = Negotiation
    schema = Operations()

    def get_renderers(self) -> list[BaseRenderer]:
        """JSON alone where the endpoint says so."""
        method = str(getattr(getattr(self, "request", None), "method", "") or "get").lower()
        takes_csv = getattr(getattr(self, method, None), "answers_csv", True)
        return [renderer for renderer in super().get_renderers() if takes_csv or renderer.format != "csv"]

    @property
    def caller(self) -> Principal:
        return principal(self.request)

    @property
    def teams(self) -> TeamScope:
        """The tenant filter for this request's reads."""
        return scope_of(self.request)

    def page(self, rows: Any, key: Callable[[Any], Key]) -> Response:
        """`rows`, all of them, as a page of {results, next, previous} in the order of `key`."""
        ask = Ask.of(self.request)
        page: Page[Any] = page_in_memory(sorted(rows, key=lambda row: comparable(key(row))), ask, key)
        return paged_response(self.request, page)

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """Changes by a token are signed with its name."""
        with audit.acting():
            return super().dispatch(request, *args, **kwargs)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if isinstance(self.caller, TokenPrincipal):
            audit.act_as(self.caller.username)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        answer = super().finalize_response(request, response, *args, **kwargs)
        rate = getattr(getattr(request, "_request", request), "rate_limit", None)
        if rate is not None:
            limit, left, reset_s = rate
            answer["RateLimit-Limit"], answer["RateLimit-Remaining"], answer["RateLimit-Reset"] = (
                str(limit),
                str(left),
                str(reset_s),
            )
        if not answer.has_header("Cache-Control"):
            answer["Cache-Control"] = "private, no-cache"
        return answer

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:  # noqa: FBT001, FBT002 DRF's signature
        """As DRF; a refusal of the format itself is told as JSON."""
        chosen: tuple[BaseRenderer, str] = super().perform_content_negotiation(request, force=force)
        return chosen


def with_etag(request: Request, version: str, build: Callable[[], Response]) -> Response:
    """`build()` with an ETag of `version`, address and caller; 304 without building where the client has it already."""
    renderer = getattr(request.accepted_renderer, "format", "")
    known = f"{version}\n{request.get_full_path()}\n{caller_key(request)}\n{renderer}\n{_scope_words(request)}"
    tag = f'"{hashlib.sha256(known.encode()).hexdigest()[:32]}"'
    is_known = tag in _tags(request.headers.get("If-None-Match", ""))
    response = Response(status=304) if is_known else build()
    response["ETag"] = tag
    return response


def with_content_etag(request: Request, response: Response) -> Response:
    """`response` with an ETag of its content; 304 where the client has the same already. Saves the way alone."""
    content = dumps(response.data) + getattr(request.accepted_renderer, "format", "").encode()
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    answer = Response(status=304) if tag in _tags(request.headers.get("If-None-Match", "")) else response
    answer["ETag"] = tag
    return answer


def _tags(header: str) -> list[str]:
    return [item.strip().removeprefix("W/") for item in header.split(",")]


def _scope_words(request: Request) -> str:
    scope = scope_of(request)
    return "fleet" if scope.fleet else ",".join(map(str, sorted(scope.team_ids)))
