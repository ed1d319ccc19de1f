"""Availability's Celery tasks: a log line, one call, a sentence as the result. Each may run twice."""

from typing import Any

from celery import shared_task
from django.db import InterfaceError, OperationalError

from monitoring.alerts import clock
from monitoring.availability import rollup, running, upkeep
from monitoring.availability.healing import runs
from monitoring.availability.incidents import follow
from monitoring.availability.own import ticks
from monitoring.availability.public import news
from monitoring.availability.public.keeping import keeper
from monitoring.availability.slo import evaluate, points

AGAIN: dict[str, Any] = {"autoretry_for": (OperationalError, InterfaceError), "max_retries": 5, "retry_backoff": 2}


@shared_task
def run_due() -> str:
    """Ask the probes that are due; the timetable asks for it anew within seconds."""
    return running.run_due()


@shared_task(**AGAIN)
def roll_up() -> str:
    """Count today and yesterday anew."""
    return rollup.roll_up_recent(clock.now())


@shared_task
def evaluate_objectives() -> str:
    """Evaluate the objectives that are due; the timetable asks for it anew within seconds."""
    return evaluate.evaluate_due()


@shared_task(**AGAIN)
def forget_points() -> str:
    """Drop the hours of objectives that are too old for any report."""
    return f"Forgot {points.forget(clock.now())} hours."


@shared_task(**AGAIN)
def forget_old() -> str:
    """Forget what is older than anybody asks for; the days stay."""
    return upkeep.forget_old(clock.now())


@shared_task
def tick() -> str:
    """Leave word that a task came from the timetable, through the broker and a worker, to the database."""
    return ticks.note_timetable()


@shared_task(**AGAIN)
def follow_incidents() -> str:
    """Bring incidents in step with alerts and components."""
    return follow.follow(clock.now())


@shared_task(**AGAIN)
def publish_status() -> str:
    """Renew what the public page says, and tell subscribers what is new on it."""
    return news.publish(keeper.renew(), clock.now())


@shared_task(**AGAIN)
def follow_hooks() -> str:
    """Propose, send and end what hooks do about what is broken."""
    return runs.follow(clock.now())
