"""The few intrinsic functions whose values the repairs need, as CloudFormation resolves them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


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
    """

    parameters: Mapping[str, str]
    resources: Mapping[str, str]
    conditions: Mapping[str, Any]

    def resolve(self, value: Any) -> Any:
        """*value* with `Ref` and `Fn::If` replaced; None where it resolves to `AWS::NoValue`.

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
            case {"Fn::If": [str(name), then, otherwise]}:
                return self._resolve(then if self._holds({"Condition": name}) else otherwise)
            case dict() if any(key.startswith("Fn::") for key in value):
                raise UnresolvedError(f"cannot resolve {', '.join(value)}")
            case dict():
                resolved = {key: self._resolve(inner) for key, inner in value.items()}
                return {key: inner for key, inner in resolved.items() if inner is not _NO_VALUE}
            case list():
                items = [self._resolve(inner) for inner in value]
                return [inner for inner in items if inner is not _NO_VALUE]
            case _:
                return value

    def _ref(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return _NO_VALUE
        for values in (self.parameters, self.resources):
            if name in values:
                return values[name]
        raise UnresolvedError(f"cannot resolve Ref {name}")

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
