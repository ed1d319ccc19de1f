"""Which pool a GPU belongs to: the first, in order, whose match fits."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from fleetledger.fleet.models import Pool
from fleetledger.fleet.patterns import compiled

KEYS = ("cluster", "node", "gpu_model")


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """A pool as the ledger needs it: what happens to idle time, and how a GPU is shared."""

    name: str
    idle: str
    share: str
    owner_id: int | None


class PoolResolver:
    """Asks the pools as they are stored now; make a new one for each piece of work."""

    def __init__(self, pools: Sequence[tuple[PoolTerms, dict[str, str]]]) -> None:
        self._pools = [(terms, _patterns(match)) for terms, match in pools]
        self.pool_for = lru_cache(maxsize=100_000)(self._pool_for)

    @classmethod
    def load(cls) -> Self:
        return cls([(PoolTerms(row.name, row.idle, row.share, row.owner_id), row.match) for row in Pool.objects.all()])

    def _pool_for(self, cluster: str, node: str, gpu_model: str) -> PoolTerms | None:
        """The GPU's pool, or None where no pool fits."""
        names = (cluster, node, gpu_model)
        for terms, patterns in self._pools:
            if all(pattern.fullmatch(names[place]) for place, pattern in patterns):
                return terms
        return None


def _patterns(match: dict[str, str]) -> list[tuple[int, re.Pattern[str]]]:
    return [(place, compiled(str(match[key]))) for place, key in enumerate(KEYS) if key in match]
