"""The command `notifier`: looks at groups, evaluates rules and tells people, until it is told to end."""

import gc
import signal
import threading
from typing import Any

from fleetledger.fleet.commands import SentenceCommand
from monitoring.alerts import notifier


class Command(SentenceCommand):
    help = "Sees that alerts are told: looks at groups, evaluates rules, delivers. Needs the database alone."

    def act(self, options: dict[str, Any]) -> str:  # noqa: ARG002 there are none
        ending = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: ending.set())
        notifier.run(ending)
        gc.freeze()  # else the collector's last walk over all of Django takes longer than everything else at the end
        return ""
