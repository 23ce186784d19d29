"""`python -m bench.cold.ours`: `connect` as it is deployed, and its first handshake."""

import sys

from bench.cold.event import CONNECT, Context
from connect import handler

sys.stdout.write(str(handler(CONNECT, Context())["statusCode"]))
