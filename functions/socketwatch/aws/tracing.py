"""Tracing behind an interface of ours: AWS ends support for aws-xray-sdk on 2027-02-25.

Nothing else may import that SDK, and it is imported only when a first span is opened in a function
whose tracing is active: it costs a quarter of a second of cold start.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Notes = dict[str, str | int]


class Tracer(Protocol):
    """What the handlers ask of tracing."""

    def span(self, name: str) -> AbstractContextManager[Notes]:
        """A timed span; the notes it yields become its annotations when it ends."""


class NoTracer:
    """Traces nothing, at no cost."""

    @contextmanager
    def span(self, name: str) -> Iterator[Notes]:  # noqa: ARG002 - the interface's argument
        """A span that is not kept."""
        yield {}


class XRayTracer:
    """Spans as X-Ray subsegments of Lambda's own segment."""

    @contextmanager
    def span(self, name: str) -> Iterator[Notes]:
        """A subsegment; never one a post, for the SDK mixes up concurrent ones."""
        from aws_xray_sdk.core import xray_recorder

        notes: Notes = {}
        with xray_recorder.in_subsegment(name) as subsegment:
            yield notes
            for key, value in notes.items():
                subsegment.put_annotation(key, value)


def open_tracer(environment: Mapping[str, str] = os.environ) -> Tracer:
    """X-Ray where the function's tracing is `Active` and Lambda runs its daemon, else none."""
    active = environment.get("AWS_XRAY_DAEMON_ADDRESS") and environment.get("TRACING") == "Active"
    return XRayTracer() if active else NoTracer()


def header() -> str:
    """The trace header of this invocation, to send along with a message; empty outside Lambda."""
    return os.environ.get("_X_AMZN_TRACE_ID", "")
