"""Windows of Parquet, CSV and events become the same columns, and odd data becomes facts, not crashes."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from drift.measures.columns import Kind, Labels, Numbers, Texts, Unscored, Vectors
from drift.measures.errors import MissingColumnError, UnreadableWindowError
from drift.measures.windows import EventWindow, Window, open_window

ROWS = 24
TABLE: dict[str, list[object]] = {
    "age": list(range(ROWS)),
    "income": [None if row == 3 else row + 0.5 for row in range(ROWS)],
    "visits": [row % 3 for row in range(ROWS)],
    "plan": ["free" if row % 2 else "paid" for row in range(ROWS)],
    "is_new": [bool(row % 2) for row in range(ROWS)],
    "words": [f"text number {row}" for row in range(ROWS)],
    "empty": [None] * ROWS,
}


def parquet(folder: Path, table: dict[str, object]) -> Path:
    pq.write_table(pa.table(table), folder / "window.parquet")
    return folder / "window.parquet"


def csv(folder: Path, table: dict[str, list[object]]) -> Path:
    lines = [",".join(table)]
    lines += [",".join("" if cell is None else str(cell) for cell in row) for row in zip(*table.values(), strict=True)]
    (folder / "window.csv").write_text("\n".join(lines))
    return folder / "window.csv"


def events(table: dict[str, list[object]]) -> EventWindow:
    return EventWindow([dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)])


def summary(window: Window) -> dict[str, tuple[str, int, int]]:
    columns = [window.column(name) for name in window.names]
    return {column.name: (column.kind, column.present, column.nulls) for column in columns}


SUMMARY = {
    "age": ("numerical", 24, 0),
    "income": ("numerical", 23, 1),
    "visits": ("categorical", 24, 0),
    "plan": ("categorical", 24, 0),
    "is_new": ("categorical", 24, 0),
    "words": ("text", 24, 0),
    "empty": ("unknown", 0, 24),
}


def test_parquet_csv_and_events_give_the_same_kinds_and_counts(tmp_path: Path) -> None:
    with open_window(parquet(tmp_path, dict(TABLE))) as of_parquet, open_window(csv(tmp_path, TABLE)) as of_csv:
        assert summary(of_parquet) == SUMMARY
        assert summary(of_csv) == SUMMARY
        assert of_parquet.rows == of_csv.rows == ROWS
    assert summary(events(TABLE)) == SUMMARY


def test_a_window_is_read_by_the_kinds_of_its_reference(tmp_path: Path) -> None:
    with open_window(csv(tmp_path, TABLE)) as window:
        visits = window.column("visits", Kind.NUMERICAL)
        age = window.column("age", Kind.CATEGORICAL)
        empty = window.column("empty", Kind.NUMERICAL)
    assert isinstance(visits, Numbers)
    assert visits.values.dtype == np.int64
    assert isinstance(age, Labels)
    assert age.levels == tuple(range(ROWS))
    assert (empty.present, empty.nulls) == (0, ROWS)


def test_values_that_are_no_numbers_are_counted_as_misfits(tmp_path: Path) -> None:
    prices: list[object] = [f"{row}.5" for row in range(40)]
    prices[7], prices[9], prices[11], prices[13] = "n. a.", None, "inf", " 8e1 "
    with open_window(csv(tmp_path, {"price": prices, "row": list(range(40))})) as window:
        read = window.column("price")
    for column in (read, events({"price": prices}).column("price")):
        assert isinstance(column, Numbers)
        assert (column.present + column.infinite, column.nulls, column.misfits) in {(38, 1, 1), (37, 1, 2)}
        assert 80.0 in column.values.tolist()


def test_a_csv_whose_types_change_in_a_later_batch_is_read_to_its_end(tmp_path: Path) -> None:
    count = 300_000  # more than a batch of 2 MiB
    lines = ["row,late"] + [f"{row},{row}" for row in range(count)] + [f"{count},surprise"]
    (tmp_path / "late.csv").write_text("\n".join(lines))
    with open_window(tmp_path / "late.csv") as window:
        late, row = window.column("late"), window.column("row")
    assert isinstance(late, Numbers)
    assert (late.present, late.misfits, late.rows) == (count, 1, count + 1)
    assert isinstance(row, Numbers)
    assert int(row.values.sum()) == count * (count + 1) // 2


def test_text_where_the_reference_has_numbers_is_all_misfits(tmp_path: Path) -> None:
    with open_window(parquet(tmp_path, {"age": ["old", "young"], "is_new": [True, False]})) as window:
        ages, flags = window.column("age", Kind.NUMERICAL), window.column("is_new", Kind.NUMERICAL)
    assert isinstance(ages, Numbers)
    assert isinstance(flags, Numbers)
    assert (ages.present, ages.misfits) == (flags.present, flags.misfits) == (0, 2)


def test_embeddings_become_a_matrix_and_ragged_ones_say_so(tmp_path: Path) -> None:
    table = {"good": [[1.0, 2.0], None, [3.0, 4.0]], "ragged": [[1.0], [2.0, 3.0], None]}
    with open_window(parquet(tmp_path, dict(table))) as window:
        good, ragged = window.column("good"), window.column("ragged")
    assert isinstance(good, Vectors)
    assert good.values.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert ragged == Unscored("ragged", "its embeddings differ in length", rows=3, nulls=1)
    of_events = events({"good": table["good"]}).column("good")  # type: ignore[dict-item]
    assert isinstance(of_events, Vectors)
    assert of_events.values.tolist() == good.values.tolist()


def test_long_text_is_sampled_evenly_and_counted_in_full(tmp_path: Path) -> None:
    with open_window(parquet(tmp_path, {"words": [f"sentence {row}" for row in range(12_000)]})) as window:
        words = window.column("words")
    assert isinstance(words, Texts)
    assert (len(words.values), words.present) == (5000, 12_000)
    assert (words.values[0], words.values[-1]) == ("sentence 0", "sentence 11999")


def test_times_are_not_measured_and_say_so(tmp_path: Path) -> None:
    moments = pa.array([1, None, 3], pa.timestamp("us", tz="UTC"))
    with open_window(parquet(tmp_path, {"at": moments, "odd": pa.array([{"a": 1}, None, None])})) as window:
        assert window.column("at") == Unscored(
            "at", "nothing measures values of type timestamp[us, tz=UTC]", rows=3, nulls=1
        )
        assert window.column("odd").kind is Kind.UNKNOWN


def test_events_may_lack_keys_and_carry_nan_and_huge_numbers() -> None:
    window = EventWindow([{"a": 1.5}, {"a": float("nan")}, {"b": "x"}, {"a": 10**400}, {"a": True}, {"a": 2.5}])
    column = window.column("a", Kind.NUMERICAL)
    assert isinstance(column, Numbers)
    assert (column.values.tolist(), column.nulls, column.infinite, column.misfits) == ([1.5, 2.5], 2, 1, 1)


def test_an_unknown_column_and_an_unreadable_file_say_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and nothing else")
    (tmp_path / "empty.csv").write_bytes(b"")
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n3\n")
    for name in ("broken.parquet", "empty.csv", "ragged.csv", "absent.csv"):
        with (
            pytest.raises(UnreadableWindowError, match=f"The window '{name}' cannot be read"),
            open_window(tmp_path / name),
        ):
            pass
    with (
        open_window(csv(tmp_path, TABLE)) as window,
        pytest.raises(MissingColumnError, match="The window has: age, income"),
    ):
        window.column("agee")
    with pytest.raises(MissingColumnError, match="No column is called 'c'"):
        EventWindow([{"a": 1}]).column("c")
