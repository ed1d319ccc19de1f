"""Reads the product's settings from the environment, each with its meaning beside it."""

from pathlib import Path

import environ

env = environ.Env()


def text(name: str, default: str = "") -> str:
    """A setting; where NAME_FILE is set, its file's content is taken: secrets need not stand in the environment."""
    path = env.str(f"{name}_FILE", default="")
    return Path(path).read_text().strip() if path else str(env.str(name, default=default))


def flag(name: str, *, default: bool = False) -> bool:
    return bool(env.bool(name, default=default))


def number(name: str, default: int) -> int:
    return int(env.int(name, default=default))


def words(name: str, default: list[str]) -> list[str]:
    """A list separated by commas."""
    return list(env.list(name, default=default))
