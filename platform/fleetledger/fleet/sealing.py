"""Seals secrets that people type, so that the database alone gives none of them away.

The key is made of SECRET_KEY; what one of SECRET_KEY_FALLBACKS sealed can still be opened. Fernet (AES-128-CBC with
HMAC-SHA256) does the work.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from fleetledger.fleet.errors import FleetError

PURPOSE = b"fleetledger.fleet.sealing.1"
_KEY_BYTES = 32


class SealError(FleetError):
    """Something that was sealed under a key that is gone."""

    def __init__(self) -> None:
        super().__init__("A secret was sealed under a SECRET_KEY that is gone. Enter it again, or restore the key.")


def seal(secret: str) -> dict[str, str]:
    """As the database keeps it: {sealed: TEXT}."""
    return {"sealed": _box().encrypt(secret.encode()).decode()}


def opened(text: str) -> str:
    """What was sealed; raises SealError."""
    try:
        return _box().decrypt(text.encode()).decode()
    except InvalidToken as error:
        raise SealError from error


def _box() -> MultiFernet:
    return _box_of(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=4)
def _box_of(*keys: str) -> MultiFernet:
    """The first key seals, each opens."""
    return MultiFernet([Fernet(_derived(key)) for key in keys])


def _derived(key: str) -> bytes:
    made = HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=PURPOSE).derive(key.encode())
    return base64.urlsafe_b64encode(made)
