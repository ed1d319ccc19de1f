"""Keeps every change with who made it and when: a person, a token, or a command."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.db.models.signals import pre_save

from fleetledger.fleet import models

_actor: ContextVar[str] = ContextVar("fleetledger_actor", default="")


def register() -> None:
    """Tell the audit log what to watch; secrets and heartbeat fields stay out of it."""
    for model in (models.Team, models.Membership, models.Cluster, models.OwnershipRule, models.Pool, models.MigSlice):
        auditlog.register(model)
    auditlog.register(models.User, exclude_fields=["password", "last_login"])
    auditlog.register(models.Node, exclude_fields=["last_sample_at"])
    auditlog.register(models.Gpu, exclude_fields=["last_sample_at"])
    auditlog.register(models.Source, include_fields=["name", "kind", "cluster", "enabled", "config"])
    auditlog.register(models.ApiToken, exclude_fields=["digest", "last_used_at"])
    pre_save.connect(_sign, sender=LogEntry, dispatch_uid="fleetledger.fleet.audit")


@contextmanager
def acting(name: str = "") -> Iterator[None]:
    """Changes inside are signed with `name`, where no person is signed in: a command or a token."""
    before = _actor.set(name)
    try:
        yield
    finally:
        _actor.reset(before)


def act_as(name: str) -> None:
    """From here to the end of the enclosing `acting`, sign with `name`."""
    _actor.set(name)


def _sign(sender: type[LogEntry], instance: LogEntry, **_kwargs: Any) -> None:  # noqa: ARG001 the signal's signature
    name = _actor.get()
    if name and instance.additional_data is None:
        instance.additional_data = {"actor": name}
