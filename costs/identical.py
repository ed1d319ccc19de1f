"""Which rows a delivery holds several times, byte for byte."""

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from django.db import connection

from costs.models import IdenticalRows

KEPT = 2_000_000  # fingerprints, 16 MB
WRITTEN_ONE_BY_ONE = 5_000
_FROM_ROWS = """
INSERT INTO costs_identicalrows (delivery_id, fingerprint, copies)
SELECT %(delivery)s, fingerprint, count(*) FROM costs_billrow
WHERE id >= %(delivery)s::bigint << 32 AND id < (%(delivery)s::bigint + 1) << 32
GROUP BY fingerprint HAVING count(*) > 1
"""


class Fingerprints:
    """Collects the fingerprints of a delivery's rows as they pass; of a huge one, the database is asked afterwards."""

    def __init__(self) -> None:
        self._kept: list[npt.NDArray[np.int64]] = []
        self._count = 0

    def add(self, fingerprints: pa.Array) -> None:
        self._count += len(fingerprints)
        if self._count > KEPT:
            self._kept.clear()
        else:
            self._kept.append(fingerprints.to_numpy())

    def write_repeated(self, delivery_id: int) -> None:
        """Note each fingerprint that several of the delivery's rows have; the rows are stored."""
        repeated = self._repeated() if self._count <= KEPT else None
        if repeated is None or len(repeated) > WRITTEN_ONE_BY_ONE:
            with connection.cursor() as cursor:
                cursor.execute(_FROM_ROWS, {"delivery": delivery_id})
            return
        IdenticalRows.objects.bulk_create(
            IdenticalRows(delivery_id=delivery_id, fingerprint=fingerprint, copies=copies)
            for fingerprint, copies in repeated.items()
        )

    def _repeated(self) -> dict[int, int]:
        found = np.sort(np.concatenate([*self._kept, np.empty(0, np.int64)]))
        is_as_before = found[1:] == found[:-1]
        if not is_as_before.any():
            return {}
        fingerprints, again = np.unique(found[1:][is_as_before], return_counts=True)
        return dict(zip(fingerprints.tolist(), (again + 1).tolist(), strict=True))
