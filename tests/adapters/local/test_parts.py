"""What a deploy onto this machine says of itself."""

from local.deploy import Deployed
from local.package import LeftOut
from local.parts import tell


def test_of_many_left_out_alike_three_are_named_and_the_others_counted() -> None:
    alarms = [LeftOut("AWS::CloudWatch::Alarm", f"Alarm{n}", "ours", {}) for n in range(9)]
    layer = LeftOut("AWS::Serverless::LayerVersion", "Libraries", "installed", {})
    said: list[str] = []

    tell("mine", Deployed({"ApiId": "a1"}, (*alarms, layer), ("repaired: a TTL",)), said.append)

    assert said == [
        "stack mine: API a1",
        "left out: AWS::CloudWatch::Alarm (ours): Alarm0, Alarm1, Alarm2 and 6 more",
        "left out: AWS::Serverless::LayerVersion (installed): Libraries",
        "repaired: a TTL",
    ]
