"""The pages by which somebody subscribes to the public page, confirms it, and ends it. Nobody signs in."""

from collections.abc import Callable
from ipaddress import ip_address, ip_network

from django import forms
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods

from fleetledger.web.accounts.forms import Dressed
from monitoring.alerts.models import ChannelKind
from monitoring.availability.models import Subscription
from monitoring.availability.public import links, subscribing
from monitoring.availability.public.errors import GoneError, SubscribeError, TooManyError
from monitoring.availability.public.subscribing import MAX_URL, Wanted

KINDS = ((ChannelKind.EMAIL.value, "By mail"), (ChannelKind.WEBHOOK.value, "By webhook"))


class SubscribeForm(Dressed, forms.Form):
    kind = forms.ChoiceField(label="How", choices=KINDS)
    address = forms.CharField(label="Mail address, or the webhook's URL", max_length=MAX_URL)
    secret = forms.CharField(
        label="Secret of a webhook",
        max_length=200,
        required=False,
        help_text="Signs what it is told; may stay empty.",
        widget=forms.PasswordInput({"autocomplete": "off"}),
    )


@login_not_required
@csrf_protect
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """The same answer, whether the address is known or not."""
    form = SubscribeForm(request.POST or None)
    if request.method != "POST":
        return _page(request, "form", form=form)
    if not form.is_valid():
        return _page(request, "form", form=form, status=422)
    values = form.cleaned_data
    wanted = Wanted(ChannelKind(values["kind"]), values["address"], values["secret"])
    try:
        subscribing.ask(wanted, _caller(request))
    except SubscribeError as error:
        form.add_error(error.field, str(error))
        return _page(request, "form", form=form, status=422)
    except TooManyError as error:
        form.add_error(None, str(error))
        return _page(request, "form", form=form, status=429)
    return _page(request, "asked")


def _caller(request: HttpRequest) -> str:
    """Whoever asks, by a proxy's last word behind one; of IPv6 the network, since its addresses are for the taking."""
    told = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip() if settings.HTTPS else ""
    try:
        found = ip_address(told or request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return told
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else str(found)  # noqa: PLR2004


@login_not_required
@csrf_exempt  # programs confirm too; whoever knows the link was sent it
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, signed: str) -> HttpResponse:
    """GET asks, since scanners follow links; POST confirms."""
    return _by_link(request, signed, links.to_confirm, subscribing.confirm, ("confirm", "confirmed"))


@login_not_required
@csrf_exempt  # as RFC 8058 has it for mail programs
@require_http_methods(["GET", "HEAD", "POST"])
def leave(request: HttpRequest, signed: str) -> HttpResponse:
    return _by_link(request, signed, links.to_leave, subscribing.leave, ("leave", "left"))


def _by_link(
    request: HttpRequest,
    signed: str,
    find: Callable[[str], Subscription | None],
    do: Callable[[str], Subscription],
    steps: tuple[str, str],
) -> HttpResponse:
    row = find(signed)
    try:
        if row is not None and request.method == "POST":
            return _page(request, steps[1], row=do(signed))
    except GoneError:
        row = None
    if row is None:
        return _page(request, "gone", error=str(GoneError()), status=GoneError.http_status)
    return _page(request, steps[0], row=row)


def _page(request: HttpRequest, step: str, status: int = 200, **context: object) -> HttpResponse:
    response = render(request, "availability/public_subscribe.html", {"step": step, **context}, status=status)
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "same-origin"
    return response
