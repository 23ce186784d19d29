# What the runbooks' commands are made of; sourced, not run:  export STACK=socketwatch; . alarms/runbooks/setup.sh
# Reads only. Against a running `make demo`: export AWS_ENDPOINT_URL=http://127.0.0.1:8093 first, with any key and Region; its alarms
# are not in the local CloudWatch, and `bin/socketwatch alarms list` tells of them instead of `firing`.
: "${STACK:?export STACK, the name of the stack, before this file is sourced}"

# An output of the stack, such as ApiId, DeliverFunction or ShardsQueueUrl.
out() {
  aws cloudformation describe-stacks --stack-name "$STACK" \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text
}

# The last half hour of a metric, a line a minute: NAMESPACE NAME STATISTIC DIMENSIONS…
_minutes() {
  namespace=$1 name=$2 statistic=$3
  shift 3
  case $statistic in p[0-9]*) how=--extended-statistics ;; *) how=--statistics ;; esac
  case $statistic in p[0-9]*) value="ExtendedStatistics.$statistic" ;; *) value=$statistic ;; esac
  aws cloudwatch get-metric-statistics --namespace "$namespace" --metric-name "$name" "$how" "$statistic" \
    --period 60 --start-time "$(($(date +%s) - 1800))" --end-time "$(date +%s)" --dimensions "$@" \
    --query "sort_by(Datapoints,&Timestamp)[*].[Timestamp,$value]" --output text
}

# One of Socketwatch's own: metric NAME STATISTIC [Name=Outcome,Value=throttled]
metric() {
  name=$1 statistic=$2
  shift 2
  _minutes Socketwatch "$name" "$statistic" "Name=Api,Value=$(out ApiId)" "Name=Stage,Value=$(out StageName)" "$@"
}

# Of a function, such as Deliver, in the last half hour.
failures() { _minutes AWS/Lambda Errors Sum "Name=FunctionName,Value=$(out "$1Function")"; }
throttles() { _minutes AWS/Lambda Throttles Sum "Name=FunctionName,Value=$(out "$1Function")"; }
slowest() { _minutes AWS/Lambda Duration p99 "Name=FunctionName,Value=$(out "$1Function")"; }

# Throttled requests of both tables and their indexes.
throttled_requests() {
  for table in RegistryTable LedgerTable; do
    for direction in Read Write; do
      echo "$table: $direction"
      _minutes AWS/DynamoDB "${direction}ThrottleEvents" Sum "Name=TableName,Value=$(out $table)"
    done
  done
  for index in by-age by-user; do
    echo "$index: Write"
    _minutes AWS/DynamoDB WriteThrottleEvents Sum "Name=TableName,Value=$(out RegistryTable)" \
      "Name=GlobalSecondaryIndexName,Value=$index"
  done
}

# A function's log of the last minutes: logs Deliver [30]
logs() {
  group=$(aws lambda get-function-configuration --function-name "$(out "$1Function")" \
    --query LoggingConfig.LogGroup --output text)
  aws logs filter-log-events --log-group-name "$group" --start-time "$((($(date +%s) - 60 * ${2:-15}) * 1000))" \
    --query 'events[*].message' --output text | tr '\t' '\n' | grep -v '^$'
}

# The alarms that are on, and since when.
firing() {
  aws cloudwatch describe-alarms --alarm-name-prefix "$STACK-" --alarm-types MetricAlarm CompositeAlarm \
    --state-value ALARM --query '[MetricAlarms,CompositeAlarms][][].[AlarmName,StateUpdatedTimestamp]' --output text
}
