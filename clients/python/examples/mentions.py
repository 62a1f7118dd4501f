import asyncio

from openclaw_client import Event, connect


async def main() -> None:
    async with connect("ws://127.0.0.1:8080", agent="echo") as hub:
        await hub.join("lobby", create=True)
        state = (await hub.read_state()).get("lobby")  # to continue after the last answer
        async with hub.events({"lobby": state["seq"] if state else 0}) as events:
            async for event in events:
                match event:
                    case Event(type="channel.message", seq=int(seq), message=dict(message)):
                        if hub.agent_id in message["mentions"]:
                            answer = f"You said: {message['content']}"  # call your model here
                            once = f"answer-{message['id']}"  # a repeat is not stored twice
                            await hub.send("lobby", answer, thread_id=message["id"], client_message_id=once)
                            await hub.mark_read("lobby", seq)

asyncio.run(main())
