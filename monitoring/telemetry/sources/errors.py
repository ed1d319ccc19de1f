"""What a source says when it cannot answer: one error, whose message is a sentence with the fix in it."""

import requests


class SourceError(Exception):
    """A source gave no usable answer; `transient` says whether trying again later may help."""

    def __init__(self, message: str, *, transient: bool = False) -> None:
        super().__init__(message)
        self.transient = transient


class RefusedError(SourceError):
    """A server that works refused this one question, often because its answer would be too large."""


def unreachable(url: str, error: requests.RequestException, timeout: tuple[float, float]) -> SourceError:
    """Why no answer came from this address, in a sentence; the library has many words for it."""
    if isinstance(error, requests.exceptions.SSLError):
        return SourceError(
            f"{url} shows a certificate that cannot be checked. Set ca_file to the certificate of its authority."
        )
    if isinstance(error, requests.exceptions.Timeout | requests.exceptions.ConnectionError):
        if "timed out" in str(error).lower():
            waited = f"{timeout[0]:g} s to connect, {timeout[1]:g} s to read"
            return SourceError(f"{url} did not answer in time ({waited}). Is it overloaded?", transient=True)
        return SourceError(f"{url} cannot be reached. Is it running and is the address right?", transient=True)
    return SourceError(f"{url} gave no readable answer ({type(error).__name__}). Check the address.")
