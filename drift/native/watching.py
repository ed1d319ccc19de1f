"""The watch for concept drift as JSON holds it between two batches of labels."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from drift.findings.concept import Watch


def load(state: Mapping[str, Any]) -> Watch:
    """A new watch where nothing was seen yet."""
    return Watch(**state) if state else Watch()


def packed(watch: Watch) -> dict[str, Any]:
    return asdict(watch)
