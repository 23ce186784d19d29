"""A deployed stack, as CloudFormation describes it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from console.errors import ConsoleError
from socketwatch.aws.clients import AWS_ERRORS, error_code
from socketwatch.settings import Api


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack by its name, the API that it watches, and when it was created (epoch ms)."""

    name: str
    api: Api
    created_at: int
    outputs: Mapping[str, str] = field(default_factory=dict)

    def output(self, name: str) -> str:
        """One of its outputs.

        Raises:
            ConsoleError: It has none of that name: it is of another version.
        """
        try:
            return self.outputs[name]
        except KeyError:
            raise ConsoleError(f"stack {self.name} has no output {name}") from None


def find(cloudformation: Any, name: str) -> Stack:
    """The stack of that name.

    Raises:
        ConsoleError: There is none, or it has no API among its outputs.
        BotoCoreError, ClientError: CloudFormation gave no answer, or another one.
    """
    with looking_for(name):
        found = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in found.get("Outputs", [])}
    try:
        api = Api(outputs["ApiId"], outputs["StageName"])
    except KeyError as missing:
        raise ConsoleError(
            f"stack {name} is {found['StackStatus']} and has no output {missing.args[0]}"
        ) from missing
    return Stack(name, api, round(found["CreationTime"].timestamp() * 1_000), outputs)


@contextmanager
def looking_for(name: str) -> Iterator[None]:
    """Ask CloudFormation about the stack of that name within this.

    Raises:
        ConsoleError: There is none.
        BotoCoreError, ClientError: CloudFormation gave no answer, or another one.
    """
    try:
        yield
    except AWS_ERRORS as error:
        # CloudFormation has no code of its own for this: a malformed name is the same error.
        if error_code(error) == "ValidationError" and "does not exist" in str(error):
            raise ConsoleError(f"no stack {name} here: see --stack and --region") from error
        raise
