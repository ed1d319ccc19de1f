"""What the notifier does every few seconds for availability: look at our parts, judge everything, tell people."""

from dataclasses import dataclass, field
from datetime import datetime

from monitoring.availability import judging
from monitoring.availability.outage import snapshot
from monitoring.availability.own import look
from monitoring.availability.own.network import Asker
from monitoring.availability.own.seen import LOOK_EVERY_S
from monitoring.availability.own.telling import Teller

EVERY_S = LOOK_EVERY_S


@dataclass(slots=True)
class Step:
    """One turn; a mistake in it is logged by the notifier, and the next turn comes."""

    asker: Asker = field(default_factory=Asker)
    teller: Teller = field(default_factory=Teller)

    def __call__(self, now: datetime) -> None:
        look.keep(look.look(now, self.asker), now)
        tiles = judging.judge(now)
        self.teller.tell(tiles, now)
        snapshot.write(snapshot.of(tiles, now))
