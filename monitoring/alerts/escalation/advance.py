"""Moves the runs that are due: each in one transaction, so that a step is done as a whole and once.

1. Looked at unlocked; then the run's episodes are locked in the order of their ids, as an acknowledgement does, and
   then the run itself, unless another notifier has it.
2. Acknowledged or resolved: it ends. Withheld: the step is put off, and looked at again soon.
3. Else steps are done until one waits, and after the last of them the rounds begin again or the run is exhausted.
"""

from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError, transaction

from fleetledger.lib.durations import parse_duration
from monitoring.alerts import clock
from monitoring.alerts.escalation import conditions, pages, said, targets
from monitoring.alerts.escalation.pages import About
from monitoring.alerts.models import Alert, Episode, EventKind, Run, RunState, RunStep
from monitoring.alerts.suppression import Suppressors, suppressors

AT_ONCE = 200
HELD_S = 10.0
SHORTEST_ROUND = timedelta(minutes=1)
log = structlog.get_logger(__name__)


def next_due() -> datetime | None:
    """When the next step of any run is to be done."""
    found = Run.objects.filter(due_at__isnull=False).order_by("due_at").values_list("due_at", flat=True)
    return found.first()


def advance_due(now: datetime) -> int:
    """Move every run that is due by `now`; gives how many. Several at once are harmless."""
    of_tenant = suppressors(now)
    due = Run.objects.filter(due_at__lte=now).order_by("due_at", "pk").values_list("pk", flat=True)
    return sum(_guarded(pk, of_tenant) for pk in due[:AT_ONCE])


def _guarded(run_id: int, of_tenant: Suppressors) -> bool:
    """A run that breaks is looked at again in a moment, and holds up no other; the audit sees it."""
    try:
        return advance_one(run_id, of_tenant)
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        log.exception("alerts.run_broke", run=run_id)
        return False


@transaction.atomic
def advance_one(run_id: int, of_tenant: Suppressors) -> bool:
    """Whether this call moved the run."""
    of_run = Episode.objects.filter(pk__in=Episode.objects.filter(escalated__run=run_id).values("pk"))
    episodes = list(of_run.select_for_update(no_key=True).order_by("pk"))
    rows = Run.objects.select_for_update(skip_locked=True, of=("self",)).select_related("escalation", "group")
    run = rows.filter(pk=run_id, state=RunState.ACTIVE).first()
    now = clock.now()
    if run is None or run.due_at is None or run.due_at > now:
        return False
    open_ = [episode for episode in episodes if episode.ended_at is None]
    waiting = [episode for episode in open_ if episode.acknowledged_at is None]
    if not waiting:
        _end(run, RunState.ACKNOWLEDGED if open_ else RunState.RESOLVED, now)
    else:
        _see_to(run, open_, waiting, of_tenant, now)
    run.changed_at = now
    run.save(update_fields=["state", "step", "round", "due_at", "held_for", "changed_at"])
    return True


def _see_to(run: Run, open_: list[Episode], waiting: list[Episode], of_tenant: Suppressors, now: datetime) -> None:
    alerts = Alert.objects.in_bulk([episode.alert_id for episode in open_])
    suppressor = of_tenant(run.team_id)
    withheld = {episode.pk: suppressor.of(alerts[episode.alert_id]) for episode in open_}
    free = [(alerts[episode.alert_id], episode) for episode in open_ if not withheld[episode.pk]]
    if not any(episode.acknowledged_at is None for _, episode in free):
        _hold(run, waiting, withheld[waiting[0].pk].words, now)
        return
    if run.held_for:
        said.note(waiting, EventKind.ESCALATED, now, f"'{run.escalation.name}' goes on.", run.team_id)
        run.held_for = ""
    _go_on(About(run, free, now))


def _hold(run: Run, waiting: list[Episode], words: str, now: datetime) -> None:
    if run.held_for != words[:300]:
        said.note(waiting, EventKind.ESCALATED, now, f"'{run.escalation.name}' is put off: {words}.", run.team_id)
    run.held_for, run.due_at = words[:300], now + timedelta(seconds=HELD_S)


def _go_on(about: About) -> None:
    """Steps until one waits; at the end of a round the next, or the end."""
    run, now = about.run, about.now
    while run.step < len(run.steps):
        step = run.steps[run.step]
        reason = conditions.why_not(step, run, now)
        run.step += 1
        if reason:
            _note_step(about, f"passed over: {reason}", is_passed_over=True)
        elif "wait" in step:
            run.due_at = now + parse_duration(step["wait"])
            return
        else:
            _do(about)
    _end_round(about)


def _do(about: About) -> None:
    run = about.run
    done = RunStep.objects.create(run=run, round=run.round, step=run.step - 1, at=about.now, words="")
    found = targets.of_step(run.steps[run.step - 1], run, about.now)
    done.words = pages.tell(done, about, found)
    done.is_passed_over = bool(found.problem and not found.people and not found.places)
    done.save(update_fields=["words", "is_passed_over"])
    _say(about, done.words)


def _note_step(about: About, words: str, *, is_passed_over: bool) -> None:
    run = about.run
    RunStep.objects.create(
        run=run, round=run.round, step=run.step - 1, at=about.now, words=words, is_passed_over=is_passed_over
    )
    _say(about, words)


def _say(about: About, words: str) -> None:
    run = about.run
    again = f", round {run.round + 1}" if run.round else ""
    text = f"step {run.step} of {len(run.steps)}{again}: {words}"
    said.note(about.episodes, EventKind.ESCALATED, about.now, text, run.team_id)


def _end_round(about: About) -> None:
    run, now = about.run, about.now
    if run.round < run.repeat:
        first = run.done.filter(round=run.round).order_by("at").values_list("at", flat=True).first() or now
        run.round, run.step, run.due_at = run.round + 1, 0, max(now, first + SHORTEST_ROUND)
        return
    words = f"All steps of '{run.escalation.name}' are done, and nobody has acknowledged."
    said.note(about.episodes, EventKind.ESCALATED, now, words, run.team_id)
    pages.tell_root(about, words, f"exhausted{run.pk}-{run.round}")
    _end(run, RunState.EXHAUSTED, now)


def _end(run: Run, state: RunState, now: datetime) -> None:
    run.state, run.due_at, run.held_for, run.changed_at = state, None, "", now
