# Read by kafka_run.sh and zookeeper_run.sh: the pod's environment → the JVM's options. Not a program.
#
# STRIMZI_JAVA_OPTS and STRIMZI_JAVA_SYSTEM_PROPERTIES come from jvmOptions; metrics from a metrics-config.json.
#
# A JVM remembers a name's address for 30 s. A broker is back with a new one in a tenth of that, and a controller that
# goes on dialling the old one leaves it without partitions for so long. jvmOptions come later, and so win.
KAFKA_OPTS="-Dsun.net.inetaddr.ttl=2 ${KAFKA_OPTS:-} ${STRIMZI_JAVA_OPTS:-} ${STRIMZI_JAVA_SYSTEM_PROPERTIES:-}"
if [ "${STRIMZI_KAFKA_GC_LOG_ENABLED:-false}" = true ]; then
  KAFKA_OPTS="$KAFKA_OPTS -Xlog:gc*:stdout:time -XX:NativeMemoryTracking=summary"
fi
if [ "${KAFKA_METRICS_ENABLED:-${ZOOKEEPER_METRICS_ENABLED:-false}}" = true ]; then
  set +f
  for agent in "$KAFKA_HOME"/agents/jmx_prometheus_javaagent-*.jar; do
    [ ! -r "$agent" ] || KAFKA_OPTS="$KAFKA_OPTS -javaagent:$agent=9404:$volumes/custom-config/metrics-config.json"
  done
  set -f
fi
export KAFKA_OPTS

# Without a heap of its own the pod takes a share of its memory limit, when it has a limit.
if [ -z "${KAFKA_HEAP_OPTS:-}" ] && [ -n "${STRIMZI_DYNAMIC_HEAP_PERCENTAGE:-}" ]; then
  limit=max
  for file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    [ ! -r "$file" ] || read -r limit < "$file" || :
  done
  if [ "$limit" != max ]; then
    heap=$((limit / 100 * STRIMZI_DYNAMIC_HEAP_PERCENTAGE))
    largest=${STRIMZI_DYNAMIC_HEAP_MAX:-$heap}
    [ "$heap" -le "$largest" ] || heap=$largest
    KAFKA_HEAP_OPTS="-Xms$heap -Xmx$heap"
  fi
fi
export KAFKA_HEAP_OPTS="${KAFKA_HEAP_OPTS:--Xms128M}"
