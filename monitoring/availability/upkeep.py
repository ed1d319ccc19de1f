"""Forgets what is older than anybody asks for: slots and changes go, the days that were counted of them stay."""

from datetime import datetime, timedelta

from django.db import transaction

from monitoring.availability.models import Component, FactChange, MaintenanceWindow, Series, StateInterval, Transition

KEPT = timedelta(days=400)


@transaction.atomic
def forget_old(now: datetime) -> str:
    """A year of everything is left, and a month more."""
    oldest = now - KEPT
    intervals, _ = StateInterval.objects.filter(until_at__lt=oldest).delete()
    changes = sum(
        rows.delete()[0]
        for rows in (
            Transition.objects.filter(at__lt=oldest),
            FactChange.objects.filter(at__lt=oldest),
            MaintenanceWindow.objects.filter(until_at__lt=oldest),
            Series.objects.filter(ended_at__lt=oldest),
            Component.objects.filter(is_builtin=True, removed_at__lt=oldest),
        )
    )
    return f"Forgot {intervals} intervals and {changes} other rows from before {oldest:%Y-%m-%d}."
