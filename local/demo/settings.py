"""What the command line of the demo may choose."""

from dataclasses import dataclass, replace

from local.stack import StackSettings

BRIEF = {"ReconnectStormPercent": "3000"}
"""What the runbook of ReconnectStorm advises for sessions as short as the crowd's."""

FAST = {"CheckAfterSeconds": "10", "ConfirmAfterSeconds": "2", "GraceSeconds": "3"}
"""Probes that a watcher has the patience for; on AWS a row is due after a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """One run.

    Attributes:
        seconds: how long; 0 lasts until Ctrl-C.
        peers: how many.
        page_port: where the page is.
        haunted: whether ghosts are made, and reaped fast.
    """

    seconds: float
    peers: int
    page_port: int
    haunted: bool
    stack: StackSettings

    def of_stack(self) -> StackSettings:
        """The stack's settings."""
        return replace(self.stack, parameters=BRIEF | (FAST if self.haunted else {}))
