#!/bin/sh
# Kafka's test framework: trogdor.sh COMMAND [ARGUMENT...]
here=${0%/*}
[ "$here" != "$0" ] || here=.
command=${1:-}
[ $# -eq 0 ] || shift
case $command in
  agent) class=org.apache.kafka.trogdor.agent.Agent ;;
  agent-client) class=org.apache.kafka.trogdor.agent.AgentClient ;;
  coordinator) class=org.apache.kafka.trogdor.coordinator.Coordinator ;;
  client) class=org.apache.kafka.trogdor.coordinator.CoordinatorClient ;;
  *)
    echo "usage: trogdor.sh agent|agent-client|coordinator|client [ARGUMENT...]" >&2
    case $command in help | -h | --help) exit 0 ;; esac
    exit 1
    ;;
esac
exec "$here/kafka-run-class.sh" "$class" "$@"
