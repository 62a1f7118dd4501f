"""A stream of the events of some channels: each durable event once and in order, across reconnects."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from types import TracebackType
from typing import Any, Protocol

from .calls import OnResult
from .cursor import Cursor
from .errors import HubError, retry_pause_s
from .events import Discontinuity, Event, event_from_envelope
from .objects import Welcome
from .options import Options

#: The most events of a channel that are kept while earlier ones are read. Others are read from the log.
_BUFFER_MAX = 1_000
#: ``welcome.direct`` names at most this many channels.
_WELCOME_DIRECT_MAX = 200

Answer = asyncio.Future[Any]


class StreamOwner(Protocol):
    def start_call(
        self, method: str, params: Mapping[str, Any], on_result: OnResult | None = None
    ) -> Answer: ...

    def remove_stream(self, stream: EventStream) -> None: ...


class EventStream(AsyncIterator["Event | Discontinuity"]):
    """Made by ``Hub.events``. Iterate it with one reader; close it with ``async with`` or ``aclose``.

    The items that wait for the reader are bounded (``stream_max``, ``stream_max_bytes``). Beyond the bounds, durable
    events are read from the log later, and ephemeral ones and notices are dropped.
    """

    def __init__(
        self,
        owner: StreamOwner,
        options: Options,
        channels: Mapping[str, int | None],
        *,
        epoch: str | None,
        direct: bool,
        notices: bool,
    ) -> None:
        self._owner = owner
        self._options = options
        self._cursors = {id: Cursor(id, since, epoch) for id, since in channels.items()}
        self._direct = direct
        #: True when every direct channel of this connection has a cursor.
        self._knows_direct = False
        #: True once every direct channel had a cursor, so that any further direct channel is new.
        self._had_direct = False
        self._notices = notices
        self._welcome: Welcome | None = None
        self._items: deque[tuple[Event | Discontinuity, int]] = deque()
        self._bytes = 0
        self._error: HubError | None = None
        self._is_closed = False
        self._item_or_end = asyncio.Event()
        self._changed = asyncio.Event()
        self._pending: set[Answer] = set()
        self._tasks = [
            asyncio.create_task(self._read_logs(), name="openclaw-read-logs"),
        ]

    def __aiter__(self) -> EventStream:
        return self

    async def __anext__(self) -> Event | Discontinuity:
        """Raises HubError when the hub refused a channel, or the connection for good."""
        while not self._items:
            if self._error is not None:
                raise self._error
            if self._is_closed:
                raise StopAsyncIteration
            self._item_or_end.clear()
            await self._item_or_end.wait()
        item, size = self._items.popleft()
        self._bytes -= size
        self._changed.set()
        return item

    async def __aenter__(self) -> EventStream:
        """Waits until every channel is subscribed. Raises HubError when one is refused."""
        try:
            await self.ready()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def ready(self) -> None:
        """Waits until every channel was subscribed once. Raises HubError when one is refused."""
        while True:
            if self._error is not None:
                raise self._error
            is_subscribed = all(cursor.was_subscribed for cursor in self._cursors.values())
            if self._is_closed or (is_subscribed and (self._knows_direct or not self._direct)):
                return
            self._changed.clear()
            await self._changed.wait()

    @property
    def positions(self) -> dict[str, int]:
        """The seq up to which each channel is queued or delivered; an event has its own seq."""
        return {id: cursor.last for id, cursor in self._cursors.items() if cursor.last is not None}

    @property
    def waiting(self) -> int:
        return len(self._items)

    @property
    def channel_ids(self) -> Iterable[str]:
        return self._cursors.keys()

    async def aclose(self) -> None:
        """Ends the stream, and the subscriptions that no other stream needs. Waiting items are dropped."""
        self.end(None)
        self._items.clear()
        self._bytes = 0
        self._owner.remove_stream(self)
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def end(self, error: HubError | None) -> None:
        """Ends the stream after the items that wait."""
        if self._is_closed:
            return
        self._is_closed = True
        self._error = error
        self._drop_pending()
        for task in self._tasks:
            task.cancel()
        self._wake()

    def on_welcome(self, welcome: Welcome) -> None:
        self._welcome = welcome
        if self._direct:
            self._find_direct(welcome)
        self._subscribe()

    def on_lost(self) -> None:
        self._welcome = None
        self._drop_pending()
        for cursor in self._cursors.values():
            self._reset(cursor)

    def on_event(self, event: Event, size: int) -> None:
        if event.is_notice or event.channel_id is None:
            if self._notices:
                self._offer(event, size)
            return
        cursor = self._cursors.get(event.channel_id)
        if cursor is None:
            if not self._direct or not self._knows_direct or not _is_direct(event.channel_id):
                return
            # All earlier direct channels are known, so this one is new and is read from its beginning.
            cursor = self._cursors[event.channel_id] = Cursor(event.channel_id, 0, event.epoch)
            cursor.phase = "live"
            cursor.was_subscribed = True
        if event.seq is None:
            self._offer(event, size)
        else:
            self._receive(cursor, event, event.seq, size)

    def on_discontinuity(
        self,
        channel_id: str,
        head: int,
        reason: str,
        *,
        floor: int | None = None,
        error_code: str | None = None,
    ) -> None:
        cursor = self._cursors.get(channel_id)
        if cursor is None:
            return
        if error_code is not None:
            self._refuse(cursor, error_code)
        elif reason == "trimmed":
            first = head + 1 if floor is None else floor
            # For other cursors, a subscribe's answer or a page of the log has reported this, or nothing was missed.
            if cursor.last is not None and cursor.last < first - 1:
                self._skip_trimmed(cursor, first)
                # A trimmed event may have removed this agent. A subscribe is then refused.
                self._reset(cursor)
                self._subscribe()
        elif reason == "epoch":
            # The epoch is not known here. The next event and the next welcome name the epoch.
            self._skip(cursor, head, reason, epoch=None)
        else:
            # The log may still have the events that the hub did not send.
            self._fall_behind(cursor, head)

    def _receive(self, cursor: Cursor, event: Event, seq: int, size: int) -> None:
        cursor.target = max(cursor.target, seq)
        if cursor.last is not None and seq <= cursor.last:
            return
        if cursor.phase == "live" and seq == (cursor.last or 0) + 1 and self._has_room(size):
            cursor.epoch = cursor.epoch or event.epoch
            cursor.last = seq
            self._push(event, size)
            return
        cursor.hold(event, seq, size, _BUFFER_MAX, self._options.stream_max_bytes)
        if cursor.phase == "live":
            self._fall_behind(cursor, seq)

    def _drain(self, cursor: Cursor) -> None:
        """Leaves the channel live, or behind again."""
        last = cursor.last or 0
        cursor.drop_up_to(last)
        while (held := cursor.buffer.get(last + 1)) is not None and self._has_room(held[1]):
            cursor.take(last + 1)
            last += 1
            cursor.last = last
            self._push(*held)
        if last < cursor.target:
            self._fall_behind(cursor, cursor.target)
        else:
            cursor.phase = "live"

    def _fall_behind(self, cursor: Cursor, target: int) -> None:
        cursor.target = max(cursor.target, target)
        if cursor.phase in ("live", "subscribing"):
            cursor.phase = "behind"
        self._changed.set()

    def _skip(self, cursor: Cursor, head: int, reason: str, epoch: str | None) -> None:
        cursor.generation += 1
        cursor.clear()
        cursor.last = cursor.target = head
        cursor.epoch = epoch
        if cursor.phase == "behind":
            cursor.phase = "live"
        self._push(Discontinuity(cursor.channel_id, head, reason), 0)

    def _skip_trimmed(self, cursor: Cursor, floor: object) -> None:
        if isinstance(floor, int) and cursor.last is not None and floor > cursor.last + 1:
            cursor.move_to(floor - 1)
            self._push(Discontinuity(cursor.channel_id, floor - 1, "trimmed"), 0)

    def _reset(self, cursor: Cursor) -> None:
        cursor.generation += 1
        cursor.phase = "unsubscribed"
        cursor.clear()

    def _has_room(self, size: int) -> bool:
        # An event that is larger than the whole queue may enter only an empty queue.
        if not self._items:
            return True
        options = self._options
        fits = self._bytes + size <= options.stream_max_bytes
        return fits and len(self._items) < options.stream_max

    def _is_half_empty(self) -> bool:
        options = self._options
        return (
            len(self._items) <= options.stream_max // 2
            and self._bytes <= options.stream_max_bytes // 2
        )

    def _push(self, item: Event | Discontinuity, size: int) -> None:
        self._items.append((item, size))
        self._bytes += size
        self._item_or_end.set()

    def _offer(self, event: Event, size: int) -> None:
        if self._has_room(size):
            self._push(event, size)

    def _wake(self) -> None:
        self._item_or_end.set()
        self._changed.set()

    def _subscribe(self) -> None:
        """Subscribes to the channels that are not subscribed, in as few calls as the hub allows."""
        if self._welcome is None or self._is_closed:
            return
        due = [cursor for cursor in self._cursors.values() if cursor.phase == "unsubscribed"]
        groups: dict[str | None, list[Cursor]] = {}
        for cursor in due:
            groups.setdefault(None if cursor.last is None else cursor.epoch, []).append(cursor)
        most = self._welcome["limits"]["topics"]
        for epoch, group in groups.items():
            for start in range(0, len(group), most):
                self._subscribe_group(group[start : start + most], epoch)

    def _subscribe_group(self, group: list[Cursor], epoch: str | None) -> None:
        # A full queue cannot take the missed events from the answer, so they are read page by page later.
        wants_events = self._is_half_empty()
        topics: list[dict[str, Any]] = []
        for cursor in group:
            cursor.phase = "subscribing"
            topic: dict[str, Any] = {"channelId": cursor.channel_id}
            if wants_events and cursor.last is not None:
                topic["since"] = cursor.last
            topics.append(topic)
        params: dict[str, Any] = {"topics": topics}
        if epoch is not None:
            params["epoch"] = epoch
        generations = [cursor.generation for cursor in group]

        def current() -> list[Cursor]:
            return [
                cursor
                for cursor, generation in zip(group, generations, strict=True)
                if cursor.generation == generation and cursor.phase == "subscribing"
            ]

        def on_done(answer: Answer) -> None:
            self._pending.discard(answer)
            if answer.cancelled() or self._is_closed:
                return
            failure = answer.exception()
            if failure is not None:
                self._on_subscribe_failed(current(), failure)

        def on_result(result: Any, size: int) -> None:
            if self._is_closed:
                return
            try:
                answers = {topic["channelId"]: topic for topic in result["topics"]}
                for cursor in current():
                    self._on_subscribed(cursor, answers[cursor.channel_id], size // len(group))
            except (KeyError, TypeError, ValueError) as cause:
                self._end_malformed("subscribe", cause)
            self._changed.set()

        answer = self._owner.start_call("subscribe", params, on_result)
        self._pending.add(answer)
        answer.add_done_callback(on_done)

    def _on_subscribe_failed(self, group: list[Cursor], failure: BaseException) -> None:
        error = failure if isinstance(failure, HubError) else HubError("internal", str(failure))
        pause_s = retry_pause_s(error)
        if error.code == "disconnected":
            return
        if pause_s is None:
            self.end(error)
            return
        for cursor in group:
            self._reset(cursor)
        asyncio.get_running_loop().call_later(pause_s, self._subscribe)

    def _on_subscribed(self, cursor: Cursor, answer: dict[str, Any], size: int) -> None:
        if "error" in answer:
            self._refuse(cursor, str(answer["error"]["code"]))
            return
        assert self._welcome is not None
        head, epoch = int(answer["head"]), self._welcome["epoch"]
        cursor.was_subscribed = True
        if cursor.last is None:
            cursor.move_to(head)
        elif cursor.epoch not in (None, epoch) or cursor.last > head:
            self._skip(cursor, head, "epoch", epoch)
        elif answer["resumed"]:
            self._take_events(cursor, answer["events"], size)
        else:
            self._skip_trimmed(cursor, answer.get("floor"))
            cursor.target = max(cursor.target, head)
        cursor.epoch = epoch
        self._drain(cursor)

    def _take_events(self, cursor: Cursor, envelopes: list[dict[str, Any]], size: int) -> None:
        """Delivers fetched events while there is room. The other events are read again later."""
        for envelope in envelopes:
            event = event_from_envelope(envelope)
            cursor.target = max(cursor.target, event.seq or 0)
            share = size // len(envelopes)
            if event.seq == (cursor.last or 0) + 1 and self._has_room(share):
                cursor.last = event.seq
                self._push(event, share)

    def _refuse(self, cursor: Cursor, code: str) -> None:
        channel_id = cursor.channel_id
        error = HubError(code, f"the hub refused the channel {channel_id}")
        pause_s = retry_pause_s(error)
        if pause_s is not None:
            self._reset(cursor)
            asyncio.get_running_loop().call_later(pause_s, self._subscribe)
            return
        del self._cursors[channel_id]
        cursor.generation += 1
        if not cursor.was_subscribed or (not self._cursors and not self._direct):
            self.end(error)
        else:
            self._push(Discontinuity(channel_id, cursor.last or 0, code), 0)

    def _drop_pending(self) -> None:
        for answer in [*self._pending]:
            answer.cancel()
        self._pending.clear()

    def _find_direct(self, welcome: Welcome) -> None:
        places = {place["channelId"]: place["head"] for place in welcome["direct"]}
        if len(places) < _WELCOME_DIRECT_MAX:
            self._add_direct(places)
        else:
            self._knows_direct = False
            task = asyncio.create_task(self._page_direct(places), name="openclaw-direct")
            self._tasks.append(task)
            task.add_done_callback(self._tasks.remove)

    def _add_direct(self, places: Mapping[str, int]) -> None:
        """Follows the direct channels: existing ones from now on, new ones from their beginning."""
        epoch = None if self._welcome is None else self._welcome["epoch"]
        for channel_id, head in places.items():
            if channel_id not in self._cursors:
                since = 0 if self._had_direct else head
                self._cursors[channel_id] = Cursor(channel_id, since, epoch)
        self._had_direct = True
        self._knows_direct = True
        self._subscribe()
        self._changed.set()

    async def _page_direct(self, places: dict[str, int]) -> None:
        """The welcome names only some direct channels."""
        cursor: str | None = None
        while True:
            params: dict[str, Any] = {"kind": "direct", "limit": _WELCOME_DIRECT_MAX}
            if cursor is not None:
                params["cursor"] = cursor
            try:
                page = await self._owner.start_call("channel.list", params)
            except HubError as error:
                pause_s = retry_pause_s(error)
                if pause_s is None:
                    self.end(error)
                    return
                await asyncio.sleep(pause_s)
                continue
            for channel in page["channels"]:
                places.setdefault(channel["channelId"], channel["head"])
            cursor = page["nextCursor"]
            if cursor is None:
                self._add_direct(places)
                return

    async def _read_logs(self) -> None:
        """Reads the logs of the channels that are behind, one page at a time, while the queue has room."""
        while True:
            behind = [cursor for cursor in self._cursors.values() if cursor.phase == "behind"]
            if behind and self._is_half_empty():
                for cursor in behind:
                    if cursor.phase == "behind" and self._is_half_empty():
                        await self._read_page(cursor)
                continue
            self._changed.clear()
            await self._changed.wait()

    def _end_malformed(self, method: str, cause: Exception) -> None:
        error = HubError("internal", f"the hub sent a malformed answer to {method}: {cause!r}")
        error.__cause__ = cause
        self.end(error)

    async def _read_page(self, cursor: Cursor) -> None:
        assert self._welcome is not None and cursor.last is not None
        after, target, generation = cursor.last, cursor.target, cursor.generation
        room = max(1, self._options.stream_max - len(self._items))
        limit = min(room, self._welcome["limits"]["logPage"])
        params = {"channelId": cursor.channel_id, "after": after, "limit": limit}

        def on_result(page: Any, size: int) -> None:
            if cursor.generation != generation or self._is_closed:
                return
            try:
                self._on_page(cursor, page, size, target)
            except (KeyError, TypeError, ValueError) as cause:
                self._end_malformed("log.read", cause)

        try:
            await self._owner.start_call("log.read", params, on_result)
        except HubError as error:
            if cursor.generation != generation:
                return
            pause_s = retry_pause_s(error)
            if pause_s is not None:
                await asyncio.sleep(pause_s)
            elif error.code != "disconnected":
                self._refuse(cursor, error.code)

    def _on_page(self, cursor: Cursor, page: dict[str, Any], size: int, target: int) -> None:
        self._skip_trimmed(cursor, page.get("floor"))
        self._take_events(cursor, page["events"], size)
        if page["head"] < target:
            # The log lacks events that were known before it was read: the hub's database was restored.
            self._skip(cursor, page["head"], "epoch", epoch=None)
        else:
            self._drain(cursor)


def _is_direct(channel_id: str) -> bool:
    return channel_id.startswith("dm_")
