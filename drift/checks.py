"""Finds wrong settings of drift before the first report; each finding has an id and says how to mend it."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 Django's name

LEAST_BYTES = 100_000


@register()
def report_size(**_kwargs: Any) -> list[CheckMessage]:
    if settings.DRIFT_REPORT_MAX_BYTES >= LEAST_BYTES:
        return []
    hint = f"Set it to {LEAST_BYTES} or more, or leave it unset for 20 MB."
    return [Error("FLEETLEDGER_DRIFT_REPORT_MAX_BYTES leaves no room for a report.", hint=hint, id="drift.E001")]


@register()
def data_size(**_kwargs: Any) -> list[CheckMessage]:
    if settings.DRIFT_DATA_MAX_BYTES >= LEAST_BYTES:
        return []
    hint = f"Set it to {LEAST_BYTES} or more, or leave it unset for 500 MB."
    return [Error("FLEETLEDGER_DRIFT_DATA_MAX_BYTES leaves no room for rows.", hint=hint, id="drift.E002")]


@register()
def folder(**_kwargs: Any) -> list[CheckMessage]:
    """Missing is no error: it may be mounted on the workers alone."""
    if not settings.DRIFT_FOLDER or Path(settings.DRIFT_FOLDER).is_dir():
        return []
    hint = "Make the folder where workers run, with one in it for each model, or unset FLEETLEDGER_DRIFT_FOLDER."
    return [Warning(f"'{settings.DRIFT_FOLDER}' is no folder here.", hint=hint, id="drift.W001")]
