"""The load that every client is given: the same message to ids of API Gateway's form."""

from base64 import urlsafe_b64encode

REGION = "eu-west-1"
ACCESS_KEY = "ASIABENCHMARKEXAMPLE"
SECRET_KEY = "bench"  # noqa: S105 - the sink checks no signature
TOKEN = "IQoJb3JpZ2luX2VjEJf+/==" * 34 + "IQoJb3JpZ2luX2VjEA"
"""As long as a Lambda role's session token: 800 characters."""

PAYLOAD = b'{"type":"score","match":4711,"home":2,"away":1,"minute":"' + b"7" * 153 + b'"}'
"""212 bytes."""

IDS = [
    urlsafe_b64encode(number.to_bytes(11, "big")).decode() for number in range(10**9, 10**9 + 9973)
]
"""Sixteen characters that end in `=`."""
