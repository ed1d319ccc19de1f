"""The settings about how a person is reached: contact methods, rules, quiet hours."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from fleetledger.fleet.models import User
from fleetledger.web.accounts.callers import person_of
from monitoring.alerts import clock
from monitoring.alerts.contacts import methods, preferences, reads, trials
from monitoring.alerts.contacts.entries import KEYS, LABELS
from monitoring.alerts.contacts.forms import MethodForm, QuietForm, RuleForm
from monitoring.alerts.contacts.preferences import WEEK, Rule
from monitoring.alerts.errors import AlertsError
from monitoring.alerts.models import ChannelKind

PAGE = "settings-notifications"
MOST_CODE = 100


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def notifications(request: HttpRequest) -> HttpResponse:
    """How one is reached; a POST adds a contact method and sends the code to it."""
    person = person_of(request)
    kind = _kind(request)
    initial = {"to": person.email} if kind == ChannelKind.EMAIL else {}
    form = MethodForm(request.POST or None, kind=kind, initial=initial)
    if request.method == "POST" and form.is_valid() and _added(request, person, form):
        return redirect(PAGE)
    return _page(request, person, {"form": form, "kind": kind})


@require_POST
def act(request: HttpRequest, method_id: int, action: str) -> HttpResponse:
    """What is done with one contact method."""
    acts: dict[str, Callable[[HttpRequest, User, int], None]] = {
        "code": _send_code,
        "verify": _verify,
        "test": _send_test,
        "remove": _remove,
        "up": lambda request, person, pk: _move(request, person, pk, -1),
        "down": lambda request, person, pk: _move(request, person, pk, 1),
    }
    if action not in acts:
        raise Http404("There is no such act.")
    try:
        acts[action](request, person_of(request), method_id)
    except AlertsError as error:
        messages.error(request, str(error))
    return redirect(PAGE)


@require_POST
def rules(request: HttpRequest, action: str) -> HttpResponse:
    """Add a rule, remove one, or have none of one's own."""
    person = person_of(request)
    known = reads.settings_of(person, clock.now())
    own = [Rule(rule.method_id, rule.after_s) for rule in known.rules] if known.has_own_rules else []
    form = RuleForm(request.POST, methods=known.methods)
    if action == "reset":
        wanted: list[Rule] = []
    elif action not in ("add", "remove"):
        raise Http404("There is no such act.")
    elif not form.is_valid():
        return _page(request, person, {"rule_form": form})
    else:
        named = Rule(form.cleaned_data["method"], form.cleaned_data["after"] * 60)
        wanted = [*own, named] if action == "add" else [rule for rule in own if rule != named]
    try:
        preferences.set_rules(person, wanted)
    except AlertsError as error:
        messages.error(request, str(error))
    return redirect(PAGE)


@require_POST
def quiet(request: HttpRequest) -> HttpResponse:
    """Set quiet hours, or have none."""
    person = person_of(request)
    if "clear" in request.POST:
        preferences.clear_quiet(person)
        messages.success(request, "No quiet hours: every page reaches you at once.")
        return redirect(PAGE)
    form = QuietForm(request.POST)
    if form.is_valid():
        try:
            preferences.set_quiet(person, form.quiet())
        except AlertsError as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, "Saved. Critical alerts page you all the same.")
            return redirect(PAGE)
    return _page(request, person, {"quiet_form": form})


def _page(request: HttpRequest, person: User, words: dict[str, Any]) -> HttpResponse:
    known = reads.settings_of(person, clock.now())
    quiet_hours = known.quiet or reads.Quiet(preferences.USUAL_FROM, preferences.USUAL_UNTIL, WEEK)
    initial = {
        "from_time": quiet_hours.from_time,
        "until_time": quiet_hours.until_time,
        "days": [str(day) for day in quiet_hours.days],
    }
    shown = {
        "form": MethodForm(kind=ChannelKind.EMAIL, initial={"to": person.email}),
        "kind": ChannelKind.EMAIL.value,
        "kinds": LABELS.items(),
        "known": known,
        "rule_form": RuleForm(methods=known.methods),
        "quiet_form": QuietForm(initial=initial),
        "most_a_day": trials.MOST_A_DAY,
        "tab": "notifications",
    }
    status = 200 if request.method != "POST" else 422
    return render(request, "alerts/notifications.html", shown | words, status=status)


def _kind(request: HttpRequest) -> str:
    kind = request.POST.get("kind", "") or request.GET.get("kind", "")
    return kind if kind in KEYS else ChannelKind.EMAIL.value


def _added(request: HttpRequest, person: User, form: MethodForm) -> bool:
    """Whether it was stored; the refusal stands on the form."""
    try:
        made = methods.add(person, form.kind, form.given(), form.cleaned_data["label"])
    except AlertsError as error:
        key = getattr(error, "key", "")
        form.add_error(key if key in form.fields else None, str(error))
        return False
    try:
        _send_code(request, person, made.pk)
    except AlertsError as error:
        messages.warning(request, f"'{made.label}' is added. {error}")
    return True


def _send_code(request: HttpRequest, person: User, method_id: int) -> None:
    done = trials.send_code(person, method_id)
    if done.is_delivered:
        messages.success(request, "A code is on its way. Type it here within 15 minutes.")
    else:
        messages.error(request, f"The code could not be sent. {done.answer}")


def _verify(request: HttpRequest, person: User, method_id: int) -> None:
    done = trials.confirm(person, method_id, request.POST.get("code", "")[:MOST_CODE])
    messages.success(request, f"'{done.label}' is verified: pages may use it from now on.")


def _send_test(request: HttpRequest, person: User, method_id: int) -> None:
    done = trials.send_test(person, method_id)
    if done.is_delivered:
        messages.success(request, f"The test was taken. {done.answer}")
    else:
        messages.error(request, f"The test was not taken. {done.answer}")


def _remove(request: HttpRequest, person: User, method_id: int) -> None:
    label = methods.own(person, method_id).label
    methods.remove(person, method_id)
    messages.success(request, f"'{label}' is removed: no page uses it any more.")


def _move(request: HttpRequest, person: User, method_id: int, by: int) -> None:  # noqa: ARG001 the acts' signature
    order = [row.pk for row in methods.live(person)]
    if method_id not in order:
        methods.own(person, method_id)
        return
    at = order.index(method_id)
    to = min(max(at + by, 0), len(order) - 1)
    order.insert(to, order.pop(at))
    methods.reorder(person, order)
