"""What people say about a component on its page: planned work, and that something is gone on purpose."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from fleetledger.web.accounts.callers import person_of
from monitoring.alerts.acting import actor
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.tenants import may_act, of_team
from monitoring.availability import acts
from monitoring.availability.forms import EndForm, WorkForm
from monitoring.availability.models import Component
from monitoring.availability.views_component import seen

REFUSAL = "You may look at this component but not change it. Ask a lead of its team, or an SRE."


@require_POST
def plan_work(request: HttpRequest, name: str) -> HttpResponse:
    """From now, or from later on."""
    row = _to_act(request, name)
    form = WorkForm(request.POST)
    if not form.is_valid():
        return _refused(request, row, form)
    values = form.cleaned_data

    def do() -> None:
        acts.plan_work(row, values["until_at"], from_at=values["from_at"], reason=values["reason"], by=_name(request))

    return _done(request, row, do, "The work is planned: its time counts neither for nor against it.")


@require_POST
def end_work(request: HttpRequest, name: str, window_id: int) -> HttpResponse:
    """Now; what has not begun is gone."""
    row = _to_act(request, name)
    return _done(request, row, lambda: acts.end_work(row, window_id), "The planned work has ended.")


@require_POST
def end_series(request: HttpRequest, name: str, series_id: int) -> HttpResponse:
    """Nothing is missed of it any more."""
    row = _to_act(request, name)
    form = EndForm(request.POST)
    if not form.is_valid():
        return _refused(request, row, form)
    reason = f"{_name(request)}: {form.cleaned_data['reason']}"
    return _done(request, row, lambda: acts.end_series(row, series_id, reason), "Nothing more is expected of it.")


def _to_act(request: HttpRequest, name: str) -> Component:
    """Raises Http404 for a stranger, PermissionDenied for those who may only look."""
    row = seen(request, name)
    if not may_act(person_of(request), of_team(row.team)):
        raise PermissionDenied(REFUSAL)
    return row


def _name(request: HttpRequest) -> str:
    return actor(person_of(request)).name


def _refused(request: HttpRequest, row: Component, form: EndForm | WorkForm) -> HttpResponse:
    messages.error(
        request, " ".join(f"{form[name].label}: {error}" for name, some in form.errors.items() for error in some)
    )
    return redirect("component", name=row.name)


def _done(request: HttpRequest, row: Component, do: Callable[[], None], said: str) -> HttpResponse:
    """Back to the component, with what came of it on top."""
    try:
        do()
    except AlertsError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("component", name=row.name)
