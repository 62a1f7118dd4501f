"""Options of ``connect``."""

from __future__ import annotations

import random as random_module
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit, urlunsplit

from .errors import HubError

GetToken = Callable[[], "str | Awaitable[str]"]

_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_PATH = "/v1/ws"


@dataclass(frozen=True, kw_only=True)
class Options:
    """Limits of a connection. All have defaults."""

    #: Limits the wait for a call's answer, including the time without a connection.
    call_timeout_ms: float = 10_000
    #: Limits one attempt, from opening the socket to the hub's welcome.
    connect_timeout_ms: float = 10_000
    #: Limits ``async with connect(...)``: attempts are repeated until then.
    ready_timeout_ms: float = 20_000
    #: Limits one call of ``get_token``; it is called again after a backoff.
    token_timeout_ms: float = 10_000
    #: The longest first wait before a reconnect. It doubles with each failure.
    backoff_min_ms: float = 500
    #: The longest wait before any reconnect.
    backoff_max_ms: float = 20_000
    #: Calls without an answer; the next one fails with ``queue_full``.
    queue_max: int = 1_000
    #: Bytes of calls without an answer; a call beyond it fails with ``queue_full``.
    queue_max_bytes: int = 16 * 1024 * 1024
    #: Events that wait for the reader of one stream. Further durable ones are read from the log when it has caught up.
    stream_max: int = 10_000
    #: Bytes of events that wait for the reader of one stream. One page of the log may exceed it.
    stream_max_bytes: int = 16 * 1024 * 1024
    #: The largest frame that is accepted from the hub.
    frame_max_bytes: int = 64 * 1024 * 1024
    #: For ``wss://``: a private certificate authority or a client certificate.
    ssl: ssl.SSLContext | None = None
    #: Randomness for the waits, in [0, 1).
    random: Callable[[], float] = random_module.random

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, int | float) and not value > 0:
                raise HubError("invalid", f"{name} must be greater than 0")


@dataclass(frozen=True)
class Target:
    url: str
    #: None in dev mode, where the address names the agent.
    get_token: GetToken | None
    #: True when ``get_token`` can answer a refused token with another one.
    can_renew: bool


def parse_target(
    url: str, token: str | None, get_token: GetToken | None, agent: str | None
) -> Target:
    """Raises HubError ``invalid``."""
    if sum(identity is not None for identity in (token, get_token, agent)) != 1:
        raise HubError("invalid", "give exactly one of token, get_token and agent")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as cause:
        raise HubError("invalid", f'url "{url}" is not an address: {cause}') from cause
    if parts.scheme not in _SCHEMES or not host:
        raise HubError("invalid", f'url "{url}" must begin with ws://, wss://, http:// or https://')
    query = parts.query
    if agent is not None:
        query = f"{query}&agent={quote(agent, safe='')}".lstrip("&")
    path = parts.path
    if path == "" or path.endswith("/"):
        path = path.rstrip("/") + _PATH
    address = urlunsplit((_SCHEMES[parts.scheme], parts.netloc, path, query, ""))
    if token is not None:
        check_token(token)
        return Target(address, lambda: token, can_renew=False)
    return Target(address, get_token, can_renew=get_token is not None)


def check_token(token: object) -> str:
    """The token is sent as a subprotocol, so other characters would break the handshake."""
    if not isinstance(token, str) or re.fullmatch(r"[A-Za-z0-9._~+/=-]+", token) is None:
        raise HubError("unauthorized", "the token is not a JWT", is_permanent=True)
    return token
