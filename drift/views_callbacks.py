"""Takes what the other side of a mitigation's webhook says of its run."""

from uuid import UUID

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from drift.errors import DriftError
from drift.mitigation import callbacks
from fleetledger.rest.problems import problem
from monitoring.alerts.channels.webhook import SIGNATURE


@csrf_exempt
@login_not_required
@require_POST
def callback(request: HttpRequest, key: UUID) -> HttpResponse:
    """POST /drift/callbacks/{key}: 200 also where the same callback came before."""
    if int(request.META.get("CONTENT_LENGTH") or 0) > callbacks.MOST_BYTES:
        return problem(413, f"A callback has at most {callbacks.MOST_BYTES} bytes.")
    try:
        row, is_new = callbacks.receive(key, request.headers.get(SIGNATURE, ""), request.body)
    except DriftError as error:
        return problem(error.http_status, str(error))
    answer = JsonResponse({"mitigation": row.pk, "state": row.state, "known": not is_new})
    answer["Cache-Control"] = "no-store"
    return answer
