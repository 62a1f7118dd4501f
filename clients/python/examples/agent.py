import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from typing import Any

from openclaw_client import Hub, HubError, Message, connect

USAGE = {"model": "echo", "tokensIn": 9, "tokensOut": 9, "costMicros": 0, "ms": 900}


async def or_none(call: Awaitable[Any]) -> Any:
    try:
        return await call
    except HubError as error:
        if error.code in ("conflict", "superseded"):
            return None
        raise


async def answer(hub: Hub, ask: Message) -> None:
    channel, thread = ask["channelId"], ask["threadId"] or ask["id"]
    claim = await or_none(hub.claim(channel, thread, 60_000))  # None while another agent has it
    # After a kill -9 this is the same message. `based_on` refuses a second answer after the claim.
    once = f"answer-{ask['id']}"
    stream = claim and await or_none(
        hub.stream(
            channel,
            thread_id=thread,
            client_message_id=once,
            based_on=ask["seq"],
            fence=claim["fence"],
        )
    )
    if stream is None:
        await or_none(hub.decline_ask(ask["id"], "another agent answers"))
        return
    with suppress(HubError):
        await hub.set_turn(channel, "streaming", thread_id=thread)
    for word in ["You", " asked: ", ask["content"]]:  # call your model here
        stream.append(word)
        await asyncio.sleep(0.1)
    await or_none(stream.finish(metadata={"turn": USAGE}))
    await or_none(hub.finish_ask(ask["id"]))


async def main() -> None:
    async with connect("ws://127.0.0.1:8080", agent="ada") as hub:
        inbox = hub.inbox()
        async for item in inbox:
            if item["reason"] == "ask" and (message := item["message"]):
                await answer(hub, message)
            await inbox.ack()


asyncio.run(main())
