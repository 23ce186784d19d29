"""botocore clients, set up once: short time-outs, and only the retries that are asked for.

botocore itself rather than boto3's layer over it: the calls are the same and a cold start is a
tenth shorter. Region, credentials and endpoint come from the environment that Lambda provides.
"""

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

AWS_ERRORS = (BotoCoreError, ClientError, ResponseParserError)
"""Everything that a client raises for what AWS, the network, or whoever answers instead did."""


@cache
def client(service: str, *, attempts: int, read_timeout: float, endpoint: str | None = None) -> Any:
    """A client that tries each call at most *attempts* times; one per process and set-up.

    *endpoint* is for @connections alone, whose address no service model knows.
    """
    config = Config(
        connect_timeout=1,
        read_timeout=read_timeout,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=32,
        tcp_keepalive=True,
    )
    return session().create_client(service, config=config, endpoint_url=endpoint)


@cache
def session() -> Any:
    """Botocore's session, one per process."""
    return botocore.session.get_session()


def error_answer(error: Exception) -> dict[str, Any]:
    """What AWS answered, empty where it did not: botocore's time-outs have a response of None."""
    return getattr(error, "response", None) or {}


def error_code(error: Exception) -> str:
    """AWS's error code, empty where the call got no answer."""
    code = error_answer(error).get("Error", {}).get("Code", "")
    return code if isinstance(code, str) else ""


def cause(error: Exception) -> str:
    """AWS's error code, or what kept its answer away, such as `ReadTimeoutError`."""
    return error_code(error) or type(error).__name__
