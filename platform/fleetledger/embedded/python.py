"""Says how a further Python process of the product is started, from a checkout as from a wheel."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment with the product's packages on the path of the process to come."""
    roots = [str(_PACKAGE_ROOT)]
    if _PACKAGE_ROOT.name == "platform":  # a checkout keeps the other packages beside this folder
        roots.append(str(_PACKAGE_ROOT.parent))
    given = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*roots, *([given] if given else [])]),
        "PYTHONUNBUFFERED": "1",
        **(extra or {}),
    }


def module(name: str, *arguments: str) -> list[str]:
    """The command line of a module of the product."""
    return [sys.executable, "-P", "-m", name, *arguments]  # -P: the current directory stays off the path


def command(*arguments: str) -> list[str]:
    """The command line of one of the product's own commands."""
    return module("fleetledger", *arguments)
