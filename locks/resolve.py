"""Write the locks again: every package of each environment, pinned and hashed, for every Python."""

import subprocess
import sys
import tempfile
import venv
from pathlib import Path

UV = "uv==0.13.8"
HERE = Path(__file__).parent
PROJECT = HERE.parent / "pyproject.toml"
LOCKS: dict[str, list[str]] = {
    "layer": [str(PROJECT)],
    "dev": [str(PROJECT), "--group", "dev"],
    "ministack": [str(PROJECT), "--group", "ministack"],
    "deploy": ["--group", "deploy"],
}
OPTIONS = "--universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet"


def main() -> None:
    """Resolve each lock with a uv of its own, so that the result hangs on nothing installed."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        binaries = Path(folder) / "bin"
        _run(str(binaries / "pip"), "install", "--quiet", UV)
        for name, inputs in LOCKS.items():
            print(f"locks/{name}.txt", file=sys.stderr)  # noqa: T201 - a command's progress
            output = ["--no-emit-index-url", "--output-file", str(HERE / f"{name}.txt")]
            _run(str(binaries / "uv"), "pip", "compile", *OPTIONS.split(), *inputs, *output)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, cwd=HERE.parent)  # noqa: S603 - our own arguments


if __name__ == "__main__":
    main()
