"""boto3 as tutorials have it: one post after the other, or a thread pool where IN_FLIGHT > 1."""

import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice

import boto3
from botocore.config import Config

from bench.deliver.clients import Order
from bench.deliver.load import ACCESS_KEY, IDS, PAYLOAD, REGION, SECRET_KEY, TOKEN


def main() -> None:
    """Make the posts."""
    order = Order.from_command_line()
    client = boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=order.url,
        region_name=REGION,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        aws_session_token=TOKEN,
        verify=order.ca_file,
        config=Config(max_pool_connections=order.in_flight),
    )

    def post(connection_id: str) -> int:
        answer = client.post_to_connection(ConnectionId=connection_id, Data=PAYLOAD)
        return int(answer["ResponseMetadata"]["HTTPStatusCode"])

    ids = islice(cycle(IDS), order.posts)
    if order.in_flight == 1:
        accepted = sum(post(one) == 200 for one in ids)
    else:
        with ThreadPoolExecutor(order.in_flight) as pool:
            accepted = sum(status == 200 for status in pool.map(post, ids))
    sys.exit(accepted != order.posts)


if __name__ == "__main__":
    main()
