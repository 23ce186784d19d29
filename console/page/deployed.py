"""The deployed dashboards, as CloudWatch has them."""

from collections.abc import Mapping
from typing import Any

from console.errors import ConsoleError
from socketwatch.aws.clients import AWS_ERRORS, error_code

NOT_THERE = frozenset({"ResourceNotFound", "ResourceNotFoundException", "DashboardNotFoundError"})


class DeployedDashboards:
    """The dashboards of one stack, which are named `<stack>-<Region>-<page>`.

    A dashboard belongs to the whole account, so its name says the Region.
    """

    def __init__(self, cloudwatch: Any, stack: str, region: str) -> None:
        self._cloudwatch = cloudwatch
        self._prefix = f"{stack}-{region}-"

    def names(self) -> Mapping[str, str]:
        """The name that each page is deployed by."""
        pages = self._cloudwatch.get_paginator("list_dashboards").paginate(
            DashboardNamePrefix=self._prefix
        )
        names = [entry["DashboardName"] for page in pages for entry in page["DashboardEntries"]]
        return {name.removeprefix(self._prefix): name for name in names}

    def body(self, page: str) -> str:
        """The body of a page as deployed.

        Raises:
            ConsoleError: It is not deployed.
        """
        try:
            found = self._cloudwatch.get_dashboard(DashboardName=self._prefix + page)
        except AWS_ERRORS as error:
            if error_code(error) in NOT_THERE:
                raise ConsoleError(f"no dashboard {self._prefix}{page} is deployed") from error
            raise
        body: str = found["DashboardBody"]
        return body
