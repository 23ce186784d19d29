"""YAML that remembers where it stands, so that an error can say the line."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from console.errors import ConsoleError


class CaseError(ConsoleError):
    """A case file that cannot be run: `file:line: what is wrong: what to write instead`."""


@dataclass(frozen=True, slots=True)
class Marked:
    """A node of a YAML document."""

    path: Path
    node: yaml.Node

    @property
    def line(self) -> int:
        """Its line, counted from 1."""
        return int(self.node.start_mark.line) + 1

    def error(self, what: str) -> CaseError:
        """An error that says where this stands."""
        return CaseError(f"{self.path}:{self.line}: {what}")

    def text(self) -> str:
        """A scalar as it is written; nothing for null."""
        if not isinstance(self.node, yaml.ScalarNode):
            raise self.error("a plain value must stand here")
        return "" if self.node.tag.endswith(":null") else str(self.node.value)

    def items(self) -> list["Marked"]:
        """The items of a list."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error("a list must stand here")
        return [Marked(self.path, node) for node in self.node.value]

    def entries(self) -> dict[str, "Marked"]:
        """The entries of a mapping; none for null."""
        return {key.text(): value for key, value in self._pairs()}

    def fields(self, needed: Collection[str], known: Collection[str]) -> Mapping[str, "Marked"]:
        """The entries, of which none may be missing or unknown."""
        for key, _ in self._pairs():
            if key.text() not in {*needed, *known}:
                said = ", ".join((*needed, *known))
                raise key.error(f"{key.text()} is not known here: write one of {said}")
        found = self.entries()
        for name in needed:
            if name not in found:
                raise self.error(f"{name} is missing")
        return found

    def _pairs(self) -> list[tuple["Marked", "Marked"]]:
        if isinstance(self.node, yaml.ScalarNode) and not self.text():
            return []
        if not isinstance(self.node, yaml.MappingNode):
            raise self.error("`name: value` must stand here")
        pairs = [(Marked(self.path, key), Marked(self.path, one)) for key, one in self.node.value]
        seen: set[str] = set()
        for key, _ in pairs:
            if key.text() in seen:
                raise key.error(f"{key.text()} stands here twice")
            seen.add(key.text())
        return pairs

    def is_mapping(self) -> bool:
        """Whether it has entries."""
        return isinstance(self.node, yaml.MappingNode)


def marked(path: Path) -> Marked:
    """The one document of a file.

    Raises:
        CaseError: The file cannot be read, is no YAML, or is empty.
    """
    try:
        node = yaml.compose(path.read_text(), Loader=yaml.SafeLoader)
    except OSError as error:
        raise CaseError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: this is no text") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise CaseError(f"{path}:{line}: this is no YAML: {error.problem}") from error
    except yaml.YAMLError as error:
        raise CaseError(f"{path}: this is no YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise CaseError(f"{path}: this is nested too deeply") from error
    if node is None:
        raise CaseError(f"{path}:1: the file is empty: begin with `alarm:` and `cases:`")
    return Marked(path, node)
