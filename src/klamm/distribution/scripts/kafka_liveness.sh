#!/bin/sh
# Alive means: java runs and, once the broker was ready, its replication listener is still open.
pid=
{ read -r pid < "${KAFKA_TEMPORARY:-/tmp}/kafka/pid"; } 2> /dev/null
if [ -z "$pid" ] || ! kill -0 "$pid" 2> /dev/null; then
  echo "no java process"
  exit 1
fi
[ ! -e "${KAFKA_READY_FOLDER:-/var/opt/kafka}/kafka-ready" ] || exec "${0%/*}/kafka_readiness.sh"
