"""A thin layer over Prometheus' query interface: time limits, retries, one error, partial answers told apart."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import requests
from prometheus_api_client import PrometheusConnect

from fleetledger.lib.http import TIMEOUT, TRIES, retries
from monitoring.telemetry.sources.errors import SourceError, unreachable

QUERY_PATH = "/api/v1/query"
TENANT_HEADER = "X-Scope-OrgID"
THANOS = {"dedup": "true", "partial_response": "false", "max_source_resolution": "0s"}
SHOWN_TEXT = 300


@dataclass(frozen=True, slots=True)
class Access:
    """How to reach one server. Secrets are values here, read by the caller; they stand in no message."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str = field(default="", repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    tenant: str = ""
    thanos: bool = False
    ca_file: str = ""
    insecure_skip_verify: bool = False
    timeout: tuple[float, float] = TIMEOUT
    tries: int = TRIES
    backoff_s: float = 0.5

    def all_headers(self) -> dict[str, str]:
        """The headers of every request."""
        found = dict(self.headers)
        if self.token:
            found["Authorization"] = f"Bearer {self.token}"
        if self.tenant:
            found[TENANT_HEADER] = self.tenant
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of one query and, where the server could not read everything, why."""

    rows: list[dict[str, Any]]
    partial: str = ""


class PrometheusApi:
    """One server, one connection pool."""

    def __init__(self, access: Access) -> None:
        self._access = access
        self._url = access.url.rstrip("/")
        session = requests.Session()
        session.verify = not access.insecure_skip_verify and (access.ca_file or True)
        client = PrometheusConnect(
            url=self._url,
            headers=access.all_headers(),
            auth=access.basic,
            retry=retries(tries=access.tries, backoff_s=access.backoff_s),
            session=session,
        )
        self._headers: dict[str, str] = client.headers
        self._session: requests.Session = client._session  # noqa: SLF001 the client's own methods know no time limit

    def close(self) -> None:
        """Let the connections go."""
        self._session.close()

    def query(self, expression: str, at_us: int) -> Answer:
        """The rows of an instant query at a time; raises SourceError where there is no answer."""
        body = {"query": expression, "time": _seconds(at_us)} | (THANOS if self._access.thanos else {})
        try:
            response = self._session.post(
                f"{self._url}{QUERY_PATH}",
                data=body,
                headers=self._headers,
                auth=self._access.basic,
                timeout=self._access.timeout,
            )
        except requests.RequestException as error:
            raise unreachable(self._url, error, self._access.timeout) from error
        return _read(self._url, response)


def _seconds(at_us: int) -> str:
    """Seconds with six decimals, without a detour through floating-point."""
    return f"{at_us // 1_000_000}.{at_us % 1_000_000:06d}"


def _read(url: str, response: requests.Response) -> Answer:
    try:
        document = orjson.loads(response.content)
    except orjson.JSONDecodeError as error:
        raise _not_json(url, response) from error
    if response.status_code != requests.codes.ok or not isinstance(document, dict):
        raise _refused(url, response, document)
    data = document.get("data")
    if document.get("status") != "success" or not isinstance(data, dict) or not isinstance(data.get("result"), list):
        raise _refused(url, response, document)
    return Answer(data["result"], _partial(document))


def _partial(document: Mapping[str, Any]) -> str:
    warnings = document.get("warnings") or []
    if warnings:
        return "; ".join(str(warning) for warning in warnings)[:SHOWN_TEXT]
    return "the server marks its answer as partial" if document.get("isPartial") else ""


def _not_json(url: str, response: requests.Response) -> SourceError:
    code = response.status_code
    if code in {requests.codes.unauthorized, requests.codes.forbidden}:
        return _signed_out(url, code)
    if code == requests.codes.not_found:
        return SourceError(f"{url} has no {QUERY_PATH}: this is not the address of a Prometheus. Check the path.")
    if code >= requests.codes.server_error:
        return SourceError(f"{url} answers HTTP {code}. See the server's log.", transient=True)
    if b"<html" in response.content[:2000].lower() or "html" in response.headers.get("Content-Type", ""):
        return SourceError(f"{url} answers with a web page, not with Prometheus' interface. Check the address.")
    return SourceError(f"{url} answers HTTP {code} with something that is not whole JSON. Check the address.")


def _refused(url: str, response: requests.Response, document: object) -> SourceError:
    code = response.status_code
    if code in {requests.codes.unauthorized, requests.codes.forbidden}:
        return _signed_out(url, code)
    reason = document.get("error") if isinstance(document, dict) else None
    if not reason:
        return SourceError(f"{url} answers HTTP {code} without a result: this is not Prometheus' interface.")
    return SourceError(
        f"{url} refused the query (HTTP {code}): {str(reason)[:SHOWN_TEXT]}",
        transient=code >= requests.codes.server_error,
    )


def _signed_out(url: str, code: int) -> SourceError:
    return SourceError(
        f"{url} answers HTTP {code}: the token or password is missing or wrong. Set 'token' or 'basic_auth'."
    )
