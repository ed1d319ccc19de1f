"""What people change on the pages about on-call: overrides, and swaps of shifts."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from fleetledger.fleet.access import teams_visible_to
from fleetledger.web.accounts.callers import person_of
from monitoring.alerts import clock
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.escalation.ways import is_reachable
from monitoring.alerts.models import Schedule
from monitoring.alerts.oncall import found, overrides, reads, removal, swaps
from monitoring.alerts.oncall.forms import OverrideForm, SwapForm
from monitoring.alerts.oncall.views import seen, zone_of

SWAP_ACTS = {
    "take": (swaps.take, "The shift is yours now."),
    "decline": (swaps.decline, "Declined. The shift stays where it was."),
    "take-back": (swaps.take_back, "Taken back. The shift stays yours."),
}


@require_POST
def schedule_remove(request: HttpRequest, name: str) -> HttpResponse:
    row = seen(request, name)
    try:
        removal.remove(row, person_of(request))
    except AlertsError as error:
        messages.error(request, str(error))
        return redirect("schedule", name=name)
    messages.success(request, f"The schedule {name} is removed. Apply it again to bring it back.")
    return redirect("on-call")


@require_http_methods(["GET", "HEAD", "POST"])
def override_new(request: HttpRequest, name: str) -> HttpResponse:
    """Put one person on call from one time to another."""
    row = seen(request, name)
    person = person_of(request)
    now = clock.now()
    initial = {"from_at": _asked(request, "from", now), "until_at": _asked(request, "until", None)}
    form = OverrideForm(request.POST or None, people=found.may_be_on_call(row), zone=zone_of(person), initial=initial)
    if request.method == "POST" and form.is_valid() and _made(request, row, form):
        return redirect("schedule", name=name)
    return _page(request, row, form, "override")


@require_POST
def override_cancel(request: HttpRequest, name: str, override_id: int) -> HttpResponse:
    row = seen(request, name)
    try:
        done = overrides.cancel(row, override_id, person_of(request))
    except AlertsError as error:
        messages.error(request, str(error))
    else:
        said = "never counted" if done.cancelled_at else "has ended"
        messages.success(request, f"The override {said}. The layers count again.")
    return redirect("schedule", name=name)


@require_http_methods(["GET", "HEAD", "POST"])
def swap_new(request: HttpRequest, name: str) -> HttpResponse:
    """Ask somebody, or anybody, to take a shift of one's own."""
    row = seen(request, name)
    person = person_of(request)
    now = clock.now()
    initial = _own_shift(request, row, now)
    people = [one for one in found.may_be_on_call(row) if one.username != person.username]
    form = SwapForm(request.POST or None, people=people, zone=zone_of(person), initial=initial)
    if request.method == "POST" and form.is_valid() and _asked_for(request, row, form):
        return redirect("schedule", name=name)
    return _page(request, row, form, "swap")


@require_POST
def swap_act(request: HttpRequest, name: str, swap_id: int, action: str) -> HttpResponse:
    """Take, decline or take back; leads back to where one was."""
    row = seen(request, name)
    if action not in SWAP_ACTS:
        raise Http404("There is no such act.")
    do, said = SWAP_ACTS[action]
    try:
        do(row, swap_id, person_of(request))
    except AlertsError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/")
    return redirect(back) if is_ours else redirect("schedule", name=name)


def _page(request: HttpRequest, row: Schedule, form: OverrideForm | SwapForm, what: str) -> HttpResponse:
    context = {"schedule": row, "form": form, "what": what, "zone": zone_of(person_of(request))}
    status = 422 if request.method == "POST" else 200
    return render(request, "alerts/schedule_change.html", context, status=status)


def _made(request: HttpRequest, row: Schedule, form: OverrideForm) -> bool:
    """Whether it was stored; the refusal stands on the form."""
    values = form.cleaned_data
    begin, end = form.at("from_at"), form.at("until_at")
    assert begin is not None  # noqa: S101 the form needs both
    assert end is not None  # noqa: S101
    wanted = overrides.Wanted(values["person"], begin, end, values["reason"])
    try:
        done = overrides.make(row, wanted, person_of(request))
    except AlertsError as error:
        form.add_error(None, str(error))
        return False
    name = done.person.get_full_name() or done.person.username
    messages.success(request, f"{name} is on call instead.")
    return True


def _asked_for(request: HttpRequest, row: Schedule, form: SwapForm) -> bool:
    values = form.cleaned_data
    begin, end = form.at("from_at"), form.at("until_at")
    assert begin is not None  # noqa: S101 the form needs both
    assert end is not None  # noqa: S101
    back_from, back_until = form.at("back_from_at"), form.at("back_until_at")
    back = (back_from, back_until) if back_from and back_until else None
    wanted = swaps.Wanted(begin, end, values["asked_of"], back, values["reason"])
    try:
        made = swaps.ask(row, wanted, person_of(request))
    except AlertsError as error:
        form.add_error(None, str(error))
        return False
    said = "Asked. The shift stays yours until somebody takes it."
    if made.asked_of is not None and not is_reachable(made.asked_of):
        name = made.asked_of.get_full_name() or made.asked_of.username
        said = f"{said} {name} has no verified contact method, so tell them yourself."
    messages.success(request, said)
    return True


def _own_shift(request: HttpRequest, row: Schedule, now: datetime) -> dict[str, Any]:
    """The shift that the address names, else the next of one's own in this schedule."""
    begin, end = _asked(request, "from", None), _asked(request, "until", None)
    if begin is None or end is None:
        teams = teams_visible_to(request.user)
        own = reads.own_shifts(person_of(request), teams=teams, at=now)
        mine = next((one.shift for one in own if one.schedule == row.name), None)
        begin, end = (mine.from_at, mine.until_at) if mine else (None, None)
    return {"from_at": begin, "until_at": end}


def _asked(request: HttpRequest, name: str, default: datetime | None) -> datetime | None:
    """An instant of the address."""
    try:
        at = datetime.fromisoformat(request.GET.get(name, ""))
    except ValueError:
        return default
    return at if at.tzinfo is not None and 1970 <= at.year < 2200 else default  # noqa: PLR2004 years that people see
