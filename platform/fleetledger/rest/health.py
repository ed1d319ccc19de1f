"""Answers load balancers and Prometheus before any session, database or sign-in is needed."""

import time
from collections.abc import Callable

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from fleetledger.rest import metrics, readiness

Next = Callable[[HttpRequest], HttpResponse]


class HealthMiddleware:
    """/healthz (this process), /readyz (database, migrations, broker), /metrics; counts everything else."""

    def __init__(self, get_response: Next) -> None:
        self._next = get_response
        self._answers = {"/healthz": _healthz, "/readyz": _readyz, "/metrics": _metrics}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = self._answers.get(request.path_info)
        if answer is not None:
            response = answer(request) if request.method in ("GET", "HEAD") else HttpResponse(status=405)
            response["Cache-Control"] = "no-store"
            response["X-Fleetledger-Instance"] = settings.INSTANCE
            return response
        started = time.perf_counter()
        response = self._next(request)
        metrics.count_request(request, response.status_code, time.perf_counter() - started)
        return response


def _healthz(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


def _readyz(_request: HttpRequest) -> HttpResponse:
    findings = readiness.findings()
    is_ready = all(finding.is_ok for finding in findings)
    body = {"ready": is_ready, "checks": findings}
    return HttpResponse(orjson.dumps(body), content_type="application/json", status=200 if is_ready else 503)


def _metrics(_request: HttpRequest) -> HttpResponse:
    return HttpResponse(metrics.exposition(), content_type=CONTENT_TYPE_PLAIN_0_0_4)
