"""Who calls the API, and whether they may: a token, or the session of a page."""

from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from rest_framework import exceptions
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from fleetledger.fleet import tokens
from fleetledger.fleet.access import Capability, Principal, TeamScope, TokenPrincipal, can, teams_visible_to
from fleetledger.fleet.models import ApiToken, User

REALM = 'Bearer realm="api"'


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer fl_...`; anything else than a valid token is 401 with the reason."""

    def authenticate(self, request: Request) -> tuple[TokenPrincipal, ApiToken] | None:
        words = get_authorization_header(request).split()
        if not words or words[0].lower() != b"bearer":
            return None
        if len(words) != 2:  # noqa: PLR2004 the scheme and the token
            raise exceptions.AuthenticationFailed("Send one token: 'Authorization: Bearer fl_...'.")
        try:
            token = tokens.authenticate(words[1].decode("latin-1"))
        except tokens.TokenRefusedError as error:
            raise exceptions.AuthenticationFailed(str(error)) from error
        return TokenPrincipal(token), token

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 DRF names it
        return REALM


class PageSessionAuthentication(SessionAuthentication):
    """The signed-in reader of a page; changes need the page's CSRF token."""

    def enforce_csrf(self, request: HttpRequest | Request) -> None:
        try:
            super().enforce_csrf(request)  # type: ignore[arg-type]
        except exceptions.PermissionDenied as error:
            raise exceptions.PermissionDenied(f"{error.detail} Send the page's X-CSRFToken, or use a token.") from error


class CallerIsKnown(BasePermission):
    """Somebody signed in, with whatever scope."""

    def has_permission(self, request: Request, view: Any) -> bool:  # noqa: ARG002 DRF's signature
        return bool(principal(request).is_authenticated)


class CallerMayRead(BasePermission):
    """Reads need `read`; changes need the view's `write_capability`, and are refused where it names none."""

    def has_permission(self, request: Request, view: Any) -> bool:
        caller = principal(request)
        if not caller.is_authenticated:
            return False
        area = getattr(view, "area", "")
        if request.method in SAFE_METHODS:
            needed: Capability | None = Capability.READ
        else:
            needed = getattr(view, "write_capability", None)
        if needed is None or not can(caller, needed, area=area):
            self.message = _refusal(caller, needed, area)
            return False
        return True


def principal(request: Request | HttpRequest) -> Principal:
    """The person or token behind a request."""
    user: Any = request.user
    return user if isinstance(user, User | TokenPrincipal) else AnonymousUser()


def caller_key(request: Request | HttpRequest) -> str:
    """One name for each caller, for throttles and idempotency keys."""
    caller = principal(request)
    if isinstance(caller, TokenPrincipal):
        return caller.pk
    return f"user:{caller.pk}" if caller.pk else f"address:{request.META.get('REMOTE_ADDR', '')}"


def scope_of(request: Request | HttpRequest) -> TeamScope:
    """The teams whose rows this request may see."""
    return teams_visible_to(principal(request))


def _refusal(caller: Principal, needed: Capability | None, area: str) -> str:
    what = "change this" if needed is None or needed is not Capability.READ else "read this"
    if isinstance(caller, TokenPrincipal):
        level = "read" if needed is Capability.READ else "write"
        narrowed = f" or '{level}:{area}'" if area else ""
        return (
            f"This token may not {what}: it needs the scope '{level}'{narrowed}, and no team narrower than the change."
        )
    return f"Your role may not {what}. Ask an administrator."
