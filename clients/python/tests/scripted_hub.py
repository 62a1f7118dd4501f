"""A WebSocket server with which a test acts as the hub, for behaviour that a real hub shows too rarely."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

WELCOME = {
    "sessionId": "s1",
    "agentId": "ada",
    "protocol": 1,
    "epoch": "e1",
    "heartbeatMs": 25_000,
    "limits": {
        "frameBytes": 262_144,
        "contentBytes": 32_768,
        "batch": 100,
        "topics": 1_000,
        "inFlight": 256,
        "resumeEvents": 5_000,
        "historyPage": 200,
        "logPage": 1_000,
    },
    "direct": [],
}


class Session:

    def __init__(self, socket: ServerConnection) -> None:
        self.socket = socket
        assert socket.request is not None
        self.path = socket.request.path
        self.protocols = socket.request.headers.get("Sec-WebSocket-Protocol", "")

    async def notify(self, method: str, params: dict[str, Any]) -> None:
        await self.send({"jsonrpc": "2.0", "method": method, "params": params})

    async def welcome(self, **fields: Any) -> None:
        await self.notify("welcome", {**WELCOME, **fields})

    async def send(self, value: object) -> None:
        await self.socket.send(json.dumps(value))

    async def receive(self, method: str) -> dict[str, Any]:
        """The next call of this method. Calls of other methods are answered with an empty result."""
        while True:
            call: dict[str, Any] = json.loads(await self.socket.recv())
            if call["method"] == method:
                return call
            await self.answer(call, {})

    async def answer(self, call: dict[str, Any], result: object) -> None:
        await self.send({"jsonrpc": "2.0", "id": call["id"], "result": result})

    async def event(self, seq: int, text: str, epoch: str = "e1") -> None:
        await self.notify("event", envelope(seq, text, epoch))


def envelope(seq: int, text: str, epoch: str = "e1", channel_id: str = "c") -> dict[str, Any]:
    message = {"id": f"m{seq}", "channelId": channel_id, "seq": seq, "content": text}
    return {
        "id": f"e{seq}",
        "event": {"type": "channel.message", "channelId": channel_id, "message": message},
        "timestamp": 1,
        "senderId": "bob",
        "channelId": channel_id,
        "seq": seq,
        "epoch": epoch,
    }


@asynccontextmanager
async def scripted_hub(play: Callable[[Session], Awaitable[None]]) -> AsyncIterator[str]:
    """Yields the address. A call of ``play`` handles each connection, which is closed at the end of the call."""

    async def handle(socket: ServerConnection) -> None:
        await play(Session(socket))

    async with serve(
        handle,
        "127.0.0.1",
        0,
        select_subprotocol=lambda _, offered: offered[0],
        # A test may leave a connection that reads nothing, not even the close.
        close_timeout=0.2,
        ping_interval=None,
    ) as server:
        (listener,) = server.sockets
        yield f"ws://127.0.0.1:{listener.getsockname()[1]}"
