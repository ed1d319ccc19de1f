"""What people do on the pages about findings: verdicts, thresholds, mitigations. Each answers with a redirect."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from drift import reads_findings, reads_mitigations
from drift.errors import DriftError
from drift.mitigation import acts
from drift.mitigation.acts import MAX_NOTE, Move
from drift.mitigation.errors import NoSuchMitigationError
from drift.models import Finding, MitigationKind, MitigationState, Review, Step, Verdict
from drift.reviews import thresholds, verdicts
from drift.reviews.errors import NoSuchFindingError
from drift.reviews.permissions import check_may_review
from drift.reviews.verdicts import Opinion
from fleetledger.fleet.access import teams_visible_to
from fleetledger.lib.numbers import whole

DONE = {
    Step.DECIDED: "Decided.",
    Step.PROPOSED: "Proposed. A second person confirms it.",
    Step.CONFIRMED: "Confirmed. It is decided.",
    Step.DISAGREED: "You disagree: it is back in the queue.",
}
MOVES = frozenset(MitigationState.values) - {MitigationState.PROPOSED, MitigationState.SENT}


@require_POST
def review(request: HttpRequest, finding_id: int) -> HttpResponseBase:
    """Give a verdict."""
    row = _finding(request, finding_id)
    verdict = request.POST.get("verdict", "")
    if verdict not in Verdict.values:
        messages.error(request, "Choose a verdict: real drift, data bug, expected or false alarm.")
        return _back(request, finding_id)
    opinion = Opinion(Verdict(verdict), _text(request, "comment"), _after(request))

    def decide() -> str:
        made: Review = verdicts.decide(row.pk, opinion, verdicts.person(request.user))
        return DONE[Step(made.step)]

    return _acted(request, finding_id, decide)


@require_POST
def threshold(request: HttpRequest, finding_id: int) -> HttpResponseBase:
    """Accept what false alarms suggest."""
    row = _finding(request, finding_id)
    column = _text(request, "column")

    def accept() -> str:
        reason = f"Suggested by false alarms, accepted at finding {row.pk}."
        made = thresholds.accept(row.model_id, column, verdicts.person(request.user), reason=reason)
        return f"From now on {column} drifts from {made.after:.3g}."

    return _acted(request, finding_id, accept)


@require_POST
def propose(request: HttpRequest, finding_id: int) -> HttpResponseBase:
    """Propose a mitigation."""
    row = _finding(request, finding_id)
    kind = request.POST.get("kind", "")
    if kind not in MitigationKind.values:
        messages.error(request, "Choose what is to be done.")
        return _back(request, finding_id)

    def act() -> str:
        acts.propose(row, MitigationKind(kind), _text(request, "note"), verdicts.person(request.user))
        return "Proposed. It begins when somebody approves it."

    return _acted(request, finding_id, act)


@require_POST
def move(request: HttpRequest, mitigation_id: int) -> HttpResponseBase:
    """Approve a mitigation, say how it goes, or cancel it."""
    try:
        row = reads_mitigations.stored(mitigation_id, teams=teams_visible_to(request.user))
    except NoSuchMitigationError as error:
        raise Http404(str(error)) from error
    check_may_review(request.user, row.finding.model)
    state = request.POST.get("state", "")
    if state not in MOVES:
        raise PermissionDenied("This is no step of a mitigation.")

    def act() -> str:
        wanted = Move(MitigationState(state), _text(request, "note"))
        return f"It is {acts.change(row.pk, wanted, verdicts.person(request.user)).get_state_display().lower()}."

    return _acted(request, row.finding_id, act)


def _finding(request: HttpRequest, finding_id: int) -> Finding:
    """One that the person may decide about."""
    try:
        row = reads_findings.stored(finding_id, teams=teams_visible_to(request.user))
    except NoSuchFindingError as error:
        raise Http404(str(error)) from error
    check_may_review(request.user, row.model)
    return row


def _acted(request: HttpRequest, finding_id: int, act: Callable[[], str]) -> HttpResponseBase:
    try:
        messages.success(request, act())
    except DriftError as error:
        messages.error(request, str(error))
    return _back(request, finding_id)


def _back(request: HttpRequest, finding_id: int) -> HttpResponseBase:
    path = request.POST.get("next", "")
    is_ours = path.startswith("/") and url_has_allowed_host_and_scheme(path, allowed_hosts=None)
    return redirect(path) if is_ours else redirect("drift-finding", finding_id)


def _text(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\x00", "")[: MAX_NOTE + 1]


def _after(request: HttpRequest) -> int | None:
    return whole(request.POST.get("after", ""), None)
