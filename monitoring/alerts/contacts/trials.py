"""Tries a contact method by a message: with a code that its owner types to prove that it is theirs, or as a test.

1. At most one a minute and ten a day for each person, whatever method they go to and whether it is still there.
2. The row is written before the first byte; of the code only a keyed digest is kept, and nothing that a receiver
   echoes of it is shown.
3. A code is good for 15 minutes and five answers, and only the newest of a method counts.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils.crypto import constant_time_compare, salted_hmac

from fleetledger.fleet.models import User
from monitoring.alerts import clock, dispatch
from monitoring.alerts.channels import Outcome, Verdict
from monitoring.alerts.contacts import methods
from monitoring.alerts.contacts.errors import ContactError, TooSoonError
from monitoring.alerts.errors import ConflictError
from monitoring.alerts.labels import ALERT_NAME, fingerprint
from monitoring.alerts.message import FIRING, AlertLine, Message
from monitoring.alerts.models import ContactMethod, ContactTrial, Destination, MessageKind

DIGITS = 6
GOOD_FOR = timedelta(minutes=15)
MOST_ANSWERS = 5
APART = timedelta(minutes=1)
MOST_A_DAY = 10
VERIFICATION = "verification"
SALT = "monitoring.alerts.contacts.trials"
_DAY = timedelta(days=1)
_TEST = {ALERT_NAME: "FleetledgerTest", "severity": "none"}


@dataclass(frozen=True, slots=True)
class Trial:
    """What became of one; `answer`: what the receiver said, in words."""

    is_delivered: bool
    answer: str


def send_code(person: User, method_id: int) -> Trial:
    """Send a fresh code; the one before it is good no more. Raises TooSoonError, ConflictError, UnknownMethodError."""
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
    method, trial = _begin(person, method_id, code)
    minutes = int(GOOD_FOR.total_seconds() // 60)
    note = (
        f"{code} is the code for your contact method '{method.label}'. It is good for {minutes} minutes. "
        "Whoever did not ask for it may ignore this message."
    )
    return _told(trial, method, _message(method, VERIFICATION, note), code)


def send_test(person: User, method_id: int) -> Trial:
    """A page that says that it is a test, to a verified method. Raises as `send_code`."""
    method, trial = _begin(person, method_id)
    now = trial.sent_at
    summary = {"summary": "This is a test of how you are paged. Nothing is wrong."}
    line = AlertLine(0, 0, fingerprint(_TEST), FIRING, _TEST, summary, starts_at=now)
    note = f"A test of your contact method '{method.label}'."
    return _told(trial, method, _message(method, MessageKind.TEST, note, (line,)))


def confirm(person: User, method_id: int, code: str) -> ContactMethod:
    """The method is verified from now on. Raises ContactError with what is wrong about the code."""
    with transaction.atomic():
        methods.hold(person)
        method = methods.own(person, method_id)
        now = clock.now()
        problem = "" if method.verified_at else _problem(method, code, now)
        if not problem and not method.verified_at:
            method.verified_at = now
            method.save(update_fields=["verified_at"])
    if problem:  # the answer was counted, and stays so
        raise ContactError(problem, "code")
    return method


def _begin(person: User, method_id: int, code: str = "") -> tuple[ContactMethod, ContactTrial]:
    with transaction.atomic():
        methods.hold(person)
        method = methods.own(person, method_id)
        if code and method.verified_at:
            raise ConflictError(f"'{method.label}' is verified already.")
        if not code and not method.verified_at:
            raise ConflictError(f"'{method.label}' is not verified. Send a code first.")
        now = clock.now()
        _check_pace(person, now)
        digest = _digest(method, code) if code else ""
        return method, ContactTrial.objects.create(method=method, digest=digest, sent_at=now)


def _check_pace(person: User, now: datetime) -> None:
    rows = ContactTrial.objects.filter(method__user=person, sent_at__gt=now - _DAY).order_by("-sent_at")
    sent = list(rows.values_list("sent_at", flat=True)[:MOST_A_DAY])
    if sent and sent[0] > now - APART:
        raise TooSoonError(sent[0] + APART - now, MOST_A_DAY)
    if len(sent) >= MOST_A_DAY:
        raise TooSoonError(sent[-1] + _DAY - now, MOST_A_DAY)


def _told(trial: ContactTrial, method: ContactMethod, message: Message, code: str = "") -> Trial:
    outcome: Outcome = dispatch.tell(method.kind, method.config, message, is_personal=True)
    answer = outcome.answer.replace(code, dispatch.REDACTED) if code else outcome.answer
    trial.is_delivered, trial.told = outcome.verdict is Verdict.DELIVERED, answer
    trial.save(update_fields=["is_delivered", "told"])
    return Trial(trial.is_delivered, answer)


def _message(method: ContactMethod, kind: str, note: str, lines: tuple[AlertLine, ...] = ()) -> Message:
    destination = Destination.objects.get(contact=method)
    return Message(
        key=uuid4(),
        kind=kind,
        tenant="platform",
        receiver=method.user.username,
        group_key="",
        group_labels={},
        alerts=lines,
        note=note,
        external_url=settings.BASE_URL.rstrip("/"),
        destination_id=destination.pk,
    )


def _problem(method: ContactMethod, code: str, now: datetime) -> str:
    """What is wrong with an answer, which is counted; empty: it is right."""
    trial = ContactTrial.objects.filter(method=method).exclude(digest="").order_by("-sent_at", "-pk").first()
    if trial is None:
        return "No code was sent yet. Send one first."
    if trial.sent_at + GOOD_FOR <= now:
        return "That code has run out. Send a new one."
    if trial.tries >= MOST_ANSWERS:
        return "That code was answered wrongly too often. Send a new one."
    ContactTrial.objects.filter(pk=trial.pk).update(tries=F("tries") + 1)
    digits = "".join(code.split())[: DIGITS * 2]
    if constant_time_compare(trial.digest, _digest(method, digits)):
        return ""
    left = MOST_ANSWERS - trial.tries - 1
    return (
        f"That is not the code. {left} {'try' if left == 1 else 'tries'} left."
        if left
        else ("That is not the code, and it is good no more. Send a new one.")
    )


def _digest(method: ContactMethod, code: str) -> str:
    return salted_hmac(SALT, f"{method.pk}:{code}", algorithm="sha256").hexdigest()
