"""Keeps which version of a model went live when."""

from dataclasses import dataclass
from datetime import datetime

from drift.models import Deployment, Model
from monitoring.alerts.acts import Actor


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    id: int
    at: datetime
    version: str
    note: str
    by: str


def add(model: Model, at: datetime, version: str, note: str, by: Actor) -> tuple[DeploymentRow, bool]:
    """The deployment, and whether it is new: the same version at the same instant is one, whoever tells it again."""
    row, is_new = Deployment.objects.get_or_create(
        model=model, at=at, version=version, defaults={"note": note, "by_user": by.user, "by_name": by.name[:200]}
    )
    return row_of(row), is_new


def of_model(model_id: int, *, since: datetime | None = None, until: datetime | None = None) -> list[DeploymentRow]:
    """The newest first."""
    rows = Deployment.objects.filter(model_id=model_id)
    if since is not None:
        rows = rows.filter(at__gte=since)
    if until is not None:
        rows = rows.filter(at__lte=until)
    return [row_of(row) for row in rows[:1000]]


def row_of(row: Deployment) -> DeploymentRow:
    return DeploymentRow(row.pk, row.at, row.version, row.note, row.by_name)
