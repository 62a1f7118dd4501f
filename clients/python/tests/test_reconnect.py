"""A real hub is killed, drained, frozen or restored from a backup while a client uses it."""

from __future__ import annotations

import asyncio
import shutil
import signal
from collections.abc import Callable

import pytest
from hub_process import HubProcess, StartHub

from openclaw_client import (
    Discontinuity,
    Event,
    EventStream,
    HubError,
    Inbox,
    Options,
    connect,
)
from openclaw_client.cursor import Cursor

QUICK = Options(backoff_min_ms=50, backoff_max_ms=200, call_timeout_ms=60_000)


async def until(condition: Callable[[], bool]) -> None:
    async def poll() -> None:
        while not condition():
            await asyncio.sleep(0.01)

    await asyncio.wait_for(poll(), 30)


async def read_to(stream: EventStream, last: str) -> list[Event | Discontinuity]:
    """All items up to the message with this content, except ephemeral events."""
    items: list[Event | Discontinuity] = []
    while True:
        item = await asyncio.wait_for(anext(stream), 30)
        if isinstance(item, Discontinuity):
            items.append(item)
        elif item.seq is not None:
            items.append(item)
            if item.message is not None and item.message["content"] == last:
                return items


async def run_through_crashes(
    process: HubProcess, channel_id: str, crashes: list[signal.Signals]
) -> tuple[list[str], list[str]]:
    """Sends while the hub ends and starts again. Returns what was sent and what was received, in order."""
    # The reader reconnects later than the writer, so it always misses events.
    late = Options(backoff_min_ms=1_000, backoff_max_ms=1_000, random=lambda: 1.0)
    sent: list[str] = []
    is_over = False

    async with (
        connect(process.url, agent="ada", options=QUICK) as ada,
        connect(process.url, agent="bob", options=late) as bob,
    ):
        await ada.create_channel("a channel", channel_id=channel_id)
        await bob.join(channel_id)

        async def send_all() -> None:
            while not is_over:
                text = str(len(sent))
                await ada.send(channel_id, text)
                sent.append(text)

        async with bob.events([channel_id]) as stream:
            sending = asyncio.create_task(send_all())
            for number in crashes:
                before = len(sent)
                await until(lambda before=before: len(sent) > before + 20)  # type: ignore[misc]
                await process.end(number)
                await until(lambda: not bob.is_live)
                await process.start()
                await until(lambda: bob.is_live)
            is_over = True
            await sending
            # Calls on one channel keep their order, so this answer comes after the subscribe's.
            await bob.history(channel_id, limit=1)
            await ada.send(channel_id, "end")
            items = await read_to(stream, "end")
        received = [
            item.message["content"]
            for item in items
            if isinstance(item, Event) and item.message is not None
        ]
        return [*sent, "end"], received


async def test_a_hub_that_restarts_loses_and_doubles_nothing(
    start_hub: StartHub, channel_id: str
) -> None:
    sent, received = await run_through_crashes(
        await start_hub({"HUB_LIMIT_MESSAGE": "100000/60"}),
        channel_id,
        [signal.SIGKILL, signal.SIGTERM],
    )
    assert received == sent


async def test_the_same_run_without_resume_loses_events(
    start_hub: StartHub, channel_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reset = EventStream._reset

    def forget(self: EventStream, cursor: Cursor) -> None:
        reset(self, cursor)
        cursor.last = None

    monkeypatch.setattr(EventStream, "_reset", forget)
    sent, received = await run_through_crashes(
        await start_hub({"HUB_LIMIT_MESSAGE": "100000/60"}),
        channel_id,
        # In one crash, the reader may be back before the sender and miss nothing.
        [signal.SIGKILL] * 3,
    )
    assert received != sent


async def test_a_long_absence_is_read_from_the_log_page_by_page(
    start_hub: StartHub, channel_id: str
) -> None:
    process = await start_hub({"HUB_LIMIT_MESSAGE": "100000/60"})
    small = Options(backoff_min_ms=50, backoff_max_ms=200, stream_max=100)
    async with connect(process.url, agent="ada", options=QUICK) as ada:
        await ada.create_channel("a channel", channel_id=channel_id)
        texts = [str(n) for n in range(5_200)]
        for start in range(0, len(texts), 200):
            batch = texts[start : start + 200]
            await asyncio.gather(*(ada.send(channel_id, text) for text in batch))
        # More events than a subscribe result holds (resumeEvents).
        assert len(texts) > ada.welcome["limits"]["resumeEvents"]
        async with connect(process.url, agent="ada", options=small) as reader:
            async with reader.events({channel_id: 0}) as stream:
                items = await read_to(stream, texts[-1])
                contents = [item.message["content"] for item in items if isinstance(item, Event) and item.message]
                assert contents == texts
                assert [item.seq for item in items if isinstance(item, Event)] == [
                    *range(1, len(items) + 1)
                ]


async def test_a_restored_backup_is_a_discontinuity(start_hub: StartHub, channel_id: str) -> None:
    process = await start_hub()
    async with connect(process.url, agent="ada", options=QUICK) as hub:
        await hub.create_channel("a channel", channel_id=channel_id)
        kept = await hub.send(channel_id, "kept")
        async with hub.events({channel_id: 0}) as stream:
            await read_to(stream, "kept")
            await process.end(signal.SIGTERM)
            backup = process.folder / "backup.sqlite"
            shutil.copyfile(process.folder / "hub.sqlite", backup)
            await process.start()
            await hub.send(channel_id, "lost")
            await read_to(stream, "lost")
            await process.kill()
            for suffix in ("-wal", "-shm"):
                (process.folder / f"hub.sqlite{suffix}").unlink(missing_ok=True)
            shutil.copyfile(backup, process.folder / "hub.sqlite")
            await process.start()
            await hub.send(channel_id, "after")
            items = await read_to(stream, "after")
            assert items[0] == Discontinuity(channel_id, kept["seq"], "epoch")
            assert len(items) == 2


async def test_a_call_that_could_take_effect_twice_is_not_repeated(start_hub: StartHub) -> None:
    process = await start_hub()
    async with connect(process.url, agent="ada", options=QUICK) as hub:
        process.send_signal(signal.SIGSTOP)
        creating = asyncio.create_task(hub.create_channel("without an id"))
        reading = asyncio.create_task(hub.read_state())
        await until(lambda: len(hub._calls._sent) == 2)
        await process.kill()
        with pytest.raises(HubError) as lost:
            await creating
        assert lost.value.code == "disconnected"
        assert not reading.done()
        await process.start()
        assert await reading == {}


async def test_a_call_without_a_hub_times_out_with_the_cause(start_hub: StartHub) -> None:
    process = await start_hub()
    async with connect(process.url, agent="ada", options=QUICK) as hub:
        await process.kill()
        await until(lambda: not hub.is_live)
        with pytest.raises(HubError) as late:
            await hub.call("read.state", timeout_ms=500)
        assert late.value.code == "timeout"
        assert "refused the connection" in late.value.message
        with pytest.raises(HubError) as ephemeral:
            await hub.call("typing.start", {"channelId": "lobby"})
        assert ephemeral.value.code == "disconnected"


async def test_an_inbox_loses_nothing_and_what_is_acknowledged_does_not_come_again(
    start_hub: StartHub, channel_id: str
) -> None:
    process = await start_hub()
    options = Options(backoff_min_ms=10, backoff_max_ms=100)

    async def next_text(inbox: Inbox) -> str:
        message = (await asyncio.wait_for(anext(inbox), 20))["message"]
        assert message is not None
        return message["content"]

    async with connect(process.url, agent="ada", options=options) as ada:
        await ada.create_channel("inbox", channel_id=channel_id)
        async with connect(process.url, agent="bob", options=options) as bob:
            await bob.join(channel_id)
            inbox = bob.inbox()
            await ada.send(channel_id, "one", mentions=["bob"])
            assert await next_text(inbox) == "one"
            await inbox.ack()
            waiting = asyncio.create_task(next_text(inbox))
            await process.kill()
            await process.start()
            await ada.direct("bob", "two")
            assert await waiting == "two"
        await ada.send(channel_id, "three", mentions=["bob"])
        async with connect(process.url, agent="bob", options=options) as bob:
            inbox = bob.inbox()
            assert [await next_text(inbox), await next_text(inbox)] == ["two", "three"]
            await inbox.ack()
            assert (await bob.call("inbox.read"))["items"] == []
