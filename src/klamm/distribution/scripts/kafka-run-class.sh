#!/bin/sh
# Start one Java class of this Kafka: kafka-run-class.sh [-name NAME] [-daemon] [-loggc] CLASS [ARGUMENT...]
#
# All launchers end here. The environment is the one that Kafka's users know: JAVA_HOME, KAFKA_HEAP_OPTS,
# KAFKA_JVM_PERFORMANCE_OPTS, KAFKA_OPTS, KAFKA_LOG4J_OPTS, KAFKA_JMX_OPTS, JMX_PORT, KAFKA_GC_LOG_OPTS, CLASSPATH, LOG_DIR,
# KAFKA_DEBUG. Options are split at white space; nothing is evaluated. From here to `exec java` no process is forked.
#
# A class-data archive (KLAMM_CLASS_ARCHIVE, else archives/classes.jsa) makes the JVM start in a fraction of the
# time. The JVM itself checks that it fits (same Java, same jars) and goes on without it when it does not.
set -f
here=${0%/*}
[ "$here" != "$0" ] || here=.
case $here in
  */bin) home=${here%/bin} ;;
  bin) home=. ;;
  *) home=$here/.. ;;
esac
java=${JAVA_HOME:+$JAVA_HOME/bin/}java

name= daemon= gc_log=
while [ $# -gt 0 ]; do
  case $1 in
    -name) name=$2; shift 2 ;;
    -daemon) daemon=yes; shift ;;
    -loggc) gc_log=${KAFKA_GC_LOG_OPTS-yes}; shift ;;
    *) break ;;
  esac
done
if [ $# -eq 0 ]; then
  echo "usage: ${0##*/} [-name NAME] [-daemon] [-loggc] CLASS [ARGUMENT...]" >&2
  exit 1
fi

logs=${LOG_DIR:-$home/logs}
# The class path is spelled out in a fixed order: the archive holds only for exactly this list.
if [ -r "$home/libs/class-path.sh" ]; then
  libs=$home/libs
  . "$home/libs/class-path.sh"
else
  class_path=$home/libs/*
fi
class_path=${CLASSPATH:+$CLASSPATH:}$class_path

if [ -z "${KAFKA_LOG4J_OPTS:-}" ]; then
  if [ -r "$home/config/tools-log4j2.properties" ]; then
    KAFKA_LOG4J_OPTS=-Dlog4j2.configurationFile=$home/config/tools-log4j2.properties
  else
    KAFKA_LOG4J_OPTS=-Dlog4j.configuration=file:$home/config/tools-log4j.properties
  fi
fi

if [ -n "${JMX_PORT:-}" ]; then
  remote=-Dcom.sun.management.jmxremote
  KAFKA_JMX_OPTS="${KAFKA_JMX_OPTS:-$remote=true $remote.authenticate=false $remote.ssl=false}"
  KAFKA_JMX_OPTS="$KAFKA_JMX_OPTS $remote.port=$JMX_PORT $remote.rmi.port=$JMX_PORT"
fi

archive=${KLAMM_CLASS_ARCHIVE:-$home/archives/classes.jsa}
if [ -r "$archive" ]; then
  sharing="-Xshare:auto -XX:SharedArchiveFile=$archive -Xlog:cds=off -Xlog:cds+dynamic=off"
else
  sharing=
fi

if [ "$gc_log" = yes ]; then
  gc_log="-Xlog:gc*:file=$logs/${name:-kafka}-gc.log:time,tags:filecount=10,filesize=100M"
fi
debug=
if [ -n "${KAFKA_DEBUG:-}" ]; then
  debug=${JAVA_DEBUG_OPTS:--agentlib:jdwp=transport=dt_socket,server=y,suspend=${DEBUG_SUSPEND_FLAG:-n},address=${JAVA_DEBUG_PORT:-5005}}
fi
server="-XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent"

class=$1
shift
set -- $sharing ${KAFKA_HEAP_OPTS:--Xmx256M} ${KAFKA_JVM_PERFORMANCE_OPTS:-$server} -Djava.awt.headless=true \
  $gc_log $debug ${KAFKA_JMX_OPTS:-} -Dkafka.logs.dir="$logs" $KAFKA_LOG4J_OPTS ${KAFKA_OPTS:-} \
  -cp "$class_path" "$class" "$@"
if [ -n "$daemon" ]; then
  [ -d "$logs" ] || mkdir -p "$logs"
  nohup "$java" "$@" > "$logs/${name:-kafka}.out" 2>&1 < /dev/null &
else
  exec "$java" "$@"
fi
