# What the runbooks' commands are made of; sourced, not run:  export STACK=socketwatch; . alarms/runbooks/setup.sh
# Reads only. Against a running `make demo`: export AWS_ENDPOINT_URL=http://127.0.0.1:8093 first, with any key and Region; its alarms
# are not in the local CloudWatch, and `bin/socketwatch alarms list` tells of them instead of `firing`.
: "${STACK:?export STACK, the name of the stack, before this file is sourced}"

# An output of the stack, such as ApiId, DeliverFunction or ShardsQueueUrl.
out() {
  aws cloudformation describe-stacks --stack-name "$STACK" \
    --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue" --output text
}

# The last seconds of a metric, a line a minute that has a value: SECONDS NAMESPACE NAME STATISTIC DIMENSIONS…
_minutes() {
  seconds=$1 namespace=$2 name=$3 statistic=$4
  shift 4
  case $statistic in p[0-9]*) how=--extended-statistics ;; *) how=--statistics ;; esac
  case $statistic in p[0-9]*) value="ExtendedStatistics.$statistic" ;; *) value=$statistic ;; esac
  aws cloudwatch get-metric-statistics --namespace "$namespace" --metric-name "$name" "$how" "$statistic" \
    --period 60 --start-time "$(($(date +%s) - seconds))" --end-time "$(date +%s)" --dimensions "$@" \
    --query "sort_by(Datapoints,&Timestamp)[*].[Timestamp,$value]" --output text
}

# One of Socketwatch's own, of the last half hour or of so many hours, at most 23:
#   metric [HOURS] NAME STATISTIC [Name=Outcome,Value=throttled]
# What the census writes once an hour needs hours: metric 6 ErrorBudgetLeft Minimum
metric() {
  since=1800
  case $1 in [0-9]*) since=$((3600 * $1)) && shift ;; esac
  name=$1 statistic=$2
  shift 2
  _minutes "$since" Socketwatch "$name" "$statistic" "Name=Api,Value=$(out ApiId)" "Name=Stage,Value=$(out StageName)" "$@"
}

# Of a function, such as Deliver, in the last half hour.
failures() { _minutes 1800 AWS/Lambda Errors Sum "Name=FunctionName,Value=$(out "$1Function")"; }
throttles() { _minutes 1800 AWS/Lambda Throttles Sum "Name=FunctionName,Value=$(out "$1Function")"; }
slowest() { _minutes 1800 AWS/Lambda Duration p99 "Name=FunctionName,Value=$(out "$1Function")"; }

# Throttled requests of the tables and their indexes: what RegistryThrottled adds up, one by one.
throttled_requests() {
  for direction in Read Write; do
    _throttled RegistryTable "" "$direction"
    _throttled RegistryTable by-age "$direction"
    _throttled RegistryTable by-user "$direction"
    _throttled LedgerTable "" "$direction"
  done
  _throttled LedgerTable open Write
}

# TABLE INDEX DIRECTION; the table itself where the index is empty.
_throttled() {
  direction=$3
  echo "$1${2:+ $2}: $direction"
  if [ -n "$2" ]; then
    set -- "Name=TableName,Value=$(out "$1")" "Name=GlobalSecondaryIndexName,Value=$2"
  else
    set -- "Name=TableName,Value=$(out "$1")"
  fi
  _minutes 1800 AWS/DynamoDB "${direction}ThrottleEvents" Sum "$@"
}

# A function's log of the last minutes: logs Deliver [30]
logs() {
  group=$(aws lambda get-function-configuration --function-name "$(out "$1Function")" \
    --query LoggingConfig.LogGroup --output text)
  aws logs filter-log-events --log-group-name "$group" --start-time "$((($(date +%s) - 60 * ${2:-15}) * 1000))" \
    --query 'events[*].message' --output text | tr '\t' '\n' | grep -v '^$'
}

# The alarms that are on, and since when. (StateUpdatedTimestamp also moves while an alarm stays on.)
firing() {
  aws cloudwatch describe-alarms --alarm-name-prefix "$STACK-" --alarm-types MetricAlarm CompositeAlarm \
    --state-value ALARM --query '[MetricAlarms,CompositeAlarms][][].[AlarmName,StateTransitionedTimestamp]' --output text
}
