"""What the API's tests share."""

from collections.abc import Iterator

import pytest
from django.core.cache import cache


@pytest.fixture(autouse=True)
def _fresh_counters() -> Iterator[None]:
    """Each test starts with nobody's requests counted."""
    cache.clear()
    yield
    cache.clear()
