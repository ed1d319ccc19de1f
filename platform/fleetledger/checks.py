"""Finds wrong settings before the first request; each finding has an id and says how to mend it."""

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 Django's name
from django.core.exceptions import ImproperlyConfigured

MIN_SECRET = 32


@register(Tags.security)
def secret_key(**_kwargs: Any) -> list[CheckMessage]:
    if len(settings.SECRET_KEY) >= MIN_SECRET:
        return []
    hint = "Leave SECRET_KEY unset to have one made in the state directory, or set 50 random characters."
    return [Error(f"SECRET_KEY has fewer than {MIN_SECRET} characters.", hint=hint, id="fleetledger.E001")]


@register(Tags.urls)
def base_url(**_kwargs: Any) -> list[CheckMessage]:
    parts = urlsplit(settings.BASE_URL)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        hint = "Set FLEETLEDGER_BASE_URL to the address people use, for example https://gpu.example.org."
        return [Error(f"FLEETLEDGER_BASE_URL is '{settings.BASE_URL}'.", hint=hint, id="fleetledger.E002")]
    if settings.HTTPS and parts.scheme != "https":
        hint = "Set FLEETLEDGER_BASE_URL to an https:// address, or FLEETLEDGER_HTTPS=0."
        return [Warning("FLEETLEDGER_HTTPS is set, and the base address is http.", hint=hint, id="fleetledger.W001")]
    return []


@register(Tags.database)
def database_is_postgresql(**_kwargs: Any) -> list[CheckMessage]:
    engine = settings.DATABASES["default"].get("ENGINE", "")
    if engine.endswith("postgresql"):
        return []
    hint = "Set DATABASE_URL to postgresql://…, or leave it unset for the embedded one."
    return [Error(f"The database engine is '{engine}'.", hint=hint, id="fleetledger.E003")]


@register()
def broker(**_kwargs: Any) -> list[CheckMessage]:
    if settings.REDIS_URL.startswith(("redis://", "rediss://", "unix://")):
        return []
    hint = "Set REDIS_URL to redis://HOST:6379/0 or unix:///path/redis.sock, or leave it unset."
    return [Error("REDIS_URL is no address of a Redis server.", hint=hint, id="fleetledger.E004")]


@register()
def api_rate(**_kwargs: Any) -> list[CheckMessage]:
    from fleetledger.rest.throttle import configured_rate, parse_rate

    try:
        parse_rate(configured_rate())
    except ImproperlyConfigured as error:
        hint = "Set FLEETLEDGER_API_RATE, for example 1200/min."
        return [Error(str(error), hint=hint, id="fleetledger.E005")]
    return []


@register()
def mail_server(**_kwargs: Any) -> list[CheckMessage]:
    if not settings.SMTP_HOST or re.fullmatch(r"\S+:\d+", settings.SMTP_HOST):
        return []
    hint = "Set FLEETLEDGER_SMTP to HOST:PORT, for example mail.example.org:587."
    return [Error(f"FLEETLEDGER_SMTP is '{settings.SMTP_HOST}'.", hint=hint, id="fleetledger.E006")]


@register()
def deadman(**_kwargs: Any) -> list[CheckMessage]:
    parts = urlsplit(settings.DEADMAN_URL)
    if not settings.DEADMAN_URL or (parts.scheme in ("http", "https") and parts.netloc):
        return []
    hint = "Set FLEETLEDGER_DEADMAN_URL to an http:// or https:// address that expects a call each minute."
    return [Error("FLEETLEDGER_DEADMAN_URL is no address.", hint=hint, id="fleetledger.E007")]


@register(Tags.security, deploy=True)
def hosts(**_kwargs: Any) -> list[CheckMessage]:
    if not settings.HTTPS or "*" not in settings.ALLOWED_HOSTS:
        return []
    hint = "Set ALLOWED_HOSTS to the names people use, separated by commas."
    return [Warning("Every host name is accepted.", hint=hint, id="fleetledger.W002")]
