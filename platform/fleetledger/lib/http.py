"""What every client of ours does alike: time limits always, a bounded number of tries, also of POST."""

from urllib3.util.retry import Retry

CONNECT_SECONDS = 3.0
READ_SECONDS = 60.0
TIMEOUT = (CONNECT_SECONDS, READ_SECONDS)
TRIES = 3
RETRIED = (429, 500, 502, 503, 504)


def retries(*, tries: int = TRIES, backoff_s: float = 0.5) -> Retry:
    """Tries again where the server is down or answers 5xx; hands the last answer over instead of raising."""
    again = max(0, tries - 1)
    return Retry(
        total=again,
        read=min(1, again),
        redirect=5,
        backoff_factor=backoff_s,
        status_forcelist=RETRIED,
        allowed_methods=None,
        raise_on_status=False,
        respect_retry_after_header=False,
    )
