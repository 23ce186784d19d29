"""Makes the page's site of a deployed stack."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from console.access import Clients
from console.alarms.deployed import deployed
from console.alarms.template import read_template
from console.cloudwatch.fetching import CloudWatchSource
from console.logs.sources import InsightsLogs, LogSource, ReadLogs
from console.page.deployed import DeployedDashboards
from console.page.lives import People
from console.page.reports import LedgerReports
from console.page.resources import ALARMS, LOG_GROUPS, Resources
from console.page.site import Deployment, Site
from console.page.standing import AlarmBook, CloudWatchAlarms, Severity
from console.page.watched import Evaluated, WatchedAlarms
from console.stack import Stack, find
from socketwatch.aws.archive import DynamoArchive, Retention
from socketwatch.aws.dynamo import Table
from socketwatch.aws.history import CloudWatchHistory
from socketwatch.aws.ledger import DynamoLedger
from socketwatch.clock import Clock
from socketwatch.deliveries import LedgerTable
from socketwatch.errors import LedgerUnavailable

ARN = re.compile(r"arn:[^:]*:[^:]*:[^:]*:([^:]*):.*")
OF_FUNCTIONS = "/aws/lambda/"
RUNBOOKS = Path(__file__).parents[2] / "alarms" / "runbooks"


def open_site(
    client: Clients,
    name: str,
    clock: Clock,
    *,
    local: bool,
    live: bool = False,
    alarms: Callable[[Mapping[str, Severity]], AlarmBook] | None = None,
) -> Site:
    """The site of the stack *name*.

    Args:
        client: The AWS that it is deployed to.
        name: The stack's.
        clock: That of what is watched.
        local: A local stack, whose Logs Insights is not to be trusted.
        live: Whether a live view is mounted beside it.
        alarms: Makes what looks alarms up, of whom each topic tells; CloudWatch unless given.

    Raises:
        ConsoleError: There is no such stack, or it has no dashboards, registry or ledger.
        BotoCoreError, ClientError: AWS refused.
    """
    stack = find(client("cloudformation"), name)
    cloudwatch, logs = client("cloudwatch"), client("logs")
    region: str = cloudwatch.meta.region_name
    own = Resources(client("cloudformation"), name)
    source: LogSource = ReadLogs(logs) if local else InsightsLogs(logs)
    return Site(
        deployment=Deployment(
            name,
            stack.api.api_id,
            stack.api.stage,
            region,
            local=local,
            live=live,
            account=_account(stack),
        ),
        dashboards=DeployedDashboards(cloudwatch, name, region),
        source=CloudWatchSource(cloudwatch),
        logs=source,
        alarms=alarms(topics(stack)) if alarms else _alarms(client, stack, clock, own, local=local),
        people=People(
            client("dynamodb"),
            stack.output("RegistryTable"),
            source,
            partial(log_groups, own),
        ),
        reports=open_reports(client("dynamodb"), stack, clock),
        runbooks=runbooks(),
        clock=clock,
    )


def runbooks(folder: Path = RUNBOOKS) -> Mapping[str, str]:
    """Every runbook's text, by its alarm's condition."""
    return {path.stem: path.read_text() for path in sorted(folder.glob("*.md"))}


def open_reports(dynamodb: Any, stack: Stack, clock: Clock) -> LedgerReports:
    """The broadcasts of a stack, for as many days as it keeps them; nothing is ever written.

    Raises:
        ConsoleError: It has no ledger, or does not say how long it keeps reports.
    """
    layout = LedgerTable(stack.output("LedgerTable"), int(stack.output("ReportRetentionDays")))
    table = Table(layout.name, dynamodb, LedgerUnavailable)
    archive = DynamoArchive(table, Retention(layout.days))
    return LedgerReports(DynamoLedger(layout, table), archive, layout.days, clock)


def _alarms(
    client: Clients, stack: Stack, clock: Clock, own: Resources, *, local: bool
) -> AlarmBook:
    if not local:
        return CloudWatchAlarms(client("cloudwatch"), partial(own.of, ALARMS), topics(stack))
    catalogue = deployed(client("cloudformation"), stack.name, read_template())
    evaluated = Evaluated(catalogue, CloudWatchHistory(client("cloudwatch")), clock)
    return WatchedAlarms(catalogue, evaluated, topics(stack))


def topics(stack: Stack) -> Mapping[str, Severity]:
    """Whom each of the stack's topics tells, by the topic's ARN."""
    told = {"PageTopic": Severity.PAGE, "TicketTopic": Severity.TICKET}
    return {stack.outputs[one]: told[one] for one in told if one in stack.outputs}


def _account(stack: Stack) -> str:
    """The account of its topics, or nothing where it has none: then it has no alarms either."""
    found = (ARN.fullmatch(topic) for topic in topics(stack))
    return next((match[1] for match in found if match), "")


def log_groups(own: Resources) -> Sequence[str]:
    """The log groups of a stack's functions.

    Raises:
        BotoCoreError, ClientError: CloudFormation gave no answer, or another one.
    """
    return sorted(group for group in own.of(LOG_GROUPS) if group.startswith(OF_FUNCTIONS))
