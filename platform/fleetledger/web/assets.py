"""Gives static files addresses that change with their content, without a build step."""

import hashlib
from functools import lru_cache
from pathlib import Path

from django.contrib.staticfiles import finders
from whitenoise.storage import CompressedStaticFilesStorage  # type: ignore[import-untyped]


class VersionedStaticFiles(CompressedStaticFilesStorage):  # type: ignore[misc]
    """Adds `?v=` and the first 10 digits of the file's SHA-256; found where it lies, collected or not."""

    def url(self, name: str | None) -> str:
        address = super().url(name)
        version = _version(name or "")
        return f"{address}?v={version}" if version else address


@lru_cache(maxsize=512)
def _version(name: str) -> str:
    found = finders.find(name)
    return hashlib.sha256(Path(found).read_bytes()).hexdigest()[:10] if isinstance(found, str) else ""
