"""Alerting's clock for tests, and factories on top of tests.world."""

from datetime import UTC, datetime, timedelta

from monitoring.alerts.models import Clock

START = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def set_clock(at: datetime = START) -> datetime:
    """Stop `app_now()` at an instant, for every process on this database."""
    Clock.objects.update_or_create(id=1, defaults={"fixed_at": at, "shift": None})
    return at


def advance(seconds: float) -> datetime:
    """Move a clock that was stopped."""
    clock = Clock.objects.get(id=1)
    assert clock.fixed_at is not None
    return set_clock(clock.fixed_at + timedelta(seconds=seconds))
