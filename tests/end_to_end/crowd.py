"""A process full of peers, made to be killed: `python crowd.py URL TOKEN NUMBER`."""

import asyncio
import sys
from contextlib import AsyncExitStack

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol


async def stay(url: str, token: str, number: int) -> None:
    """Connect so many peers and keep them talking, forever."""
    protocols = [Subprotocol("socketwatch.v1"), Subprotocol(f"bearer.{token}")]
    async with AsyncExitStack() as stack:
        peers = [
            await stack.enter_async_context(connect(url, subprotocols=protocols))
            for _ in range(number)
        ]
        while True:
            await asyncio.sleep(1)
            for peer in peers:
                await peer.send('{"action": "ping"}')
                await peer.recv()


if __name__ == "__main__":
    asyncio.run(stay(sys.argv[1], sys.argv[2], int(sys.argv[3])))
