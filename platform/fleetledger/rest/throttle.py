"""Limits how often one caller may ask, counted in this process, so that it works while Redis is down."""

import math
import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from fleetledger.rest.auth import caller_key

_SECONDS = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600}


def parse_rate(rate: str) -> tuple[int, int]:
    """'1200/min' as (requests, seconds); raises ImproperlyConfigured."""
    count, _, unit = rate.partition("/")
    if not (count.strip().isdigit() and int(count) > 0 and unit.strip() in _SECONDS):
        raise ImproperlyConfigured(f"FLEETLEDGER_API_RATE is '{rate}'. Write it as 1200/min (per s, min or hour).")
    return int(count), _SECONDS[unit.strip()]


def configured_rate() -> str:
    rest: dict[str, Any] = settings.REST_FRAMEWORK
    return str(rest["DEFAULT_THROTTLE_RATES"]["caller"])


class CallerThrottle(BaseThrottle):
    """A fixed window per caller. What is left goes into the RateLimit headers by way of the request."""

    _left_s: float = 0.0

    def allow_request(self, request: Request, view: Any) -> bool:  # noqa: ARG002 DRF's signature
        limit, seconds = parse_rate(configured_rate())
        now = time.time()
        window = int(now // seconds)
        self._left_s = (window + 1) * seconds - now
        key = f"throttle:{caller_key(request)}:{window}"
        used = _count(key, seconds * 2)
        request._request.rate_limit = (limit, max(0, limit - used), math.ceil(self._left_s))  # type: ignore[attr-defined]  # noqa: SLF001 the one request that answer and throttle share
        return used <= limit

    def wait(self) -> float:
        return self._left_s


def _count(key: str, timeout_s: int) -> int:
    """One more use of `key`; a counter that the cache has dropped meanwhile starts again."""
    cache.add(key, 0, timeout=timeout_s)
    try:
        return cache.incr(key)
    except ValueError:
        cache.set(key, 1, timeout=timeout_s)
        return 1
