#!/bin/sh
# Ready means: the replication listener accepts connections. Brokers open it when they can serve, and not before.
#
# One exec of grep over the kernel's tables (0A is LISTEN); no JVM and no connection that the broker would log.
port=9091
{ read -r port < "${KAFKA_TEMPORARY:-/tmp}/kafka/ready.port"; } 2> /dev/null
case $port in
  9090) port=2382 ;;
  9091) port=2383 ;;
  *) port=$(printf '%04X' "$port") ;;
esac
if ! grep -qsE "^ *[0-9]+: [0-9A-F]+:$port [0-9A-F]+:0000 0A" /proc/net/tcp6 /proc/net/tcp; then
  echo "nothing listens on the port that tells readiness yet"
  exit 1
fi
# Remembered for liveness, which may only judge the port once it was open.
{ : > "${KAFKA_READY_FOLDER:-/var/opt/kafka}/kafka-ready"; } 2> /dev/null || :
