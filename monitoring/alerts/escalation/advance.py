"""Moves the runs that are due: each in one transaction, so that a step is done as a whole and once.

1. Looked at unlocked; then the run's episodes are locked in the order of their ids, as an acknowledgement does, and
   then the run itself, unless another notifier has it.
2. Acknowledged or resolved: it ends. Withheld, or its route muted: the step is put off, and looked at again soon.
3. Else steps are done until one waits. After the last of them the rounds begin again, or the run is exhausted; whoever
   was paged last has a minute before that.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import InterfaceError, OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable

from fleetledger.lib.durations import parse_duration
from monitoring.alerts import clock, routing, trees
from monitoring.alerts.escalation import conditions, pages, said, targets
from monitoring.alerts.escalation.pages import About
from monitoring.alerts.models import Alert, Episode, EventKind, Run, RunEpisode, RunState, RunStep
from monitoring.alerts.suppression import Suppressors, suppressors

AT_ONCE = 1000
HELD_S = 10.0
LATELY = timedelta(seconds=2)
SHORTEST_ROUND = timedelta(minutes=1)
LOCK_WAIT = "500ms"  # whoever holds an episode for long must not hold up the other runs
log = structlog.get_logger(__name__)


def next_due() -> datetime | None:
    """When the next step of any run is to be done; one that breaks is tried at each look, and wakes nobody between."""
    due = Run.objects.filter(due_at__gt=clock.now() - LATELY)
    return due.order_by("due_at").values_list("due_at", flat=True).first()


def advance_due(now: datetime) -> int:
    """Move every run that is due by `now`; gives how many. Several at once are harmless."""
    of_tenant = suppressors(now)
    due = Run.objects.filter(due_at__lte=now).order_by("due_at", "pk").values_list("pk", flat=True)
    return sum(_guarded(pk, of_tenant) for pk in list(due[:AT_ONCE]))


def _guarded(run_id: int, of_tenant: Suppressors) -> bool:
    """A run that breaks is looked at again in a moment, and holds up no other; the audit sees it."""
    try:
        return advance_one(run_id, of_tenant)
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable | DeadlockDetected):
            return False
        raise
    except InterfaceError:
        raise
    except Exception:
        log.exception("alerts.run_broke", run=run_id)
        return False


@transaction.atomic
def advance_one(run_id: int, of_tenant: Suppressors) -> bool:
    """Whether this call moved the run."""
    episodes = _locked_episodes(run_id)
    rows = Run.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    run = rows.select_related("escalation", "group").filter(pk=run_id, state=RunState.ACTIVE).first()
    now = clock.now()
    if run is None or run.due_at is None or run.due_at > now:
        return False
    open_ = [episode for episode in episodes if episode.ended_at is None]
    waiting = [episode for episode in open_ if episode.acknowledged_at is None]
    if waiting:
        _see_to(run, open_, waiting, of_tenant, now)
    else:
        _end(run, RunState.ACKNOWLEDGED if open_ else RunState.RESOLVED)
    run.changed_at = now
    run.save(update_fields=["state", "step", "round", "due_at", "held_for", "changed_at"])
    return True


def _locked_episodes(run_id: int) -> list[Episode]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('lock_timeout', %s, true)", [LOCK_WAIT])
    of_run = RunEpisode.objects.filter(run=run_id).values("episode")
    return list(Episode.objects.select_for_update(no_key=True).filter(pk__in=of_run).order_by("pk"))


def _see_to(
    run: Run, open_: Sequence[Episode], waiting: Sequence[Episode], of_tenant: Suppressors, now: datetime
) -> None:
    alerts = Alert.objects.in_bulk([episode.alert_id for episode in open_])
    suppressor = of_tenant(run.team_id)
    withheld = {episode.pk: suppressor.of(alerts[episode.alert_id]) for episode in open_}
    free = [(alerts[episode.alert_id], episode) for episode in open_ if not withheld[episode.pk]]
    is_wanted = any(episode.acknowledged_at is None for _, episode in free)
    if reason := _muted_by(run, now) if is_wanted else withheld[waiting[0].pk].words:
        _hold(run, waiting, reason, now)
        return
    if run.held_for:
        said.note(waiting, EventKind.ESCALATED, now, f"'{run.escalation.name}' goes on.", run.team_id)
        run.held_for = ""
    _go_on(About(run, free, now))


def _muted_by(run: Run, now: datetime) -> str:
    """Why the run's route tells nobody now; a route that is gone mutes nothing."""
    tree = trees.tree_for(run.team_id)
    route = routing.by_path(tree.route, run.group.route)
    return trees.muted_by(tree, route, now) if route else ""


def _hold(run: Run, waiting: Sequence[Episode], reason: str, now: datetime) -> None:
    words = reason[:300].rstrip(".")
    if run.held_for != words:
        said.note(waiting, EventKind.ESCALATED, now, f"'{run.escalation.name}' is put off: {words}.", run.team_id)
    run.held_for, run.due_at = words, now + timedelta(seconds=HELD_S)


def _go_on(about: About) -> None:
    """Steps until one waits; at the end of a round the next, or the end."""
    run, now = about.run, about.now
    while True:
        if run.step < len(run.steps):
            wait = _do_next(about)
            if wait is not None:
                run.due_at = now + wait
                return
        elif (pause_until := _pause_until(run)) and pause_until > now:
            run.due_at = pause_until
            return
        elif run.round - run.first_round < run.repeat:
            run.round, run.step = run.round + 1, 0
        else:
            _exhaust(about)
            return


def _do_next(about: About) -> timedelta | None:
    """Do a step, or pass it over; gives how long it waits."""
    run = about.run
    step = run.steps[run.step]
    run.step += 1
    if reason := conditions.why_not(step, run, about.now):
        _note_done(about, f"passed over: {reason}", is_passed_over=True)
    elif "wait" in step:
        return parse_duration(step["wait"])
    else:
        done = _note_done(about, "", is_passed_over=False)
        told = pages.tell(done, about, targets.of_step(step, run, about.now), f"{run.round}.{run.step - 1}")
        done.words, done.is_passed_over = told.words, not told.is_told
        done.save(update_fields=["words", "is_passed_over"])
        _say(about, told.words)
    return None


def _note_done(about: About, words: str, *, is_passed_over: bool) -> RunStep:
    run = about.run
    done = RunStep.objects.create(
        run=run, round=run.round, step=run.step - 1, at=about.now, words=words, is_passed_over=is_passed_over
    )
    if words:
        _say(about, words)
    return done


def _say(about: About, words: str) -> None:
    run = about.run
    again = f", round {run.round - run.first_round + 1}" if run.round > run.first_round else ""
    text = f"step {run.step} of {len(run.steps)}{again}: {words}"
    said.note(about.episodes, EventKind.ESCALATED, about.now, text, run.team_id)


def _pause_until(run: Run) -> datetime | None:
    """A minute after the round began, and after it last told somebody."""
    steps = list(run.done.filter(round=run.round).order_by("at").values_list("at", "is_passed_over"))
    told = [at for at, is_passed_over in steps if not is_passed_over]
    began = [at for at, _ in steps[:1]]
    return max([*began, *told[-1:]]) + SHORTEST_ROUND if steps else None


def _exhaust(about: About) -> None:
    run = about.run
    words = f"All steps of '{run.escalation.name}' are done, and nobody has acknowledged."
    said.note(about.episodes, EventKind.ESCALATED, about.now, words, run.team_id)
    pages.tell_root(about, words, f"exhausted{run.round}")
    _end(run, RunState.EXHAUSTED)


def _end(run: Run, state: RunState) -> None:
    run.state, run.due_at, run.held_for = state, None, ""
