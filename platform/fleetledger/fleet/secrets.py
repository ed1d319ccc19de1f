"""Reads secrets from where they are: {env: NAME} or {file: PATH} of the configuration, {sealed: TEXT} of a page."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleetledger.fleet import sealing
from fleetledger.fleet.errors import FleetError

PLACES = frozenset({"env", "file", "sealed"})


class SecretError(FleetError):
    """A secret that is not where it should be."""


def is_reference(value: Any) -> bool:
    """Whether it says where a secret is."""
    return isinstance(value, Mapping) and len(value) == 1 and not PLACES.isdisjoint(value)


def resolve(reference: Mapping[str, Any]) -> str:
    """The secret itself, without the line end of its file; raises SecretError, and SealError for a lost key."""
    if "env" in reference:
        return _from_environment(str(reference["env"]))
    if "file" in reference:
        return _from_file(str(reference["file"]))
    if "sealed" in reference:
        return sealing.opened(str(reference["sealed"]))
    raise SecretError("A secret is written as {env: NAME} or {file: PATH}.")


def _from_environment(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SecretError(f"The environment variable {name} is empty. Set it where the worker runs.")
    return value


def _from_file(path: str) -> str:
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SecretError(f"The secret's file {path} cannot be read: {reason}.") from error
    if not value:
        raise SecretError(f"The secret's file {path} is empty.")
    return value
