"""Takes callbacks of the other side: signed with the webhook's secret, fresh, and each counted once.

Each names the key that its webhook brought, so that what was signed for one mitigation says nothing of another.
"""

import hmac
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction

from drift.mitigation import acts
from drift.mitigation.acts import MAX_NOTE, Move
from drift.mitigation.errors import BadCallbackError, BadSignatureError
from drift.models import Mitigation, MitigationState, Model
from drift.reviews.verdicts import Person
from fleetledger.fleet import secrets
from fleetledger.fleet.errors import FleetError
from monitoring.alerts import clock
from monitoring.alerts.channels.webhook import signature

FRESH = timedelta(minutes=5)
MOST_BYTES = 64_000
MAX_LINK = 500
STATES = (MitigationState.RUNNING, MitigationState.SUCCEEDED, MitigationState.FAILED)
OTHER_SIDE = Person("callback")
_SIGNED = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})", re.ASCII)
_LINK = re.compile(r"https?://[!-~]+")


def receive(key: UUID, signed: str, body: bytes) -> tuple[Mitigation, bool]:
    """The mitigation, and whether this callback is new. Raises DriftError; an unknown key is a bad signature."""
    row = Mitigation.objects.select_related("finding__model").filter(key=key).first()
    nonce = _checked(row.finding.model, signed, body) if row is not None else ""
    if row is None or not nonce:
        raise BadSignatureError
    wanted = _move(body, nonce, key)
    with transaction.atomic():
        held = acts.locked(row.pk)
        if held.steps.filter(nonce=nonce).exists():
            return held, False
        acts.move(held, wanted, OTHER_SIDE)
    return held, True


def _checked(model: Model, signed: str, body: bytes) -> str:
    """The signature as a nonce; empty where it is wrong, old, or the model has no secret."""
    reference = model.retrain_webhook.get("secret")
    found = _SIGNED.fullmatch(signed)
    if reference is None or found is None:
        return ""
    at, nonce = int(found[1]), found[2]
    try:
        secret = secrets.resolve(reference)
    except FleetError:
        return ""
    is_fresh = abs(at - clock.now().timestamp()) <= FRESH.total_seconds()
    return nonce if is_fresh and hmac.compare_digest(signature(secret, body, at), f"t={at},v1={nonce}") else ""


def _move(body: bytes, nonce: str, key: UUID) -> Move:
    try:
        data: Any = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadCallbackError from error
    if not isinstance(data, Mapping) or data.get("state") not in STATES or data.get("key") != str(key):
        raise BadCallbackError
    note, link = data.get("note", ""), data.get("link", "")
    if not _is_text(note, MAX_NOTE) or not _is_text(link, MAX_LINK) or (link and not _LINK.fullmatch(link)):
        raise BadCallbackError
    return Move(MitigationState(data["state"]), note, link, nonce)


def _is_text(value: object, most: int) -> bool:
    if not isinstance(value, str) or len(value) > most or "\x00" in value:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in value)
