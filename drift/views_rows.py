"""Takes rows from people, and what they decide about a reference."""

from typing import IO

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from drift import reads, reads_native
from drift.errors import BadWindowError, DataTooLargeError, DriftError
from drift.ingest import Sender
from drift.models import Model, ReferenceState, WindowState
from drift.native import references, windows
from drift.reviews.permissions import check_may_review
from drift.sending import may_send
from drift.windows import ReportWindow, parse_window
from fleetledger.fleet.access import teams_visible_to
from fleetledger.fleet.models import User
from monitoring.alerts.acting import actor

REFERENCE, WINDOW = "reference", "window"


class WindowFieldsError(DriftError):
    """The two fields of the form say no window."""

    def __init__(self, start: str, end: str) -> None:
        super().__init__(
            f"A window ends after it begins: {start[:30]} to {end[:30]} does not. Change one of them."
            if start and end
            else "Say from when until when the rows of a window are."
        )


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """Send rows: a reference, or a window to compare with it."""
    if request.method == "POST":
        done = _receive(request)
        if done is not None:
            return done
    asked = request.POST if request.method == "POST" else request.GET
    kind = asked.get("kind", REFERENCE)
    context = {
        "models": _sendable_models(request),
        "model": asked.get("model", ""),
        "kind": kind if kind in (REFERENCE, WINDOW) else REFERENCE,
        "start": asked.get("from", ""),
        "end": asked.get("to", ""),
        "is_partial": asked.get("complete", "yes") == "no",
        "note": _typed(request, "note"),
        "limit_mb": settings.DRIFT_DATA_MAX_BYTES // 1_000_000,
        "has_models": bool(reads.sendable(teams=teams_visible_to(request.user))),
    }
    return render(request, "drift/data_new.html", context)


def _receive(request: HttpRequest) -> HttpResponseBase | None:
    """Store the uploaded rows; None after a refusal, which the page then tells."""
    upload = request.FILES.get("file")
    model = _sendable(request, request.POST.get("model", ""))
    if model is None or not isinstance(upload, UploadedFile) or upload.file is None:
        messages.error(request, "Choose a model of yours and a file first.")
        return None
    try:
        if (upload.size or 0) > settings.DRIFT_DATA_MAX_BYTES:
            raise DataTooLargeError(settings.DRIFT_DATA_MAX_BYTES)
        take = _take_window if request.POST.get("kind") == WINDOW else _take_reference
        return redirect(take(request, model, upload.file, upload.name or "rows"))
    except DriftError as error:
        messages.error(request, str(error))
        return None


def _take_reference(request: HttpRequest, model: Model, stream: IO[bytes], name: str) -> str:
    """Gives the address of its page."""
    made = references.receive(model, stream, name=name, note=_typed(request, "note"), sender=_sender(request))
    if made.state != ReferenceState.WAITING:
        messages.info(request, f"The same rows are reference {made.version} already: nothing changed.")
    return reverse("drift-reference", args=[made.pk])


def _take_window(request: HttpRequest, model: Model, stream: IO[bytes], name: str) -> str:
    """Gives the address of the page that follows it."""
    is_complete = request.POST.get("complete", "yes") != "no"
    made = windows.receive(model, stream, _window(request), name=name, is_complete=is_complete, sender=_sender(request))
    if made.state != WindowState.WAITING:
        messages.info(request, "The same rows of this window were here before: nothing changed.")
    return f"{reverse('drift-windows', args=[model.name])}?sent={made.pk}"


def _window(request: HttpRequest) -> ReportWindow:
    start, end = request.POST.get("from", "").strip(), request.POST.get("to", "").strip()
    try:
        return parse_window(f"{start}/{end}")
    except BadWindowError as error:
        raise WindowFieldsError(start, end) from error


@require_POST
def decide(request: HttpRequest, reference_id: int) -> HttpResponseBase:
    """Accept a proposed version, or refuse it."""
    teams = teams_visible_to(request.user)
    row = reads_native.reference(reference_id, teams=teams)
    model = reads.stored(row.model, teams=teams) if row is not None else None
    if row is None or model is None:
        raise Http404("There is no such reference among those you may see.")
    check_may_review(request.user, model)
    wanted = request.POST.get("decision", "")
    if wanted not in ("accept", "refuse"):
        messages.error(request, "Choose whether to accept this reference or to refuse it.")
        return redirect("drift-reference", reference_id)
    note = _typed(request, "note")
    try:
        made = references.decide(row.id, is_accepted=wanted == "accept", note=note, by=actor(request.user))
    except (DriftError, PermissionDenied) as error:
        messages.error(request, str(error))
    else:
        is_active = made.state == ReferenceState.ACTIVE
        messages.success(request, "Windows are compared with it from now on." if is_active else "It is refused.")
    return redirect("drift-reference", reference_id)


def _sendable(request: HttpRequest, name: str) -> Model | None:
    model, person = reads.stored(name, teams=teams_visible_to(request.user)), _person(request)
    return model if model is not None and person is not None and may_send(person, model.owner) else None


def _sendable_models(request: HttpRequest) -> list[Model]:
    person = _person(request)
    if person is None:
        return []
    return [one for one in reads.sendable(teams=teams_visible_to(person)) if may_send(person, one.owner)]


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _sender(request: HttpRequest) -> Sender:
    return Sender(_person(request))


def _typed(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\x00", "")[: references.MAX_NOTE + 1]
