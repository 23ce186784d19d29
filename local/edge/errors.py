"""What can go wrong with the edge, as its callers see it.

EdgeError
├── ModelError: the deployed API cannot be read, or asks for what the edge does not have.
└── InvokeError: a call to a function ended without the function's answer.
    ├── InvokeTimeoutError: it took longer than the integration may.
    └── InvokeRefusedError: the queue before the functions is full, or closed.
"""


class EdgeError(Exception):
    """Root of all errors below; its text is one line for people."""


class ModelError(EdgeError):
    """The deployed API cannot be read, or asks for what the edge does not have."""


class InvokeError(EdgeError):
    """A call to a function ended without the function's answer; it may have run."""


class InvokeTimeoutError(InvokeError):
    """The function did not answer within the integration's time limit; it may still run."""


class InvokeRefusedError(InvokeError):
    """The queue before the functions is full or closed, so the function was not called."""
