"""The intrinsic functions that our templates use, as CloudFormation resolves them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")


class UnresolvedError(Exception):
    """A value uses a function or a name that is not known here."""


class _NoValue:
    """What `AWS::NoValue` stands for: its property is not there."""


_NO_VALUE = _NoValue()


@dataclass(frozen=True, slots=True)
class Scope:
    """What a template's names mean in one of its stacks.

    Args:
        parameters: Effective values, the defaults included.
        resources: Physical ids by logical id.
        conditions: As the template declares them.
        mappings: Likewise.
        attributes: By `LogicalId.Attribute`, of those resources whose attributes are known.
    """

    parameters: Mapping[str, str]
    resources: Mapping[str, str]
    conditions: Mapping[str, Any]
    mappings: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, value: Any) -> Any:
        """*value* with its functions replaced; None where it resolves to `AWS::NoValue`.

        Known are `Ref`, `Fn::If`, `Fn::Sub`, `Fn::GetAtt`, `Fn::Join` and `Fn::FindInMap`.

        Numbers from parameters are strings, as on AWS.

        Raises:
            UnresolvedError: For any other function, an unknown name or condition.
        """
        resolved = self._resolve(value)
        return None if resolved is _NO_VALUE else resolved

    def _resolve(self, value: Any) -> Any:
        match value:
            case {"Ref": str(name)}:
                return self._ref(name)
            case dict() if any(key.startswith("Fn::") for key in value):
                return self._function(value)
            case dict():
                resolved = {key: self._resolve(inner) for key, inner in value.items()}
                return {key: inner for key, inner in resolved.items() if inner is not _NO_VALUE}
            case list():
                items = [self._resolve(inner) for inner in value]
                return [inner for inner in items if inner is not _NO_VALUE]
            case _:
                return value

    def _function(self, value: Mapping[str, Any]) -> Any:
        match value:
            case {"Fn::If": [str(name), then, otherwise]}:
                return self._resolve(then if self.holds(name) else otherwise)
            case {"Fn::Sub": [str(text), dict(own)]}:
                return self._sub(text, own)
            case {"Fn::Sub": str(text)}:
                return self._sub(text, {})
            case {"Fn::GetAtt": [str(name), str(attribute)]}:
                return self._attribute(f"{name}.{attribute}")
            case {"Fn::Join": [str(between), [*parts]]}:
                return between.join(str(part) for part in self._resolve(parts))
            case {"Fn::FindInMap": [mapping, top, second]}:
                return self._found_in_map(mapping, top, second)
        raise UnresolvedError(f"cannot resolve {', '.join(value)}")

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        for values in (self.parameters, self.resources):
            if name in values:
                return values[name]
        raise UnresolvedError(f"cannot resolve Ref {name}")

    def _sub(self, text: str, own: Mapping[str, Any]) -> str:
        def one(found: re.Match[str]) -> str:
            literal, name = found[1], found[2].strip()
            if literal:
                return f"${{{name}}}"
            if name in own:
                return str(self._resolve(own[name]))
            return str(self._attribute(name) if "." in name else self._ref(name))

        return _VARIABLE.sub(one, text)

    def _attribute(self, name: str) -> str:
        if name in self.attributes:
            return self.attributes[name]
        raise UnresolvedError(f"cannot resolve GetAtt {name}")

    def _found_in_map(self, *path: Any) -> Any:
        mapping, top, second = (str(self._resolve(key)) for key in path)
        try:
            return self.mappings[mapping][top][second]
        except KeyError as missing:
            raise UnresolvedError(f"mapping {mapping} has no {missing.args[0]}") from missing

    def holds(self, condition: str) -> bool:
        """Whether the template's condition of that name is true.

        Raises:
            UnresolvedError: There is none of that name, or it asks about unknown names.
        """
        return self._holds({"Condition": condition})

    def _holds(self, condition: Any) -> bool:
        match condition:
            case {"Condition": str(name)} if name in self.conditions:
                return self._holds(self.conditions[name])
            case {"Fn::Equals": [left, right]}:
                return bool(self._resolve(left) == self._resolve(right))
            case {"Fn::Not": [inner]}:
                return not self._holds(inner)
            case {"Fn::And": [*inner]}:
                return all(self._holds(each) for each in inner)
            case {"Fn::Or": [*inner]}:
                return any(self._holds(each) for each in inner)
            case _:
                raise UnresolvedError(f"cannot resolve the condition {condition}")
