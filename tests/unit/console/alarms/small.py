"""A small template with an alarm of each sort, and cases that prove them."""

from collections.abc import Mapping
from pathlib import Path

TEMPLATE = """
Parameters:
  Name: {Type: String}
  Api: {Type: String}
  ThrottledPercent: {Type: Number, Default: 1}
  Mute: {Type: String, Default: ""}
Conditions:
  Mutes: !Not [!Equals [!Ref Mute, ""]]
Mappings:
  Of: {Blind: {Periods: 3}}
Resources:
  PageTopic:
    Type: AWS::SNS::Topic
  Throttled:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Sub ${Name}-Throttled
      AlarmDescription: "Posts are refused. Runbook: https://wiki/runbooks/Throttled.md, ask us."
      Metrics:
        - {Id: percent, Expression: "IF(valid >= 50, 100 * throttled / valid)"}
        - Id: throttled
          ReturnData: false
          MetricStat:
            Metric:
              Namespace: Socketwatch
              MetricName: Deliveries
              Dimensions:
                - {Name: Api, Value: !Ref Api}
                - {Name: Stage, Value: live}
                - {Name: Outcome, Value: throttled}
            Period: 60
            Stat: Sum
        - Id: valid
          ReturnData: false
          MetricStat:
            Metric:
              Namespace: Socketwatch
              MetricName: DeliveriesValid
              Dimensions: [{Name: Api, Value: !Ref Api}, {Name: Stage, Value: live}]
            Period: 60
            Stat: Sum
      Threshold: !Ref ThrottledPercent
      ComparisonOperator: GreaterThanThreshold
      EvaluationPeriods: 5
      DatapointsToAlarm: 3
      TreatMissingData: notBreaching
      AlarmActions: [!Ref PageTopic]
      OKActions: [!Ref PageTopic]
  Blind:
    Type: AWS::CloudWatch::Alarm
    Properties:
      AlarmName: !Join ["-", [!Ref Name, Blind]]
      AlarmDescription: "Nothing is heard. Runbook: https://wiki/runbooks/Blind.md, ask us."
      Namespace: Socketwatch
      MetricName: Heartbeat
      Dimensions: [{Name: Api, Value: !Ref Api}, {Name: Stage, Value: live}]
      Statistic: Sum
      Period: 60
      Threshold: 1
      ComparisonOperator: LessThanThreshold
      EvaluationPeriods: !FindInMap [Of, Blind, Periods]
      TreatMissingData: breaching
      AlarmActions: !If [Mutes, [!Ref PageTopic], [!Ref PageTopic, !Ref "AWS::NoValue"]]
  Users:
    Type: AWS::CloudWatch::CompositeAlarm
    Properties:
      AlarmName: !Sub ${Name}-Users
      AlarmDescription: "Users feel it. Runbook: https://wiki/runbooks/Users.md, ask us."
      AlarmRule: !Sub ALARM("${Throttled}") OR ALARM(${Blind})
      AlarmActions: [!Ref PageTopic]
      ActionsSuppressor: !GetAtt Blind.Arn
      ActionsSuppressorWaitPeriod: 120
      ActionsSuppressorExtensionPeriod: 60
  Deploy:
    Type: AWS::CloudWatch::AlarmMuteRule
    Condition: Mutes
    Properties:
      Name: !Sub ${Name}-deploy
      Rule: {Schedule: {Expression: !Ref Mute, Duration: PT1H}}
      MuteTargets: {AlarmNames: [!Ref Throttled]}
"""

THROTTLED = """
alarm: Throttled
runbook: Throttled.md
survivors:
  number 2 of percent down: ninety and a hundred are alike here
cases:
  - name: two percent in three of five minutes
    proves: fires
    series:
      Deliveries{Outcome=throttled}: 0x10 2 0 2 0 2 0x5
      DeliveriesValid: 100x20
    checks:
      - {at: 14m, expect: OK}
      - {at: 15m, expect: ALARM, notified: [PageTopic ALARM]}
      - {at: 16m, expect: OK, notified: [PageTopic OK]}
  - name: one percent
    proves: quiet
    series:
      Deliveries{Outcome=throttled}: 1x20
      DeliveriesValid: 100x20
    checks:
      - {at: 20m, expect: OK}
  - name: many of few
    proves: quiet
    series:
      Deliveries{Outcome=throttled}: 40x20
      DeliveriesValid: 49x20
    checks:
      - {at: 20m, expect: OK}
  - name: few of just enough
    series:
      Deliveries{Outcome=throttled}: 1x20
      DeliveriesValid: 50x20
    checks:
      - {at: 20m, expect: ALARM}
  - name: nothing at all
    proves: missing
    checks:
      - {at: 5m, expect: OK}
  - name: silence after a storm
    proves: recovers
    series:
      Deliveries{Outcome=throttled}: 2x10
      DeliveriesValid: 100x10 _x20
    checks:
      - {at: 10m, expect: ALARM}
      - {at: 30m, expect: OK}
"""


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """The files of a folder, by name."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder
