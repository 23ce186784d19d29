"""Tables with the keys and indexes that the templates declare, without CloudFormation."""

from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse

ROOT = Path(__file__).parents[2]
WANTED = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")


def create(dynamodb: Any, template: str, logical_id: str, name: str) -> None:
    """Create the table *logical_id* of a template under a name of one's own."""
    found = yaml_parse((ROOT / template).read_text())
    properties = found["Resources"][logical_id]["Properties"]
    dynamodb.create_table(TableName=name, **{key: properties[key] for key in WANTED})
