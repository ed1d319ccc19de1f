"""Sets of labels: Alertmanager's rules for them, and their fingerprint."""

import re
from collections.abc import Mapping
from functools import lru_cache

Labels = Mapping[str, str]
ALERT_NAME = "alertname"
MAX_NAME = 200
_OFFSET, _PRIME, _MASK = 0xCBF29CE484222325, 0x100000001B3, 0xFFFFFFFFFFFFFFFF
_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def fingerprint(labels: Labels) -> str:
    """FNV-1a in 64 bits over sorted name, 0xff, value, 0xff, as 16 hexadecimal digits: Alertmanager's."""
    return _fingerprint(tuple(sorted(labels.items())))


def without_empty(labels: Labels) -> dict[str, str]:
    """A label with an empty value is a label that is not there."""
    return {name: value for name, value in labels.items() if value}


@lru_cache(maxsize=16_384)
def is_name(text: str) -> bool:
    """Whether `text` can name a label."""
    return _NAME.fullmatch(text) is not None and text.isascii()


@lru_cache(maxsize=65_536)
def _fingerprint(items: tuple[tuple[str, str], ...]) -> str:
    found = _OFFSET
    for byte in b"".join(name.encode() + b"\xff" + value.encode() + b"\xff" for name, value in items):
        found = (found ^ byte) * _PRIME & _MASK
    return f"{found:016x}"
