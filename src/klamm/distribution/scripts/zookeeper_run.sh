#!/bin/sh
# The main process of a ZooKeeper pod.
#
# Makes, readable by this user only, /tmp/zookeeper/{cluster.truststore,node.keystore}.pem from cluster-ca-certs/*.crt and
# zookeeper-node-certs/$HOSTNAME.{key,crt}, /tmp/zookeeper.properties from ZOOKEEPER_CONFIGURATION and the number of nodes, and
# the data folder with myid (the pod's ordinal + 1), and becomes java. Off this host there is only mutual TLS; the plain
# client port is bound to 127.0.0.1 for the health check.
#
# KAFKA_VOLUMES, KAFKA_TEMPORARY and ZOOKEEPER_DATA move the folders (for a server outside a pod).
set -f
umask 077
here=${0%/*}
KAFKA_HOME=${KAFKA_HOME:-$here}
volumes=${KAFKA_VOLUMES:-/opt/kafka}
temporary=${KAFKA_TEMPORARY:-/tmp}
data=${ZOOKEEPER_DATA:-/var/lib/zookeeper}
[ -n "${HOSTNAME:-}" ] || read -r HOSTNAME < /proc/sys/kernel/hostname

fail() {
  echo "zookeeper_run.sh on $HOSTNAME: $1" >&2
  exit 1
}

concatenate() {
  target=$1
  shift
  : > "$target"
  for file in "$@"; do
    while IFS= read -r line || [ -n "$line" ]; do
      printf '%s\n' "$line"
    done < "$file" >> "$target" || fail "reading $file for $target failed"
  done
}

stores=$temporary/zookeeper
[ -d "$stores" ] || mkdir -p "$stores" || fail "making $stores failed"
own=$volumes/zookeeper-node-certs/$HOSTNAME
[ -r "$own.key" ] || fail "there is no $own.key: the node's certificate is missing from its Secret"
concatenate "$stores/node.keystore.pem" "$own.key" "$own.crt"
set +f
concatenate "$stores/cluster.truststore.pem" "$volumes"/cluster-ca-certs/*.crt
set -f

base=${HOSTNAME%-*}
ordinal=${HOSTNAME##*-}
case $ordinal in
  '' | *[!0-9]*) fail "the host name does not end in the pod's number" ;;
esac
count=${ZOOKEEPER_NODE_COUNT:-}
[ ! -r "$volumes/custom-config/zookeeper.node-count" ] || read -r count < "$volumes/custom-config/zookeeper.node-count" || :
case $count in
  '' | *[!0-9]*) fail "custom-config/zookeeper.node-count is '$count', not a number" ;;
esac

# The kubelet writes this pod's full name to /etc/hosts; what follows the host name in it is common to all nodes.
domain=${ZOOKEEPER_DOMAIN:-}
if [ -z "$domain" ]; then
  while read -r _ names; do
    for name in $names; do
      case $name in
        "$HOSTNAME".*) domain=${name#"$HOSTNAME".} ;;
      esac
    done
  done < /etc/hosts
fi
[ -n "$domain" ] || fail "/etc/hosts has no full name for this pod"

[ -d "$data/data" ] || mkdir -p "$data/data" || fail "making $data/data failed"
identifier=$((ordinal + 1))
printf '%s\n' "$identifier" > "$data/data/myid"

# stores_of PREFIX: key and trust store of one of the two TLS contexts (clients, quorum).
stores_of() {
  printf '%s\n' "$1keyStore.location=$stores/node.keystore.pem" "$1keyStore.type=PEM" \
    "$1trustStore.location=$stores/cluster.truststore.pem" "$1trustStore.type=PEM" "$1clientAuth=need"
}

configuration=$temporary/zookeeper.properties
{
  printf '%s\n' "dataDir=$data/data" '4lw.commands.whitelist=*' standaloneEnabled=false reconfigEnabled=true \
    serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory "secureClientPort=${ZOOKEEPER_SECURE_PORT:-2181}" sslQuorum=true
  stores_of ssl.
  stores_of ssl.quorum.
  # Every node writes the same list of servers. One that named itself 0.0.0.0 would find its list to differ from the
  # leader's, and hold the election a second time; listening everywhere spares the wait for its own DNS name all the same.
  echo quorumListenOnAllIPs=true
  printf '%s\n' "${ZOOKEEPER_CONFIGURATION:-}"
  node=1
  while [ "$node" -le "$count" ]; do
    address=$base-$((node - 1)).$domain
    printf '%s\n' "server.$node=$address:2888:3888:participant;127.0.0.1:${ZOOKEEPER_PLAIN_PORT:-12181}"
    node=$((node + 1))
  done
} > "$configuration" || fail "writing $configuration failed"

if [ -r "$volumes/custom-config/log4j2.properties" ]; then
  export KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=$volumes/custom-config/log4j2.properties"
elif [ -r "$volumes/custom-config/log4j.properties" ]; then
  export KAFKA_LOG4J_OPTS="-Dlog4j.configuration=file:$volumes/custom-config/log4j.properties"
fi
KAFKA_OPTS="${KAFKA_OPTS:-} -Dzookeeper.skipACL=yes -Dzookeeper.electionPortBindRetry=0"
. "$KAFKA_HOME/pod_jvm.sh"
exec "$KAFKA_HOME/bin/kafka-run-class.sh" -name zookeeper org.apache.zookeeper.server.quorum.QuorumPeerMain "$configuration"
