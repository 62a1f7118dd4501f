import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from openclaw_client import Hub, HubError, InboxItem, connect

USAGE = {"model": "echo", "tokensIn": 9, "tokensOut": 9, "costMicros": 0, "ms": 900}


async def or_none(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except HubError as error:
        if error.code in ("conflict", "superseded"):
            return None
        raise


async def answer(hub: Hub, item: InboxItem) -> None:
    channel, ask, message, seq = item["channelId"], item["askId"], item["message"], item["seq"]
    if ask is None or message is None:
        return
    claim = await or_none(hub.claim(channel, ask, 60_000))  # None while another agent has it
    # After a kill -9 this is the same message. `based_on` refuses a second answer after the claim.
    once = f"answer-{ask}"
    stream = claim and await or_none(
        hub.stream(
            channel, thread_id=ask, client_message_id=once, based_on=seq, fence=claim["fence"]
        )
    )
    if stream is None:
        await or_none(hub.decline_ask(ask, "another agent answers"))
        return
    with suppress(HubError):
        await hub.set_turn(channel, "streaming", thread_id=ask)
    for word in ["You", " asked: ", message["content"]]:  # call your model here
        stream.append(word)
        await asyncio.sleep(0.1)
    await or_none(stream.finish(metadata={"turn": USAGE}))
    await or_none(hub.finish_ask(ask))


async def main() -> None:
    async with connect("ws://127.0.0.1:8080", agent="ada") as hub:
        inbox = hub.inbox()
        async for item in inbox:
            if item["reason"] == "ask":
                await answer(hub, item)
            await inbox.ack()


asyncio.run(main())
