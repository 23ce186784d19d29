"""A browser of this machine that can make a picture of a file."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from console.errors import ConsoleError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLAYWRIGHT = ".cache/ms-playwright"
BINARIES = ("chromium-*/chrome-linux*/chrome", "chromium_headless_shell-*/*/*headless*shell")
"""Where Playwright keeps the browsers that it brings, unless PLAYWRIGHT_BROWSERS_PATH says."""

PATIENCE = 60
"""Seconds that a picture may take."""

DRAWN_MS = 3_000
"""Milliseconds of the page's own time after which it is drawn."""


def find(environment: Mapping[str, str] = os.environ) -> str:
    """The path of a Chromium: of the system, else of Playwright.

    Raises:
        ConsoleError: There is none.
    """
    for path in _candidates(environment):
        if path:
            return path
    raise ConsoleError(
        f"a picture needs Chromium, and none of {', '.join(NAMES)} is here: "
        "install it, or run `playwright install chromium`, or write .html"
    )


def _candidates(environment: Mapping[str, str]) -> Iterator[str | None]:
    path = environment.get("PATH", os.defpath)
    for name in NAMES:
        yield shutil.which(name, path=path)
    home = Path(environment.get("HOME", "/nonexistent"))
    kept = Path(environment.get("PLAYWRIGHT_BROWSERS_PATH") or home / PLAYWRIGHT)
    for pattern in BINARIES:
        # The newest last, as Playwright numbers its browsers.
        yield from (str(found) for found in sorted(kept.glob(pattern), reverse=True))


def flags() -> list[str]:
    """What a Chromium without a window is started with.

    Its sandbox cannot be had as root; it is asked for our own files and loopback pages alone.
    """
    return ["--no-sandbox"] if os.geteuid() == 0 else []


def picture(html: str, out: Path, width: int, height: int) -> None:
    """Draw *html* and write it as PNG; *width* and *height* are CSS pixels.

    Raises:
        ConsoleError: There is no browser, it failed, or *out* cannot be written.
    """
    browser = find()
    with tempfile.TemporaryDirectory() as folder:
        page, drawn = Path(folder) / "page.html", Path(folder) / "page.png"
        page.write_text(html)
        command = [
            browser,
            "--headless",
            "--disable-gpu",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
            f"--user-data-dir={folder}/profile",
            f"--virtual-time-budget={DRAWN_MS}",
            f"--window-size={width},{height}",
            f"--screenshot={drawn}",
            *flags(),
            page.as_uri(),
        ]
        _run(command)
        if not drawn.exists():
            raise ConsoleError(f"{browser} drew nothing")
        try:
            shutil.copyfile(drawn, out)
        except OSError as error:
            raise ConsoleError(f"{out}: {error.strerror}") from error


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, capture_output=True, timeout=PATIENCE, check=True)  # noqa: S603 - a browser found here, and our own file
    except subprocess.TimeoutExpired as error:
        raise ConsoleError(f"{command[0]} drew nothing within {PATIENCE} s") from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConsoleError(f"{command[0]} failed: {error}") from error
