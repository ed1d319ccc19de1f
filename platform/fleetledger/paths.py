"""Finds the product's own files, in a checkout as in an installed wheel."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parents[1]


def templates() -> Path:
    """The folder of page templates: at a checkout's root, inside the package once installed."""
    installed = PACKAGE / "templates"
    return installed if installed.is_dir() else CHECKOUT / "templates"
