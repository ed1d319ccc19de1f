"""Pages whoever is given an alert that escalates and that nobody has acknowledged."""

from datetime import datetime

from fleetledger.fleet.models import User
from monitoring.alerts import clock
from monitoring.alerts.escalation import pages, said
from monitoring.alerts.escalation.pages import About
from monitoring.alerts.escalation.targets import Target, Targets
from monitoring.alerts.models import Alert, Episode, EventKind, Run, RunState, RunStep
from monitoring.alerts.suppression import withheld

FIRST_PLACE = 1000  # in RunStep.step: what a person did stands behind the steps of the escalation


def page(episode: Episode, to: User, by: str, now: datetime) -> None:
    """Once, by their ways, through the first run that is active. The caller holds the episode."""
    if episode.acknowledged_at is not None:
        return
    runs = Run.objects.select_for_update(of=("self",)).filter(members__episode=episode, state=RunState.ACTIVE)
    run = runs.select_related("escalation", "group").order_by("pk").first()
    alert = Alert.objects.get(pk=episode.alert_id)
    if run is None or withheld(alert.team_id, [alert], now):
        return
    place = FIRST_PLACE + run.done.filter(round=run.round, step__gte=FIRST_PLACE).count()
    done = RunStep.objects.create(run=run, round=run.round, step=place, at=now, words="")
    done.words = pages.tell(done, About(run, [(alert, episode)], now), Targets((Target(to, f"assigned by {by}"),)))
    done.save(update_fields=["words"])
    said.note([episode], EventKind.ESCALATED, now, done.words, run.team_id)
    clock.ring()
