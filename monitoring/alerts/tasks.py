"""Alerting's Celery tasks. Nothing that must be told depends on them: that is the notifier's, which needs no broker."""

from celery import shared_task
from django.db import InterfaceError, OperationalError

from monitoring.alerts import clock, upkeep
from monitoring.alerts.escalation import audit
from monitoring.alerts.oncall import feeds


@shared_task(autoretry_for=(OperationalError, InterfaceError), max_retries=20, retry_backoff=2, retry_backoff_max=60)
def forget_old() -> str:
    """Forget what is older than anybody asks for."""
    return upkeep.forget_old(clock.now())


@shared_task
def read_calendars() -> str:
    """Read the calendars of schedules whose quarter of an hour is over."""
    return feeds.read_due(clock.now())


@shared_task
def check_escalations() -> str:
    """See whether escalations go on, without the notifier that moves them."""
    return audit.check(clock.now())
