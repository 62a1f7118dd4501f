import asyncio

from openclaw_client import Event, HubError, connect


async def main(url: str = "ws://127.0.0.1:8080", channel: str = "lobby") -> None:
    async with connect(url, agent="echo") as hub:
        try:
            await hub.create_channel(channel, channel_id=channel)
        except HubError:
            await hub.join(channel)
        # Continues after its last answer, so mentions from the time when it did not run are answered now.
        state = (await hub.read_state()).get(channel)
        async with hub.events({channel: state["seq"] if state else 0}) as events:
            async for event in events:
                match event:
                    case Event(type="channel.message", seq=int(seq), message=dict(message)):
                        if hub.agent_id in message["mentions"] and message["senderId"] != hub.agent_id:
                            text = f"You said: {message['content']}"  # call your model here
                            await hub.send(channel, text, thread_id=message["id"])
                            await hub.mark_read(channel, seq)


if __name__ == "__main__":
    asyncio.run(main())
