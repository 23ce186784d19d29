"""The errors that Socketwatch raises on purpose.

SocketwatchError
├── SettingError          a setting is missing or malformed; names it
├── BadReply              what came over the wire is no HTTP reply (socketwatch.framing)
├── BadEvent              an event that no API Gateway of ours has sent
├── BadQuestion           a question about reports that has no answer; carries a code
├── BadFrame              a peer's frame that cannot be done; carries the code for the peer
├── Refused               a peer may not connect; carries the word for the log
├── BadShard              a message of the shards queue that no planner of ours has sent
├── HistoryUnavailable    CloudWatch did not give past metrics
├── InvalidId             a connection id that no URL can carry (socketwatch.sigv4)
├── KeysNotFetched        the JWKS endpoint gave no usable key set
├── LedgerUnavailable     as RegistryUnavailable, for the ledger of deliveries
├── NoCredentials         neither environment, profile nor role has any
├── NotPublished          S3, EventBridge or SNS did not take what a report became
├── QueueUnavailable      SQS did not take every message
└── RegistryUnavailable   DynamoDB did not answer in time, or throttled for too long
"""


class SocketwatchError(Exception):
    """Root of every error raised on purpose."""


class SettingError(SocketwatchError):
    """A setting is missing or malformed; the message is one line that names it."""


class BadEvent(SocketwatchError):  # noqa: N818 - reads as what it is; "Error" would add nothing
    """The event is not one that the configured API and stage sent; nothing was changed.

    Attributes:
        status: the HTTP status to answer with, 400 (malformed) or 403 (another API's).
    """

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


class BadFrame(SocketwatchError):  # noqa: N818 - as BadEvent
    """A peer asked for what cannot be done; nothing was changed.

    Attributes:
        code: the word that the error frame carries, from `socketwatch.frames.Code`.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Refused(SocketwatchError):  # noqa: N818 - as BadEvent
    """A peer may not connect. Nothing of what it sent is in the message.

    Attributes:
        reason: the word for the log, from `socketwatch.tokens.Reason`.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class KeysNotFetched(SocketwatchError):  # noqa: N818 - as BadEvent
    """The JWKS endpoint gave no usable key set; the message is one word for the log."""


class RegistryUnavailable(SocketwatchError):  # noqa: N818 - as BadEvent
    """The registry did not answer; whether a write took effect is unknown."""


class LedgerUnavailable(SocketwatchError):  # noqa: N818 - as BadEvent
    """The ledger did not answer; whether a write took effect is unknown."""


class QueueUnavailable(SocketwatchError):  # noqa: N818 - as BadEvent
    """The queue did not take every message; some may be on their way."""


class BadShard(SocketwatchError):  # noqa: N818 - as BadEvent
    """The message is no shard; nothing was posted for it."""


class NotPublished(SocketwatchError):  # noqa: N818 - as BadEvent
    """The report is not everywhere it should be; it is still in the ledger, to be tried again."""


class HistoryUnavailable(SocketwatchError):  # noqa: N818 - as BadEvent
    """CloudWatch does not answer, or does not allow the question; what hangs on it is not said."""


class BadQuestion(SocketwatchError):  # noqa: N818 - as BadEvent
    """A question about reports that has no answer; the message says why in one line.

    Attributes:
        code: the same as a word.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
