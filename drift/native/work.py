"""Asks workers for work that is stored already: where the broker is away it waits for the timetable."""

import structlog
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)


def ask(task: str, number: int) -> None:
    """Call drift.tasks.<task>(number) in a worker."""
    from drift import tasks

    try:
        getattr(tasks, task).delay(number)
    except OperationalError as error:
        log.warning("the broker takes no work: stored rows wait", task=task, number=number, reason=str(error))
