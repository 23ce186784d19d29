"""One client a module: `python -m bench.deliver.clients.NAME URL CA_FILE POSTS IN_FLIGHT`.

Each makes its posts, exits 0 if every one was answered with 200, and prints nothing.
"""

import sys
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class Order:
    """What a client is asked to do."""

    url: str
    ca_file: str
    posts: int
    in_flight: int

    @classmethod
    def from_command_line(cls) -> Self:
        """Read the four arguments."""
        url, ca_file, posts, in_flight = sys.argv[1:]
        return cls(url, ca_file, int(posts), int(in_flight))
