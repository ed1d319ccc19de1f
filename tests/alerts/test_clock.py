"""The one clock of alerting is the database's, and tests can stop it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from monitoring.alerts import clock
from tests.alerts import world

pytestmark = pytest.mark.django_db


def test_the_clock_is_the_databases_own() -> None:
    assert abs(clock.now() - timezone.now()) < timedelta(seconds=5)


def test_a_stopped_clock_stands_still_until_it_is_moved() -> None:
    world.set_clock()
    assert clock.now() == clock.now() == world.START
    world.advance(90)
    assert clock.now() == world.START + timedelta(seconds=90)
