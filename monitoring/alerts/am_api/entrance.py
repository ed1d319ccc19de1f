"""Lets a caller in: the token says who asks, the address whose alerts, the method what for.

1. No token, or one that is not valid: 401. 2. A team that the token does not see, or that does not exist: 404.
3. A method that the endpoint lacks: 405. 4. A token without the scope: 403.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import structlog
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from fleetledger.fleet import tokens
from fleetledger.fleet.access import Capability, TokenPrincipal, can
from fleetledger.fleet.models import ApiToken, Team
from monitoring.alerts import tenants
from monitoring.alerts.am_api import answers
from monitoring.alerts.am_api.bodies import body_of
from monitoring.alerts.errors import AlertsError, NotFoundError
from monitoring.alerts.tenants import AREA, Tenant

REALM = 'Bearer realm="alerts"'
RETRY_AFTER_S = 5
log = structlog.get_logger(__name__)
View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Call:
    """A request of somebody who may do this for `tenant`."""

    request: HttpRequest
    tenant: Tenant
    token: ApiToken

    @property
    def body(self) -> bytes:
        return body_of(self.request)

    @property
    def address(self) -> str:
        return str(self.request.META.get("REMOTE_ADDR", ""))


Answer = Callable[..., HttpResponse]
Act = tuple[Capability, Answer]


def endpoint(**acts: Act) -> View:
    """A view that answers each of these methods to those who have its capability."""

    @csrf_exempt  # a token in a header is nothing that a browser sends by itself
    @login_not_required
    def view(request: HttpRequest, team: str, **words: Any) -> HttpResponse:
        try:
            return _answer(request, team, acts, words)
        except RequestDataTooBig:
            return answers.turned_away(413, "The body is too large. Send it in smaller parts.")
        except UnreadablePostError:
            return answers.turned_away(400, "The body ended too early. Send it again.")
        except (OperationalError, InterfaceError) as error:
            log.error("the database did not answer", error=str(error))  # noqa: TRY400 no trace: it says where it is
            sentence = f"The database does not answer. Try again in {RETRY_AFTER_S} seconds."
            return answers.turned_away(503, sentence, Retry_After=str(RETRY_AFTER_S))

    return view


def reading(answer: Answer) -> dict[str, Act]:
    """GET and HEAD for those who may read."""
    return {"GET": (Capability.READ, answer), "HEAD": (Capability.READ, answer)}


def _answer(request: HttpRequest, team: str, acts: dict[str, Act], words: dict[str, Any]) -> HttpResponse:
    try:
        token = tokens.authenticate(_secret(request))
        principal = TokenPrincipal(token)
        tenant = tenants.named(team, principal)
    except tokens.TokenRefusedError as error:
        return answers.turned_away(401, str(error), WWW_Authenticate=REALM)
    except NotFoundError as error:
        return answers.turned_away(404, str(error))
    act = acts.get(request.method or "")
    if act is None:
        allowed = ", ".join(acts)
        return answers.turned_away(405, f"{request.method} is not allowed here, but {allowed}.", Allow=allowed)
    capability, answer = act
    if not can(principal, capability, team=_team(tenant), area=AREA):
        level = "read" if capability is Capability.READ else "write"
        return answers.turned_away(
            403, f"This token may not do this: it needs the scope '{level}' or '{level}:{AREA}'."
        )
    try:
        return answer(Call(request, tenant, token), **words)
    except AlertsError as error:
        status = error.http_status if isinstance(error, NotFoundError) else 400
        return answers.refused(str(error), status)


def _secret(request: HttpRequest) -> str:
    scheme, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not secret:
        raise tokens.TokenRefusedError("Send a token: 'Authorization: Bearer fl_...'.")
    return secret.strip()


def _team(tenant: Tenant) -> Team | None:
    """As far as `can` asks for it: its key."""
    return None if tenant.team_id is None else Team(pk=tenant.team_id)
