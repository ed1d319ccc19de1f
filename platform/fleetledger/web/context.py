"""What every template may ask for: the theme, the navigation and the reader's time zone."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from fleetledger.web.nav import navigation

THEMES = frozenset({"light", "dark"})
THEME_COOKIE = "theme"


def furniture(request: HttpRequest) -> dict[str, Any]:
    """`theme` is empty where the system decides."""
    theme = request.COOKIES.get(THEME_COOKIE, "")
    user = getattr(request, "user", None)
    return {
        "theme": theme if theme in THEMES else "",
        "nav": SimpleLazyObject(lambda: navigation(request)),
        "time_zone": getattr(user, "time_zone", "UTC"),
    }
