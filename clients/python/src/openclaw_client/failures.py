"""Why a connection could not be made, or was lost."""

from __future__ import annotations

import json
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
)

from .errors import HubError, ms_from_hub


@dataclass(frozen=True)
class CloseCode:
    """A close code of the hub."""

    code: str
    meaning: str
    #: True when the client may reconnect with the same token.
    may_reconnect: bool


CLOSE_CODES = {
    4400: CloseCode("invalid", "too many frames were not JSON-RPC", False),
    4401: CloseCode("unauthorized", "the token is missing, wrong or expired", False),
    4403: CloseCode("unauthorized", "the token was revoked", False),
    4408: CloseCode("disconnected", "two pings were not answered", True),
    4413: CloseCode("too_large", "a frame was larger than the hub accepts", True),
    4429: CloseCode("rate_limited", "too many calls, connections or unread events", True),
    4503: CloseCode("unavailable", "the hub is draining or full", True),
}


def _after_ms(reason: str) -> float | None:
    try:
        fields = json.loads(reason)
    except ValueError:
        return None
    return ms_from_hub(fields.get("afterMs")) if isinstance(fields, dict) else None


def error_from_close(closed: ConnectionClosed) -> HubError:
    frame = closed.rcvd
    if frame is None:
        return HubError("disconnected", "the connection was lost without a close frame")
    known = CLOSE_CODES.get(frame.code)
    if known is None:
        why = f": {frame.reason}" if frame.reason else ""
        return HubError("disconnected", f"the connection was closed with {frame.code}{why}")
    return HubError(
        known.code,
        f"the hub closed with {frame.code}: {known.meaning}",
        retry_after_ms=_after_ms(frame.reason),
        is_permanent=not known.may_reconnect,
    )


def _error_from_status(failure: InvalidStatus, where: str) -> HubError:
    response = failure.response
    status = response.status_code
    if status in (401, 403):
        text = f"{where} refused the token with HTTP {status}"
        return HubError("unauthorized", text, is_permanent=True)
    if status in (429, 502, 503, 504):
        seconds = response.headers.get("Retry-After", "")
        after_ms = int(seconds) * 1_000 if seconds.isdecimal() else None
        code = "rate_limited" if status == 429 else "unavailable"
        return HubError(code, f"{where} answered HTTP {status}", retry_after_ms=after_ms)
    text = f"{where} answered HTTP {status} instead of opening a WebSocket: is the address right?"
    return HubError("unreachable", text, is_permanent=True)


def error_from_attempt(failure: Exception, url: str) -> HubError:
    """The error for an attempt to connect that failed. It never contains the query of the address."""
    parts = urlsplit(url)
    where = f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'wss' else 80)}"
    match failure:
        case HubError():
            return failure
        case ConnectionClosed():
            return error_from_close(failure)
        case InvalidStatus():
            return _error_from_status(failure, where)
        case socket.gaierror():
            return HubError("unreachable", f'no such host name "{parts.hostname}"')
        case ssl.SSLCertVerificationError():
            text = f"the certificate of {where} is not trusted: {failure.verify_message}"
            return HubError("unreachable", text, is_permanent=True)
        case ssl.SSLError():
            return HubError(
                "unreachable", f"TLS with {where} failed: does it speak TLS?", is_permanent=True
            )
        case InvalidMessage() | EOFError():
            return HubError("unreachable", f"{where} did not answer with HTTP")
        case InvalidHandshake():
            text = f"{where} did not open a WebSocket: {failure}"
            return HubError("unreachable", text, is_permanent=True)
        case ConnectionRefusedError():
            return HubError("unreachable", f"{where} refused the connection: is the hub running?")
        case TimeoutError():
            return HubError("unreachable", f"{where} did not answer in time")
        case OSError() if "Connect call failed" in str(failure):
            # The name has several addresses, none of which answers.
            return HubError("unreachable", f"{where} refused the connection: {failure}")
        case _:
            return HubError("unreachable", f"{where} cannot be reached: {failure}")
