"""The public page and its feeds: no sign-in, no session, and no database that must answer."""

import hashlib
from collections.abc import Callable
from datetime import datetime

import orjson
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.views.decorators.http import require_safe

from fleetledger.web.context import THEME_COOKIE, THEMES
from monitoring.availability.incidents import timeline
from monitoring.availability.public import shown
from monitoring.availability.public.keeping import keeper
from monitoring.availability.public.shown import Shown, Trouble

MAX_AGE_S = 15
TITLE = "Status"
Next = Callable[[HttpRequest], HttpResponse]


@login_not_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    theme = request.COOKIES.get(THEME_COOKIE, "")
    found = keeper.latest()
    context = {"shown": found, "theme": theme if theme in THEMES else "", "words": shown.WORDS}
    html = render_to_string("availability/public.html", context)
    response = _cached(request, html.encode(), "text/html; charset=utf-8")
    response["Vary"] = "Cookie"  # the theme
    return response


@login_not_required
@require_safe
def feed_json(request: HttpRequest) -> HttpResponse:
    found = keeper.latest()
    document = {"state": found.state, "sentence": found.sentence, **shown.packed(found)}
    response = _cached(request, orjson.dumps(document), "application/json")
    response["Access-Control-Allow-Origin"] = "*"  # everybody may read it anyway
    return response


@login_not_required
@require_safe
def feed_atom(request: HttpRequest) -> HttpResponse:
    """One entry for each incident, with what the public was told."""
    found = keeper.latest()
    base = settings.BASE_URL.rstrip("/")
    link = f"{base}{reverse('public-status')}"
    feed = _Feed(
        title=TITLE,
        link=link,
        description="",
        feed_url=f"{base}{reverse('public-status-atom')}",
        language="en",
        changed_at=_updated(found),
    )
    for trouble in (*found.troubles, *found.past):
        feed.add_item(
            title=timeline.storable(f"{trouble.title} ({trouble.state})"),
            link=f"{link}#incident-{trouble.id}",
            description=timeline.storable(_told(trouble)),
            unique_id=f"{link}#incident-{trouble.id}",
            pubdate=trouble.opened_at,
            updateddate=trouble.changed_at,
        )
    return _cached(request, feed.writeString("utf-8").encode(), "application/atom+xml; charset=utf-8")


class _Feed(Atom1Feed):
    """Without entries it has not changed just now, as Django would have it."""

    def latest_post_date(self) -> datetime:
        at: datetime = self.feed["changed_at"]
        return at


class PublicStatusMiddleware:
    """Answers the public page before sessions are looked at: a browser with one would wait for the database."""

    def __init__(self, get_response: Next) -> None:
        self._next = get_response
        self._answers: dict[str, Callable[[HttpRequest], HttpResponse]] = {
            "/public/status/": page,
            "/public/status.json": feed_json,
            "/public/status.atom": feed_atom,
        }

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self._answers.get(request.path_info)
        return answer(request) if answer is not None else self._next(request)


def _cached(request: HttpRequest, body: bytes, content_type: str) -> HttpResponse:
    """With an ETag of its content; 304 where the visitor has the same already."""
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    known = [item.strip().removeprefix("W/") for item in request.headers.get("If-None-Match", "").split(",")]
    response = HttpResponseNotModified() if tag in known else HttpResponse(body, content_type=content_type)
    response["ETag"] = tag
    response["Cache-Control"] = f"public, max-age={MAX_AGE_S}"
    return response


def _told(trouble: Trouble) -> str:
    lines = [f"{update.at:%Y-%m-%d %H:%M} UTC: {update.text}" for update in trouble.updates]
    return "\n".join(filter(None, [*lines, trouble.text]))


def _updated(found: Shown) -> datetime:
    return max((trouble.changed_at for trouble in (*found.troubles, *found.past)), default=found.at)
