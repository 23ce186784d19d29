import io
import os
import zipfile
from pathlib import Path

import pytest

from local.package import SCALING, PackageError, Template, package, zip_functions

ROOT = Path(__file__).parents[3]
CODE = "s3://bucket/code.zip"


def make(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    return folder


def test_the_zip_holds_the_functions_and_nothing_compiled(tmp_path: Path) -> None:
    folder = make(
        tmp_path, "connect.py", "socketwatch/rooms.py", "socketwatch/__pycache__/rooms.pyc"
    )

    archive = zipfile.ZipFile(io.BytesIO(zip_functions(folder)))

    assert archive.namelist() == ["connect.py", "socketwatch/rooms.py"]
    assert archive.read("connect.py") == b"# connect.py\n"


def test_the_same_files_make_the_same_zip_whatever_their_dates(tmp_path: Path) -> None:
    first = make(tmp_path / "first", "a.py", "b.py")
    second = make(tmp_path / "second", "b.py", "a.py")
    os.utime(second / "a.py", (0, 0))

    assert zip_functions(first) == zip_functions(second)


def test_a_changed_file_makes_another_zip(tmp_path: Path) -> None:
    folder = make(tmp_path, "a.py")
    before = zip_functions(folder)
    (folder / "a.py").write_text("changed = True\n")

    assert zip_functions(folder) != before


def test_a_missing_folder_is_an_error_and_not_an_empty_zip(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match="no such folder"):
        zip_functions(tmp_path / "nowhere")


def test_children_are_made_plain_and_their_parent_knows_where_they_are() -> None:
    uploaded: list[Template] = []

    def upload(child: Template) -> str:
        uploaded.append(child)
        return f"http://bucket/{len(uploaded)}"

    packaged = package(ROOT / "template.yaml", CODE, upload)

    core = packaged.template["Resources"]["Core"]
    assert core["Type"] == "AWS::CloudFormation::Stack"
    assert core["Properties"]["TemplateURL"] == "http://bucket/1"
    assert uploaded[0] == packaged.children["Core"].template
    for child in packaged.children.values():
        assert child.template in uploaded
    for template in uploaded:
        assert "Transform" not in template
        assert not [each for each in kinds(template) if each.startswith("AWS::Serverless")]


def kinds(template: Template) -> list[str]:
    return [resource["Type"] for resource in template["Resources"].values()]


def test_what_is_left_out_is_named_with_its_reason() -> None:
    packaged = package(ROOT / "template.yaml", CODE, lambda _: "http://bucket/child")
    response = "left out: AWS::ApiGatewayV2::RouteResponse {} (set by API after the deploy)"
    scaling = (
        "left out: AWS::Lambda::EventSourceMapping ScalingConfig DeliverFromShards"
        " (set by API after the deploy)"
    )
    layer = (
        "left out: AWS::Serverless::LayerVersion Dependencies"
        " (ministack's environment holds the same packages)"
    )

    ranking = "left out: AWS::CloudWatch::InsightRule {}Ranking (ministack refuses it)"
    query = "left out: AWS::Logs::QueryDefinition {}Query (ministack refuses it)"
    asking = "left out: AWS::Athena::NamedQuery {}Query (ministack refuses it)"

    # Every alarm is; tests/template/test_alarms.py says which.
    others = [
        one for one in packaged.all_left_out() if not one.type.endswith(("Alarm", "MuteRule"))
    ]

    assert sorted(str(left_out) for left_out in others) == [
        response.format("AckResponse"),
        response.format("BroadcastResponse"),
        response.format("DefaultResponse"),
        response.format("EchoResponse"),
        asking.format("LatencyByCampaign"),
        asking.format("LossPoints"),
        asking.format("ReachByTeam"),
        ranking.format("DisconnectReason"),
        ranking.format("RefusedPeer"),
        ranking.format("Room"),
        ranking.format("SlowClient"),
        scaling,
        query.format("DisconnectReasons"),
        query.format("Refusals"),
        query.format("RefusedPeers"),
        query.format("Rooms"),
        query.format("SlowClients"),
        layer,
        layer,
    ]


def test_only_a_limit_that_ministack_would_take_as_text_is_left_out_of_its_mapping() -> None:
    packaged = package(ROOT / "template.yaml", CODE, lambda _: "http://bucket/child")
    resources = packaged.template["Resources"]

    (scaling,) = (each for each in packaged.left_out if each.type == SCALING)
    assert scaling.properties == {"MaximumConcurrency": {"Ref": "DeliverWorkers"}}
    assert "ScalingConfig" not in resources["DeliverFromShards"]["Properties"]
    assert resources["BroadcastFromPlans"]["Properties"]["ScalingConfig"] == {
        "MaximumConcurrency": 2
    }


def test_every_function_runs_the_uploaded_code_without_a_layer() -> None:
    packaged = package(ROOT / "core.yaml", CODE, lambda _: "http://bucket/child")

    functions = [
        resource["Properties"]
        for resource in packaged.template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    ]
    assert len(functions) == 5
    for function in functions:
        assert function["Code"] == {"S3Bucket": "bucket", "S3Key": "code.zip"}
        assert "Layers" not in function


def test_a_parameter_stays_one_so_that_its_value_counts_and_not_its_default() -> None:
    template = package(ROOT / "core.yaml", CODE, lambda _: "http://bucket/child").template

    assert template["Parameters"]["StageName"]["Default"] == "live"
    assert template["Resources"]["ApiStage"]["Properties"]["StageName"] == {"Ref": "StageName"}


def test_packaging_changes_no_template_on_disk() -> None:
    before = [(ROOT / name).read_bytes() for name in ("core.yaml", "template.yaml")]

    package(ROOT / "template.yaml", CODE, lambda _: "http://bucket/child")

    assert [(ROOT / name).read_bytes() for name in ("core.yaml", "template.yaml")] == before


NO_ROUTES = """
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::WebSocketApi
    Properties: {Routes: {}, RouteSelectionExpression: $request.body.action}
"""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Resources: [", r"template\.yaml: while parsing"),
        (NO_ROUTES, r"template\.yaml: Resource with id \[Api\] .* at least one route"),
    ],
)
def test_a_bad_template_is_named_with_its_fault(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "template.yaml").write_text(text)

    with pytest.raises(PackageError, match=complaint):
        package(tmp_path / "template.yaml", CODE, lambda _: "http://bucket/child")


def test_a_missing_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackageError, match=r"core\.yaml: No such file"):
        package(tmp_path / "core.yaml", CODE, lambda _: "http://bucket/child")
