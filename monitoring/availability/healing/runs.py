"""Moves runs of hooks from proposal to outcome; each step stands in the run's history.

1. A cause that lasts makes one run: proposed where a person must approve it, else approved.
2. What is well again before it was sent, and what nobody approved in time, runs out: nothing is sent.
3. Approved runs are queued in the outbox as the hook's rate allows; a dry run says so and is done.
4. The receiver calls back what became of it. Without that it has succeeded when it is well again, failed when the
   receiver refused it, and runs out after `answer_within_s`; what still waits to be sent then is not sent any more.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.urls import reverse

from fleetledger.web.words import plural
from monitoring.alerts import outbox
from monitoring.alerts.message import Body
from monitoring.alerts.models import ChannelKind, Destination, MessageKind, MessageState, OutboxMessage
from monitoring.availability.healing import causes
from monitoring.availability.healing.causes import Cause, Tiles
from monitoring.availability.models import HealingEntry, HealingHook, HealingRun, HealingState

KEY = "availability.healing"
HOUR = timedelta(hours=1)
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtext(%s))"


@transaction.atomic
def follow(now: datetime) -> str:
    """One process at a time; any may do it twice."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [KEY])
        if not (cursor.fetchone() or (False,))[0]:
            return "Somebody else follows the hooks."
    hooks = list(HealingHook.objects.filter(removed_at=None).select_related("component"))
    live = HealingRun.objects.filter(ended_at=None).exists()
    if not hooks and not live:
        return "There are no hooks."
    tiles = causes.tiles_now(now)
    proposed = sum(_propose(hook, cause, now) for hook in hooks for cause in causes.of_hook(hook, tiles, now))
    rows = HealingRun.objects.select_for_update(of=("self",)).filter(ended_at=None)
    moved = [_move(run, tiles, now) for run in rows.select_related("hook", "episode").order_by("pk")]
    return f"{plural(proposed, 'new run')}, {plural(sum(moved), 'run')} moved."


def note(run: HealingRun, text: str, now: datetime, actor: str = "") -> None:
    """One line of its history."""
    HealingEntry.objects.create(run=run, at=now, text=text.replace("\x00", "")[:4000], actor=actor[:200])


def end(run: HealingRun, state: HealingState, result: str, now: datetime, actor: str = "") -> bool:
    """Within the caller's transaction that holds the row."""
    run.state, run.ended_at, run.result, run.held_for = state, now, result.replace("\x00", "")[:4000], ""
    run.save(update_fields=["state", "ended_at", "result", "held_for"])
    note(run, f"{HealingState(state).label}: {result}" if result else str(HealingState(state).label), now, actor)
    return True


def key_of(run: HealingRun) -> str:
    """By which its message is found in the outbox."""
    return f"healing:{run.key}"


def _propose(hook: HealingHook, cause: Cause, now: datetime) -> bool:
    state = HealingState.PROPOSED if hook.needs_approval else HealingState.APPROVED
    run, is_new = HealingRun.objects.get_or_create(
        hook=hook,
        cause=cause.ref,
        defaults={
            "episode_id": cause.episode_id,
            "evidence": cause.evidence,
            "state": state,
            "is_dry_run": hook.is_dry_run,
            "proposed_at": now,
            "decided_at": None if hook.needs_approval else now,
        },
    )
    if is_new:
        note(run, "Proposed" if hook.needs_approval else "Begun: this hook needs no approval", now)
    return is_new


def _move(run: HealingRun, tiles: Tiles, now: datetime) -> bool:
    if run.state == HealingState.SENT:
        return _watch(run, causes.is_over(run, tiles), now)
    if causes.is_over(run, tiles):
        return end(run, HealingState.EXPIRED, "It is well again, so nothing was sent.", now)
    if run.hook.removed_at is not None:
        return end(run, HealingState.EXPIRED, "The hook was removed, so nothing was sent.", now)
    if run.state == HealingState.PROPOSED:
        until = run.proposed_at + timedelta(seconds=run.hook.approve_within_s)
        return until <= now and end(run, HealingState.EXPIRED, "Nobody approved it in time.", now)
    return _send(run, now)


def _send(run: HealingRun, now: datetime) -> bool:
    if run.is_dry_run:
        return end(run, HealingState.SUCCEEDED, "A dry run: nothing was sent.", now)
    held = _held_for(run.hook, now)
    if held:
        if held != run.held_for:
            run.held_for = held
            run.save(update_fields=["held_for"])
            note(run, held, now)
        return False
    outbox.enqueue_pages([_message(run, now)])
    run.state, run.sent_at, run.held_for = HealingState.SENT, now, ""
    run.save(update_fields=["state", "sent_at", "held_for"])
    note(run, "Queued for the receiver", now)
    return True


def _held_for(hook: HealingHook, now: datetime) -> str:
    """Why it may not be sent yet; empty: it may."""
    sent = HealingRun.objects.filter(hook=hook, sent_at__gt=now - HOUR).order_by("sent_at")
    times = list(sent.values_list("sent_at", flat=True))
    if len(times) < hook.most_per_hour or times[0] is None:
        return ""
    free_at = times[len(times) - hook.most_per_hour]
    assert free_at is not None  # noqa: S101 filtered by it
    return f"Waits: {plural(len(times), 'run')} within the last hour. The next may go at {free_at + HOUR:%H:%M:%S} UTC."


def _message(run: HealingRun, now: datetime) -> OutboxMessage:
    hook = run.hook
    place, _ = Destination.objects.update_or_create(
        outside=f"healing:{hook.pk}",
        defaults={
            "receiver": f"healing {hook.name}"[:200],
            "kind": ChannelKind.WEBHOOK,
            "config": {**hook.webhook, "secret": hook.secret},
            "removed_at": None,
        },
    )
    return OutboxMessage(
        team_id=hook.team_id,
        destination=place,
        kind=MessageKind.NOTICE,
        dedupe_key=key_of(run),
        body=Body(note=f"Heal: {hook.name}.", group_key=run.cause, group_labels=_facts(run)).packed(),
        created_at=now,
        due_at=now,
    )


def _facts(run: HealingRun) -> Mapping[str, Any]:
    address = reverse("healing-callback", args=[run.key])
    return {
        "event": "heal",
        "hook": run.hook.name,
        "run": str(run.key),
        "callback_url": f"{settings.BASE_URL.rstrip('/')}{address}",
        **{f"evidence_{name}": _text(value) for name, value in run.evidence.items()},
    }


def _text(value: Any) -> str:
    return ",".join(f"{name}={item}" for name, item in sorted(value.items())) if isinstance(value, dict) else str(value)


def _watch(run: HealingRun, is_well: bool, now: datetime) -> bool:  # noqa: FBT001 one word for what was looked at
    """What became of it, as far as we see it ourselves."""
    told = OutboxMessage.objects.filter(dedupe_key=key_of(run)).first()
    if told is not None and told.state == MessageState.SENT and run.told_at is None:
        run.told_at = told.finished_at
        run.save(update_fields=["told_at"])
        note(run, "The receiver took it", now)
    if told is not None and told.state == MessageState.DEAD:
        return end(run, HealingState.FAILED, f"The receiver refused it: {told.last_error}", now)
    if is_well and run.told_at is not None:
        seconds = int((now - run.told_at).total_seconds())
        return end(run, HealingState.SUCCEEDED, f"It is well again, {seconds} s after the call.", now)
    begun_at = run.sent_at or run.proposed_at
    if is_well or begun_at + timedelta(seconds=run.hook.answer_within_s) <= now:
        _take_back(run, now)
        why = "It is well again without the call." if is_well else "The receiver did not say in time what became of it."
        return end(run, HealingState.EXPIRED, why, now)
    return False


def _take_back(run: HealingRun, now: datetime) -> None:
    """What was not delivered yet is not to be delivered any more; one that is on its way may still arrive."""
    waiting = OutboxMessage.objects.filter(dedupe_key=key_of(run), state=MessageState.QUEUED)
    waiting.update(state=MessageState.DROPPED, finished_at=now, lease_until=None)
