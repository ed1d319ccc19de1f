"""Files of rows as tests send them: seeded, as CSV or Parquet."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 2000


def table(seed: int = 1, *, rows: int = ROWS, shift: float = 0.0) -> pa.Table:
    """Columns amount (a normal one, moved by `shift`), age and plan."""
    chance = np.random.default_rng(seed)
    return pa.table(
        {
            "amount": chance.normal(shift, 1, rows),
            "age": chance.integers(18, 90, rows),
            "plan": chance.choice(["free", "pro", "team"], rows),
        }
    )


def parquet(seed: int = 1, *, rows: int = ROWS, shift: float = 0.0) -> bytes:
    out = io.BytesIO()
    pq.write_table(table(seed, rows=rows, shift=shift), out)
    return out.getvalue()


def csv(seed: int = 1, *, rows: int = ROWS, shift: float = 0.0) -> bytes:
    held = table(seed, rows=rows, shift=shift).to_pylist()
    lines = [",".join(str(value) for value in row.values()) for row in held]
    return "\n".join(["amount,age,plan", *lines, ""]).encode()
