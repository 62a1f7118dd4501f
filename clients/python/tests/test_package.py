"""The package installed by pip, and the bot of the README exactly as printed."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from hub_process import StartHub

from openclaw_client import connect

FOLDER = Path(__file__).resolve().parents[1]


def test_pip_installs_it_with_its_types(tmp_path: Path) -> None:
    target = tmp_path / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, *offline, "--target", str(target), str(FOLDER)], check=True)
    assert (target / "openclaw_client/py.typed").exists()
    program = "import openclaw_client; print(openclaw_client.__file__)"
    printed = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(target)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert printed.strip() == str(target / "openclaw_client/__init__.py")


async def test_the_bot_of_the_readme_answers_mentions_once(
    start_hub: StartHub, tmp_path: Path
) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (FOLDER / "README.md").read_text(), re.S)
    bot_text = (FOLDER / "examples/mentions.py").read_text()
    assert blocks[0] == bot_text
    assert len(bot_text.splitlines()) <= 20
    process = await start_hub()
    bot = tmp_path / "bot.py"
    bot.write_text(bot_text.replace("ws://127.0.0.1:8080", process.url))

    async def run_bot() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, str(bot), env={"PYTHONPATH": str(FOLDER / "src")}
        )

    async with connect(process.url, agent="ada") as ada:
        await ada.create_channel("lobby", channel_id="lobby")
        async with ada.events(["lobby"]) as events:
            answers: list[str] = []

            async def read_answers(count: int) -> None:
                while len(answers) < count:
                    event = await asyncio.wait_for(anext(events), 20)
                    message = getattr(event, "message", None)
                    if message is not None and message["senderId"] == "echo":
                        answers.append(message["content"])

            async def joined() -> None:
                members: list[dict[str, str]] = []
                while not any(member["agentId"] == "echo" for member in members):
                    answer = await ada.call("member.list", {"channelId": "lobby"})
                    members = answer["members"]
                    await asyncio.sleep(0.05)

            running = await run_bot()
            await asyncio.wait_for(joined(), 20)
            await ada.send("lobby", "not for you")
            await ada.send("lobby", "one", mentions=["echo"])
            await read_answers(1)

            async def marked() -> None:
                async with connect(process.url, agent="echo") as echo:
                    while (await echo.read_state())["lobby"]["mentions"] > 0:
                        await asyncio.sleep(0.05)

            await asyncio.wait_for(marked(), 20)
            running.terminate()
            await running.wait()
            await ada.send("lobby", "two", mentions=["echo"])
            running = await run_bot()
            await read_answers(2)
            running.terminate()
            await running.wait()
            assert answers == ["You said: one", "You said: two"]


async def test_the_agent_answers_each_ask_once_over_kills(
    start_hub: StartHub, tmp_path: Path
) -> None:
    process = await start_hub()
    text = (FOLDER / "examples/agent.py").read_text()
    agent = tmp_path / "agent.py"
    agent.write_text(text.replace("ws://127.0.0.1:8080", process.url))

    async def run_agent() -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable, str(agent), env={"PYTHONPATH": str(FOLDER / "src")}
        )

    async with connect(process.url, agent="zoe") as zoe:
        await zoe.create_channel("work", channel_id="work")
        await zoe.call("member.add", {"channelId": "work", "agentId": "ada"})
        asks = [
            (await zoe.ask(["ada"], f"question {n}", 300_000, channel_id="work"))["askId"]
            for n in range(3)
        ]

        async def answers(ask: str) -> list[tuple[str | None, str]]:
            page = await zoe.history("work", thread_id=ask)
            return [(m.get("state"), m["content"]) for m in page["messages"] if m["id"] != ask]

        async def until_answered(ask: str, state: str) -> None:
            while not any(found == state for found, _ in await answers(ask)):
                await asyncio.sleep(0.01)

        running = await run_agent()
        await asyncio.wait_for(until_answered(asks[0], "streaming"), 20)
        running.kill()
        await running.wait()
        running = await run_agent()
        for n, ask in enumerate(asks):
            await asyncio.wait_for(until_answered(ask, "complete"), 20)
            assert await answers(ask) == [("complete", f"You asked: question {n}")]
        running.kill()
        await running.wait()
