"""The REQUEST authorizer on `$connect`: who the peer is, or a refusal that says nothing.

A refusal is a Deny policy, which API Gateway answers with 403. Raising "Unauthorized" would give
401, but each raise counts as an error of this function and prints a traceback.
"""

from typing import Any

from socketwatch.admission import AuthorizeSettings, admit, deny
from socketwatch.aws import environment, jwks, telemetry
from socketwatch.clock import Clock
from socketwatch.errors import Refused
from socketwatch.keys import Keys

SETTINGS = environment.read(AuthorizeSettings)
LOG = telemetry.logger("authorize")
KEYS = jwks.source(
    SETTINGS, environment.now_ms, lambda reason: LOG.warning("keys not fetched", reason=reason)
)


def authorize(
    event: Any, settings: AuthorizeSettings, keys: Keys | None, clock: Clock
) -> dict[str, Any]:
    """Allow with the peer's identity, or Deny; the log gets the reason and nothing of the event."""
    try:
        return admit(event, settings, keys, clock)
    except Refused as refusal:
        LOG.info("refused", reason=refusal.reason)
        return deny()


@LOG.inject_lambda_context(correlation_id_path="requestContext.connectionId")
def handler(event: Any, _context: Any) -> dict[str, Any]:
    """Lambda's entry."""
    return authorize(event, SETTINGS, KEYS, environment.now_ms)
