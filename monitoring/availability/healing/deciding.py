"""What people and receivers say about runs: approved, refused, and what became of it."""

import json
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.crypto import constant_time_compare

from fleetledger.fleet.access import Principal
from fleetledger.fleet.models import User
from fleetledger.fleet.sealing import SealError
from fleetledger.fleet.secrets import SecretError, resolve
from monitoring.alerts import clock
from monitoring.alerts.acting import actor
from monitoring.alerts.channels.webhook import signature
from monitoring.availability.healing import runs
from monitoring.availability.healing.errors import CallbackError, DecidedError, HealingError, OnlyPeopleError
from monitoring.availability.models import HealingRun, HealingState

OUTCOMES = {"succeeded": HealingState.SUCCEEDED, "failed": HealingState.FAILED}
SKEW_S = 300
MAX_BODY = 10_000


@transaction.atomic
def decide(run_id: int, principal: Principal, *, is_approved: bool) -> HealingRun:
    """By a person, once. Raises OnlyPeopleError and DecidedError; whether they may is the caller's to look."""
    if not isinstance(principal, User):
        raise OnlyPeopleError
    run = HealingRun.objects.select_for_update(of=("self",)).select_related("hook").get(pk=run_id)
    if run.state != HealingState.PROPOSED:
        raise DecidedError(HealingState(run.state).label.lower(), run.decided_by)
    now, name = clock.now(), actor(principal).name
    run.decided_at, run.decided_by = now, name[:200]
    if is_approved:
        run.state = HealingState.APPROVED
        run.save(update_fields=["state", "decided_at", "decided_by"])
        runs.note(run, "Approved", now, name)
    else:
        run.save(update_fields=["decided_at", "decided_by"])
        runs.end(run, HealingState.REFUSED, "", now, name)
    return run


@transaction.atomic
def call_back(key: UUID, body: bytes, signed: str) -> HealingRun:
    """The receiver says {"run": KEY, "outcome": "succeeded" | "failed", "message": TEXT}, signed as it was called.

    It names the run, so that what was signed for one run says nothing of another. The same outcome may be said again.
    Raises CallbackError, HealingError and DecidedError.
    """
    run = HealingRun.objects.select_for_update(of=("self",)).select_related("hook").filter(key=key).first()
    if run is None or not _is_signed(run, body, signed):
        raise CallbackError("No run has this address, or the signature does not fit.")
    outcome, message = _said(body, key)
    state = OUTCOMES[outcome]
    if run.state == state:
        return run
    if run.state != HealingState.SENT:
        raise DecidedError(HealingState(run.state).label.lower(), "")
    runs.end(run, state, message, clock.now(), f"receiver of {run.hook.name}")
    return run


def _is_signed(run: HealingRun, body: bytes, signed: str) -> bool:
    """`t=SECONDS,v1=HEX` as our webhooks have it, not older than five minutes."""
    stamp = signed.partition(",")[0].removeprefix("t=")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 12):  # noqa: PLR2004 seconds for 3000 years
        return False
    try:
        secret = resolve(run.hook.secret)
    except (SecretError, SealError):
        return False
    is_fresh = (
        abs(time.time() - int(stamp)) <= SKEW_S
    )  # the receiver's clock against this machine's, not the database's
    return is_fresh and constant_time_compare(signature(secret, body, int(stamp)), signed)


def _said(body: bytes, key: UUID) -> tuple[str, str]:
    try:
        document: Any = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, Mapping) or not _is_known(document.get("outcome")) or document.get("run") != str(key):
        sentence = 'Send {"run": KEY, "outcome": "succeeded" or "failed"}, with the "run" of the call that it is about.'
        raise HealingError(sentence)
    message = document.get("message", "")
    return document["outcome"], message if isinstance(message, str) else ""


def _is_known(outcome: Any) -> bool:
    return isinstance(outcome, str) and outcome in OUTCOMES
