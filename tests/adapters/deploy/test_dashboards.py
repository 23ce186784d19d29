"""A page that is deployed is the very page that was linted."""

from console.alarms.template import read_template
from console.dashboards.body import read_body
from console.dashboards.ours import DASHBOARDS, our_pages
from local.deploy import deploy
from local.ministack import REGION, client, ministack


def test_the_deployed_bodies_are_ours() -> None:
    parameters = {
        name: "99.5" if declared["Type"] == "Number" else f"the-{name}"
        for name, declared in read_template(DASHBOARDS)["Parameters"].items()
    }
    with ministack() as aws:
        deploy(aws.endpoint, "pages", parameters, template=DASHBOARDS)
        account = client(aws.endpoint, "sts").get_caller_identity()["Account"]
        ours = our_pages(parameters | {"AWS::AccountId": account, "AWS::Region": REGION})
        cloudwatch = client(aws.endpoint, "cloudwatch")
        names = [one["DashboardName"] for one in cloudwatch.list_dashboards()["DashboardEntries"]]
        bodies = {
            name: cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"] for name in names
        }

    assert sorted(names) == sorted(page.deployed for page in ours)
    for page in ours:
        assert bodies[page.deployed] == page.text
        assert read_body(bodies[page.deployed]) == page.body
