"""A real hub in a separate process, on SQLite and without Redis."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).resolve().parents[3]
START_TIMEOUT_S = 60.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _node() -> str:
    brought = ROOT / "node_modules/.openclaw-node/node_modules/node/bin/node"
    found = os.environ.get("OPENCLAW_NODE") or (str(brought) if brought.exists() else None)
    found = found or shutil.which("node")
    assert found is not None, "no node: run npm start once"
    return found


class StartHub(Protocol):
    async def __call__(self, env: dict[str, str] | None = None) -> HubProcess: ...


class HubProcess:
    """A hub that ``stop`` ends. After ``kill`` and ``start`` it has the same port and database."""

    def __init__(self, folder: Path, env: dict[str, str] | None = None) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        self._more_env = env or {}
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        # The hub must not see a developer's own settings.
        env = {name: os.environ[name] for name in ("PATH", "HOME", "TZ") if name in os.environ}
        env |= {
            "HUB_AUTH": "dev",
            "HUB_PORT": str(self.port),
            "HUB_DB_URL": f"sqlite:{self.folder / 'hub.sqlite'}",
            # A port without a server: the hub must not find a Redis on the default port.
            "REDIS_URL": f"redis://127.0.0.1:{free_port()}",
            "LOG_LEVEL": "error",
            **self._more_env,
        }
        flags = ["--conditions=@openclaw/source", "--disable-warning=ExperimentalWarning"]
        with (self.folder / "hub.log").open("ab") as log:
            self._process = subprocess.Popen(
                [_node(), *flags, str(ROOT / "apps/chat-hub/src/main.ts")],
                cwd=self.folder,
                env=env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not await asyncio.to_thread(self._is_ready):
            assert self._process.poll() is None, (self.folder / "hub.log").read_text()
            assert time.monotonic() < deadline, "the hub did not start"
            await asyncio.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        process, self._process = self._process, None
        process.send_signal(number)
        if number != signal.SIGKILL:
            process.send_signal(signal.SIGCONT)
        await asyncio.to_thread(process.wait)

    async def kill(self) -> None:
        await self.end(signal.SIGKILL)

    async def stop(self) -> None:
        await self.end(signal.SIGKILL)
