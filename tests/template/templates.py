"""The two templates, as written and as SAM makes them plain."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

from local.package import package

ROOT = Path(__file__).parents[2]
FILES = ("core.yaml", "template.yaml")

Template = dict[str, Any]
Resource = dict[str, Any]

WRITTEN: dict[str, Template] = {file: yaml_parse((ROOT / file).read_text()) for file in FILES}
PLAIN: dict[str, Template] = {
    file: package(ROOT / file, "s3://bucket/code", lambda _: "https://bucket/child").template
    for file in FILES
}
CORE, SIDECAR = WRITTEN["core.yaml"], WRITTEN["template.yaml"]


def of_type(template: Template, kind: str) -> dict[str, Resource]:
    """The properties of each resource of a type, by logical id."""
    return {
        logical_id: resource.get("Properties", {})
        for logical_id, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def functions() -> Iterator[tuple[Template, str, Resource]]:
    """Each function of both templates: its template, logical id and properties."""
    for template in WRITTEN.values():
        for logical_id, properties in of_type(template, "AWS::Serverless::Function").items():
            yield template, logical_id, properties


def module(function: Resource) -> str:
    """The module in `functions/` that a function runs."""
    name: str = function["Handler"].removesuffix(".handler")
    return name


def rendered(value: Any) -> Any:
    """An intrinsic as the text that stands in the template, so that it can be compared."""
    match value:
        case {"Ref": name} | {"Fn::Sub": str(name)}:
            return name
        case {"Fn::GetAtt": [*parts]}:
            return ".".join(parts)
        case {"Fn::GetAtt": str(parts)}:
            return parts
        case dict():
            return {key: rendered(inner) for key, inner in value.items()}
        case list():
            return [rendered(inner) for inner in value]
        case _:
            return value
