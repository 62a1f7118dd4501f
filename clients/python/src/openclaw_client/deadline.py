"""Bounded waits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

T = TypeVar("T")


async def within(seconds: float, work: Awaitable[T]) -> T:
    """Returns the result of the work, which is cancelled after this time. Raises
    asyncio.TimeoutError.

    Before Python 3.12, ``asyncio.wait_for`` ignores a cancellation that comes together with
    the result. A task that is cancelled at that moment would continue, and its owner would
    wait for its end without limit.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait([task], timeout=seconds)
        if not task.done():
            raise asyncio.TimeoutError
        return task.result()
    finally:
        task.cancel()
