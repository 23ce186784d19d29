"""The registry table with the keys and indexes that core.yaml declares, without CloudFormation."""

from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

CORE = Path(__file__).parents[2] / "core.yaml"


def create_registry(dynamodb: Any, name: str) -> None:
    """Create the table *name* as the template would."""
    template = yaml_parse(CORE.read_text())
    properties = template["Resources"]["Registry"]["Properties"]
    wanted = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    dynamodb.create_table(TableName=name, **{key: properties[key] for key in wanted})
