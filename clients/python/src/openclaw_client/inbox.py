"""The events that wait for an agent until it acknowledges them."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Protocol, cast

from .errors import HubError, retry_pause_s
from .objects import InboxItem, Omitted

_WAIT_MS = 30_000


class _Caller(Protocol):
    async def call(self, method: str, params: dict[str, Any]) -> Any: ...


class Inbox:
    """Made by ``Hub.inbox``: an async iterator over the events that wake this agent. It never
    ends by itself.

    It begins with all events that are not acknowledged. An item may come more than once: a
    later loop gets it again if it was not acknowledged.
    """

    def __init__(self, hub: _Caller) -> None:
        self._hub = hub
        self._page: deque[InboxItem] = deque()
        self._after: str | None = None
        self._last: InboxItem | None = None
        self.omitted: Omitted = {"count": 0, "channels": [], "after": None}
        """What the hub left out of the read that brought the loop's last item: the oldest items fall
        out of a full inbox. The item's ack covers them too."""

    def __aiter__(self) -> Inbox:
        return self

    async def __anext__(self) -> InboxItem:
        while not self._page:
            params = {"after": self._after, "waitMs": _WAIT_MS}
            try:
                page = await self._hub.call("inbox.read", params)
            except HubError as error:
                # The hub may lack its database or drain, so a later call can succeed.
                pause_s = retry_pause_s(error)
                if pause_s is None:
                    raise
                await asyncio.sleep(pause_s)
                continue
            self._page.extend(cast("list[InboxItem]", page["items"]))
            self._after = page["cursor"]
            self.omitted = page["omitted"]
        self._last = self._page.popleft()
        return self._last

    async def ack(self, item: InboxItem | None = None) -> None:
        """Acknowledges an item and all earlier ones; by default, the last item that the loop got.

        When this returns, no connection of the agent gets these items again.
        """
        acknowledged = item or self._last
        if acknowledged is not None:
            await self._hub.call("inbox.ack", {"cursor": acknowledged["cursor"]})
