"""What a message says of an alert, and under which key its group is known."""

from collections.abc import Mapping

from monitoring.alerts.message import FIRING, RESOLVED, AlertLine
from monitoring.alerts.models import Alert, AlertState, Episode, Group


def line_of(alert: Alert, episode: Episode) -> AlertLine:
    """One of the alert's episodes, as it is now."""
    return AlertLine(
        alert_id=alert.pk,
        episode_id=episode.pk,
        fingerprint=alert.fingerprint,
        status=FIRING if episode.ended_at is None else RESOLVED,
        labels=alert.labels,
        annotations=alert.annotations,
        starts_at=episode.started_at,
        ends_at=episode.ended_at,
        generator_url=alert.generator_url,
        is_acknowledged=episode.acknowledged_at is not None,
        is_stale=alert.state == AlertState.STALE and episode.ended_at is None,
    )


def group_key(group: Group) -> str:
    """As Alertmanager writes it."""
    return f"{group.route}:{_shown(group.labels)}"


def _shown(labels: Mapping[str, str]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items())) + "}"
