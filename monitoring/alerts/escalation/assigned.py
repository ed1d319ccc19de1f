"""Pages whoever is given an alert that escalates and that nobody has acknowledged."""

from datetime import datetime

from fleetledger.fleet.models import User
from monitoring.alerts.escalation import pages, said
from monitoring.alerts.escalation.pages import About
from monitoring.alerts.escalation.targets import Target, Targets
from monitoring.alerts.models import Alert, Episode, EventKind, Run, RunState

UNANSWERED = (RunState.ACTIVE, RunState.EXHAUSTED)


def page(episode: Episode, to: User, by: str, now: datetime) -> None:
    """Once, by their ways, through the first run that nobody answered. The caller holds the episode.

    What withholds the alert is looked at when the messages are claimed.
    """
    if episode.acknowledged_at is not None:
        return
    runs = Run.objects.filter(members__episode=episode, state__in=UNANSWERED).select_related("escalation", "group")
    run = runs.order_by("pk").first()
    if run is None:
        return
    alert = Alert.objects.get(pk=episode.alert_id)
    about = About(run, [(alert, episode)], now)
    key = f"assigned:{episode.pk}:{to.pk}:{now.timestamp():.6f}"
    told = pages.tell(None, about, Targets((Target(to, f"assigned by {by}"),)), key)
    said.note([episode], EventKind.ESCALATED, now, told.words, run.team_id)
