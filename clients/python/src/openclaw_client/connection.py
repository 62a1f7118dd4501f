"""A connection: one WebSocket after another, until it is closed or the hub refuses this client."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
from typing import Any, Protocol, cast

from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as open_web_socket
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from .deadline import within
from .errors import HubError, ms_from_hub
from .failures import error_from_attempt, error_from_close
from .objects import Welcome
from .options import Options, Target, check_token

logger = logging.getLogger("openclaw_client")

_SUBPROTOCOL = "openclaw.v1"
_CLOSE_WAIT_S = 1.0
_STABLE_AFTER_S = 10.0
_HEARTBEAT_MIN_S = 0.1
_HEARTBEAT_DEFAULT_MS = 25_000


class Owner(Protocol):
    def on_welcome(self, welcome: Welcome) -> None: ...

    #: ``size`` is the frame's bytes divided among its objects.
    def on_object(self, message: dict[str, Any], size: int) -> None: ...

    #: The connection was lost, or an attempt failed.
    def on_lost(self, error: HubError) -> None: ...

    #: There will be no further attempt.
    def on_closed(self, error: HubError) -> None: ...

    #: Waits until there is a frame.
    async def next_frame(self) -> str: ...


def backoff_s(failures: int, options: Options) -> float:
    """The jitter spreads clients that lost their hub at the same time."""
    doubled_ms = options.backoff_min_ms * 2.0 ** min(failures, 30)
    return options.random() * min(options.backoff_max_ms, doubled_ms) / 1_000


class Connection:
    """Connects at once, and again after each loss."""

    def __init__(self, target: Target, options: Options, owner: Owner) -> None:
        self._target = target
        self._options = options
        self._owner = owner
        self._socket: ClientConnection | None = None
        self._has_heard = False
        self._failures = 0
        self._has_renewed = False
        self._was_live = False
        #: The loop's time at this connection's welcome; None before it.
        self._live_since: float | None = None
        #: When a draining hub wants this client to leave, in the loop's time.
        self._slot_at: float | None = None
        self._leave: asyncio.Event = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="openclaw-connection")

    async def close(self) -> None:
        """Ends the connection. Takes at most a second."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            self._live_since = None
            error = await self._live_once()
            if self._was_stable():
                self._failures = 0
                self._has_renewed = False
            pause_s = self._pause_s(error)
            if pause_s is None:
                self._owner.on_closed(error)
                return
            self._owner.on_lost(error)
            self._failures += 1
            logger.warning("%s; next attempt in %.1f s", error, pause_s)
            await asyncio.sleep(pause_s)

    def _was_stable(self) -> bool:
        """For a hub that welcomes and closes in a loop, the backoff must keep growing."""
        now = asyncio.get_running_loop().time()
        return self._live_since is not None and now - self._live_since >= _STABLE_AFTER_S

    def _is_final(self, error: HubError) -> bool:
        # After a first connection the address is right, so the failure may be temporary.
        return error.is_permanent and not (error.code == "unreachable" and self._was_live)

    def _pause_s(self, error: HubError) -> float | None:
        """None when there is no further attempt."""
        slot_at, self._slot_at = self._slot_at, None
        if self._is_final(error):
            # A token that was accepted before may have expired, so one new token is tried.
            if error.code != "unauthorized" or not self._target.can_renew or self._has_renewed:
                return None
            self._has_renewed = True
            return 0.0
        if error.retry_after_ms is not None:
            return error.retry_after_ms / 1_000
        if slot_at is not None:
            return max(0.0, slot_at - asyncio.get_running_loop().time())
        return backoff_s(self._failures, self._options)

    async def _live_once(self) -> HubError:
        """Returns why the connection ended."""
        try:
            return await self._serve(await self._open())
        except Exception as failure:
            error = error_from_attempt(failure, self._target.url)
            if error is not failure:
                error.__cause__ = failure
            return error

    async def _open(self) -> ClientConnection:
        protocols = [Subprotocol(_SUBPROTOCOL)]
        if self._target.get_token is not None:
            protocols.append(Subprotocol(f"bearer.{await self._token()}"))
        options = self._options
        timeout_s = options.connect_timeout_ms / 1_000
        more: dict[str, Any] = {} if options.ssl is None else {"ssl": options.ssl}
        return await open_web_socket(
            self._target.url,
            subprotocols=protocols,
            open_timeout=timeout_s,
            close_timeout=_CLOSE_WAIT_S,
            # The hub's heartbeat may be shorter than the library's.
            ping_interval=None,
            compression=None,
            max_size=options.frame_max_bytes,
            **more,
        )

    async def _token(self) -> str:
        get_token = self._target.get_token
        assert get_token is not None
        timeout_ms = self._options.token_timeout_ms
        try:
            answer = get_token()
            if inspect.isawaitable(answer):
                answer = await within(timeout_ms / 1_000, answer)
        except (TimeoutError, asyncio.TimeoutError) as cause:
            text = f"get_token did not answer within {timeout_ms:.0f} ms"
            raise HubError("unauthorized", text) from cause
        except Exception as cause:
            raise HubError("unauthorized", f"get_token failed: {cause}") from cause
        return check_token(answer)

    async def _serve(self, socket: ClientConnection) -> HubError:
        self._leave.clear()
        tasks: list[asyncio.Task[HubError]] = []
        try:
            wait_s = self._options.connect_timeout_ms / 1_000
            heartbeat_s = await within(wait_s, self._receive_welcome(socket))
            for work in (
                self._watch(socket, heartbeat_s),
                self._receive(socket),
                self._send(socket),
                self._wait_for_slot(),
            ):
                tasks.append(asyncio.create_task(work))
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            # The watcher comes first: other tasks see only that it closed the socket.
            return next(task for task in tasks if task.done()).result()
        except (TimeoutError, asyncio.TimeoutError) as cause:
            error = HubError("unreachable", "the hub sent no welcome in time")
            error.__cause__ = cause
            return error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await socket.close()

    async def _receive_welcome(self, socket: ClientConnection) -> float:
        """Returns the heartbeat in seconds. The welcome must come first."""
        frame = await socket.recv(decode=False)
        objects = _parse_frame(frame)
        first = objects[0]
        if first.get("method") != "welcome":
            raise HubError("unreachable", "the first frame was not a welcome", is_permanent=True)
        welcome = cast(Welcome, first["params"])
        ms = ms_from_hub(welcome.get("heartbeatMs"))
        self._was_live = True
        self._live_since = asyncio.get_running_loop().time()
        self._owner.on_welcome(welcome)
        self._dispatch(objects[1:], len(frame))
        return max(_HEARTBEAT_MIN_S, (_HEARTBEAT_DEFAULT_MS if ms is None else ms) / 1_000)

    async def _receive(self, socket: ClientConnection) -> HubError:
        try:
            while True:
                frame = await socket.recv(decode=False)
                self._has_heard = True
                self._dispatch(_parse_frame(frame), len(frame))
        except ConnectionClosed as closed:
            return error_from_close(closed)

    def _dispatch(self, objects: list[dict[str, Any]], size: int) -> None:
        for message in objects:
            if message.get("method") == "reconnect":
                self._on_reconnect(message.get("params"))
            else:
                self._owner.on_object(message, size // len(objects))

    def _on_reconnect(self, params: object) -> None:
        after_ms = ms_from_hub(params.get("afterMs")) if isinstance(params, dict) else None
        loop = asyncio.get_running_loop()
        pause_s = backoff_s(0, self._options) if after_ms is None else after_ms / 1_000
        # The slot is stored, because the hub may close before it begins.
        self._slot_at = loop.time() + pause_s
        self._leave.set()

    async def _wait_for_slot(self) -> HubError:
        await self._leave.wait()
        assert self._slot_at is not None
        await asyncio.sleep(self._slot_at - asyncio.get_running_loop().time())
        return HubError("unavailable", "the hub is draining")

    async def _send(self, socket: ClientConnection) -> HubError:
        try:
            while True:
                await socket.send(await self._owner.next_frame())
        except ConnectionClosed as closed:
            return error_from_close(closed)

    async def _watch(self, socket: ClientConnection, heartbeat_s: float) -> HubError:
        """Pings a silent hub, because nothing else reports a dead connection."""
        try:
            while True:
                self._has_heard = False
                await asyncio.sleep(heartbeat_s)
                if self._has_heard:
                    continue
                pong = asyncio.ensure_future(await socket.ping())
                await asyncio.wait([pong], timeout=heartbeat_s)
                if pong.done():
                    await pong
                elif not self._has_heard:
                    # The close handshake with a dead peer would only cost time.
                    socket.transport.abort()
                    return HubError(
                        "disconnected", f"the hub was silent for {2 * heartbeat_s:.1f} s"
                    )
        except ConnectionClosed as closed:
            return error_from_close(closed)


def _parse_frame(frame: bytes) -> list[dict[str, Any]]:
    """A malformed frame means that events may be missing, so the connection is replaced."""
    try:
        value = json.loads(frame)
    except ValueError as cause:
        raise HubError("disconnected", "the hub sent a frame that is not JSON") from cause
    objects = value if isinstance(value, list) else [value]
    if not objects or not all(isinstance(item, dict) for item in objects):
        raise HubError("disconnected", "the hub sent a frame that is not JSON-RPC")
    return cast("list[dict[str, Any]]", objects)
