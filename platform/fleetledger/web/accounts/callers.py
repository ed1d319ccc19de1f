"""Who asks: the signed-in person, and the refusal that answers those who may not."""

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from fleetledger.fleet.access import Capability, can
from fleetledger.fleet.models import User


def person_of(request: HttpRequest) -> User:
    """The person behind a page; every page but sign-in and set-up has one."""
    if not isinstance(request.user, User):
        raise PermissionDenied("Sign in to open this page.")
    return request.user


def administrator_of(request: HttpRequest) -> User:
    """The person where they are an administrator; raises PermissionDenied with words for the page."""
    user = person_of(request)
    if not can(user, Capability.ADMIN):
        raise PermissionDenied("Only an administrator may open this page. Ask one of them for the role.")
    return user
