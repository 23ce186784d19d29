"""aiohttp with our cached signing: what a careful user would write on a kept library."""

import asyncio
import ssl
import sys
import time
from collections.abc import Iterator
from itertools import cycle, islice

import aiohttp
from yarl import URL

from bench.deliver.clients import Order
from bench.deliver.load import ACCESS_KEY, IDS, PAYLOAD, REGION, SECRET_KEY, TOKEN
from socketwatch.calls import Method
from socketwatch.endpoint import Endpoint
from socketwatch.sigv4 import Credentials, Signer


async def main() -> None:
    """Make the posts."""
    order = Order.from_command_line()
    keys = Credentials(ACCESS_KEY, SECRET_KEY, TOKEN)
    signer = Signer(keys, REGION, Endpoint.parse(order.url))
    tls = ssl.create_default_context(cafile=order.ca_file)
    ids = islice(cycle(IDS), order.posts)
    connector = aiohttp.TCPConnector(limit=order.in_flight, ssl=tls)
    async with aiohttp.ClientSession(connector=connector) as session:
        workers = [_work(session, signer, order.url, ids) for _ in range(order.in_flight)]
        accepted = sum(await asyncio.gather(*workers))
    sys.exit(accepted != order.posts)


async def _work(
    session: aiohttp.ClientSession, signer: Signer, url: str, ids: Iterator[str]
) -> int:
    accepted = 0
    for connection_id in ids:
        signed = signer.request(Method.POST, connection_id, PAYLOAD, time.time_ns() // 1_000_000)
        head = signed[: signed.index(b"\r\n\r\n")].decode()
        _, *lines = head.split("\r\n")
        target = URL(f"{url}/@connections/{connection_id.replace('=', '%3D')}", encoded=True)
        headers = dict(line.split(": ", 1) for line in lines)
        async with session.post(target, data=PAYLOAD, headers=headers) as response:
            await response.read()
            accepted += response.status == 200
    return accepted


if __name__ == "__main__":
    asyncio.run(main())
