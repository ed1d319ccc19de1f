"""What the notifier does every few seconds, and the timetable every few minutes, with 2,000 components and a year."""

from datetime import timedelta

import pytest

from monitoring.availability import judging, rollup
from monitoring.availability.own import telling
from tests.alerts.world import START
from tests.bench import filled_components
from tests.bench.filled_month import measure

pytestmark = [pytest.mark.bench, pytest.mark.django_db]


def test_a_turn_over_two_thousand_components_takes_few_statements() -> None:
    filled_components.fill()
    judging.judge(START)
    tiles = judging.judge(START)
    judged = measure(lambda: judging.judge(START))
    told = measure(lambda: telling.findings(tiles, START))
    days = measure(lambda: rollup.roll_up(START.date(), START + timedelta(seconds=30)))
    print(judged.line("judge everything"))
    print(told.line("what is to be told"))
    print(days.line("count a day"))
    assert len(tiles) == filled_components.CLUSTERS + filled_components.SERVICES + filled_components.REPLICAS
    assert judged.statements < 12
    assert told.statements < 5
    assert days.statements < 15
