"""The operator's console: the `socketwatch` command."""

import sys
from pathlib import Path

# `python -m console` needs no PYTHONPATH: what it reads by is the functions' own code.
sys.path.append(str(Path(__file__).parents[1] / "functions"))
