"""`python -m tests.browser.chromium`: see to it that there is a Chromium, and say where.

One on this machine is taken as it is. Otherwise Debian's package comes, where apt-get serves and we
may install; else the one that Playwright brings.
"""

import os
import shutil
import subprocess
import sys

from console.dashboards.browser import find
from console.errors import ConsoleError

APT = (["apt-get", "update", "-qq"], ["apt-get", "install", "-qq", "--yes", "chromium"])
PLAYWRIGHT = ([sys.executable, "-m", "playwright", "install", "chromium"],)


def main() -> int:
    """Bring one if there is none; 0 if there is one in the end."""
    if _found():
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        _run(APT)
    if _found():
        return 0
    _run(PLAYWRIGHT)
    if _found():
        return 0
    print("neither apt-get nor Playwright brought a Chromium", file=sys.stderr)  # noqa: T201 - a command's answer
    return 1


def _found() -> bool:
    try:
        print(find())  # noqa: T201 - a command's answer
    except ConsoleError:
        return False
    return True


def _run(commands: tuple[list[str], ...]) -> None:
    """Run commands until one fails; what they say is progress."""
    for command in commands:
        print(" ".join(command), file=sys.stderr)  # noqa: T201 - progress
        if subprocess.run(command, stdout=sys.stderr, check=False).returncode:  # noqa: S603 - our own commands
            return


if __name__ == "__main__":
    sys.exit(main())
