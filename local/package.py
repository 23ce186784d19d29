"""What `sam package` and AWS's SAM transform do, in this process.

The templates on disk are never changed. Two things differ from AWS: what ministack refuses or
stumbles over is left out, and named in the result; and a nested template is made plain before its
parent, because ministack would take it as it stands.
"""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import yaml
from samtranslator.metrics.metrics import DummyMetricsPublisher, Metrics
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from local.ministack import REGION

Template = dict[str, Any]

NOT_TAKEN = {
    "AWS::Serverless::LayerVersion": "ministack's environment holds the same packages",
    "AWS::ApiGatewayV2::RouteResponse": "set by API after the deploy",
    "AWS::ApiGatewayV2::IntegrationResponse": "ministack refuses it",
    "AWS::ApiGatewayV2::Model": "ministack refuses it",
    "AWS::CloudWatch::Alarm": "watched by our evaluator: ministack's knows no dimensions",
    "AWS::CloudWatch::AlarmMuteRule": "ministack refuses it; our evaluator reads the template",
    "AWS::CloudWatch::AnomalyDetector": "ministack refuses it",
    "AWS::CloudWatch::CompositeAlarm": "ministack refuses it; our evaluator reads the template",
    "AWS::CloudWatch::InsightRule": "ministack refuses it",
    "AWS::Athena::NamedQuery": "ministack refuses it",
    "AWS::Logs::QueryDefinition": "ministack refuses it",
}
"""Resource types left out, with the reason. Ministack 1.5.33 refuses a template whole for one."""

SCALING = "AWS::Lambda::EventSourceMapping ScalingConfig"
"""A mapping's limit, left out where it comes from a parameter: ministack 1.5.33 takes that as text,
compares it with a number, and from then on polls no queue."""

NESTED = {"AWS::Serverless::Application": "Location", "AWS::CloudFormation::Stack": "TemplateURL"}


class PackageError(Exception):
    """A template cannot be read, or the SAM transform refuses it; the message names the file."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A resource, or a property of one, that is in the template and not in the stack."""

    type: str
    logical_id: str
    why: str
    properties: Mapping[str, Any]

    def __str__(self) -> str:
        return f"left out: {self.type} {self.logical_id} ({self.why})"


@dataclass(frozen=True, slots=True)
class Package:
    """A plain CloudFormation template and those that it nests, by logical id."""

    template: Template
    left_out: tuple[LeftOut, ...]
    children: Mapping[str, "Package"]

    def all_left_out(self) -> Iterator[LeftOut]:
        """Its own left-out resources, then its children's."""
        yield from self.left_out
        for child in self.children.values():
            yield from child.all_left_out()


def zip_functions(folder: Path) -> bytes:
    """The functions' code as one zip: the same bytes for the same files, whatever their dates."""
    if not folder.is_dir():
        raise PackageError(f"{folder}: no such folder")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                entry = zipfile.ZipInfo(path.relative_to(folder).as_posix())
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    return buffer.getvalue()


def package(path: Path, code: str, upload_child: Callable[[Template], str]) -> Package:
    """Read the template at *path* and make it and its children plain.

    Parameters stay parameters, with their defaults: what is given to the stack, or by a parent to
    its child, counts, as on AWS. A logical id that SAM derives from a parameter's value (the
    stage's) may differ from AWS's.

    Args:
        path: The template. A child's place is relative to it.
        code: Where the functions' zip is, as `s3://bucket/key`.
        upload_child: Stores a child's plain template and answers with its URL.

    Raises:
        PackageError: Names the file and, for the transform, each cause.
    """
    template = _read(path)
    left_out = tuple(_leave_out(template))
    children = {}
    for logical_id, location, properties in _nested(template):
        children[logical_id] = package(path.parent / properties[location], code, upload_child)
        properties[location] = upload_child(children[logical_id].template)
    _use_code(template, code)
    plain = _transform(path, template)
    return Package(plain, (*left_out, *_leave_out_scaling(plain)), children)


def _read(path: Path) -> Template:
    try:
        template: Template = yaml_parse(path.read_text())
    except OSError as error:
        raise PackageError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise PackageError(f"{path}: {error}") from error
    return template


def _leave_out(template: Template) -> Iterator[LeftOut]:
    resources = template["Resources"]
    for logical_id, resource in list(resources.items()):
        if why := NOT_TAKEN.get(resource["Type"]):
            del resources[logical_id]
            yield LeftOut(resource["Type"], logical_id, why, resource.get("Properties", {}))


def _leave_out_scaling(template: Template) -> Iterator[LeftOut]:
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Lambda::EventSourceMapping":
            scaling = resource["Properties"].get("ScalingConfig", {})
            if not isinstance(scaling.get("MaximumConcurrency", 0), int):
                del resource["Properties"]["ScalingConfig"]
                yield LeftOut(SCALING, logical_id, "set by API after the deploy", scaling)


def _nested(template: Template) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for logical_id, resource in template["Resources"].items():
        location = NESTED.get(resource["Type"])
        if location and "://" not in resource["Properties"][location]:
            yield logical_id, location, resource["Properties"]


def _use_code(template: Template, code: str) -> None:
    shared = template.get("Globals", {}).get("Function", {})
    functions = (
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    )
    for properties in (shared, *functions):
        properties.pop("Layers", None)
        if "CodeUri" in properties:
            properties["CodeUri"] = code


def _transform(path: Path, template: Template) -> Template:
    # SAM writes a default in place of its parameter; a child would not hear what its parent says.
    parameters = template.get("Parameters", {})
    template["Parameters"] = {
        name: {key: value for key, value in parameter.items() if key != "Default"}
        for name, parameter in parameters.items()
    }
    metrics = Metrics("socketwatch", DummyMetricsPublisher())
    session = boto3.Session(region_name=REGION)
    try:
        plain: Template = Translator({}, Parser(), boto_session=session, metrics=metrics).translate(
            template, {}
        )
    except InvalidDocumentException as error:
        causes = "; ".join(cause.message for cause in error.causes)
        raise PackageError(f"{path}: {causes}") from error
    finally:
        metrics.publish()
    return plain | {"Parameters": parameters}
