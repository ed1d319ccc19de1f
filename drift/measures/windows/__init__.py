"""Windows of rows: Parquet and CSV files read a column at a time, and batches of events."""

from drift.measures.windows.events import EventWindow
from drift.measures.windows.files import ParquetWindow, open_window
from drift.measures.windows.window import Window

__all__ = ["EventWindow", "ParquetWindow", "Window", "open_window"]
