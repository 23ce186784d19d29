"""What signs a call: the credentials that botocore finds and refreshes."""

from collections.abc import Callable
from typing import Any

from socketwatch.aws import clients
from socketwatch.errors import SocketwatchError
from socketwatch.sigv4 import Credentials

CredentialsSource = Callable[[], Credentials]
"""Answers credentials that are good for minutes: asked before each run, frozen during it."""


class NoCredentials(SocketwatchError):  # noqa: N818 - reads as what it is
    """Neither environment, profile nor role has any."""


def session_credentials(session: Any = None) -> CredentialsSource:
    """The credentials of a botocore session, by default the one that this process's clients share.

    botocore refreshes temporary ones ten minutes before they end; that may take a call.

    Raises:
        NoCredentials: when asked, not before.
    """
    source = session or clients.session()

    def frozen() -> Credentials:
        found = source.get_credentials()
        if found is None:
            raise NoCredentials("no AWS credentials were found")
        keys = found.get_frozen_credentials()
        return Credentials(keys.access_key, keys.secret_key, keys.token)

    return frozen
