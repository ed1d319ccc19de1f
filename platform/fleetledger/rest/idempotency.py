"""Lets a client repeat a change safely: the same Idempotency-Key is done once and answered the same."""

import hashlib
from collections.abc import Callable
from datetime import timedelta

import orjson
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from fleetledger.fleet.models import IdempotencyKey
from fleetledger.rest.auth import caller_key
from fleetledger.rest.problems import ConflictError, ProblemError
from fleetledger.rest.renderers import dumps

HEADER = "Idempotency-Key"
KEPT_FOR = timedelta(hours=24)
MAX_KEY = 255


def once(request: Request, fingerprint: str, do: Callable[[], Response]) -> Response:
    """`do()` and its answer, or the first answer where this caller sent the same key before.

    `fingerprint` says what is asked (a file's digest, the parameters): another one under the same key is refused.
    A change that fails frees its key, so that the client may try again.
    """
    key = request.headers.get(HEADER, "")
    if not key:
        return do()
    if len(key) > MAX_KEY or not key.isascii() or not key.isprintable():
        raise ProblemError(f"'{HEADER}' has at most {MAX_KEY} printable ASCII characters.", status=400)
    known = f"{request.method} {request.path}\n{fingerprint}"
    digest = hashlib.sha256(known.encode()).hexdigest()
    row, is_new = _claim(caller_key(request), key, digest)
    if not is_new:
        return _repeated(row, digest)
    try:
        answer = do()
    except BaseException:
        row.delete()
        raise
    row.status, row.body = answer.status_code, orjson.loads(dumps(answer.data))
    row.save(update_fields=["status", "body"])
    return answer


def _claim(principal: str, key: str, digest: str) -> tuple[IdempotencyKey, bool]:
    """The key's row and whether this request made it; keys of yesterday are forgotten first."""
    IdempotencyKey.objects.filter(principal=principal, created_at__lt=timezone.now() - KEPT_FOR).delete()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(principal=principal, key=key, fingerprint=digest), True
    except IntegrityError:
        return IdempotencyKey.objects.get(principal=principal, key=key), False


def _repeated(row: IdempotencyKey, digest: str) -> Response:
    if row.fingerprint != digest:
        raise ProblemError(f"This {HEADER} was sent with another request. Take a new key for each request.")
    if row.status is None:
        raise ConflictError("The first request with this key is still at work. Ask again in a moment.")
    response = Response(row.body, status=row.status)
    response["Idempotency-Replayed"] = "true"
    return response
