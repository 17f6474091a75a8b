#!/bin/sh
# The main process of a Kafka pod.
#
# From the volumes that the operator mounts it makes, readable by this user only, the files that server.config names:
#   /tmp/kafka/cluster.truststore.pem     the CAs that the cluster trusts     <- cluster-ca-certs/*.crt
#   /tmp/kafka/cluster.keystore.pem       this broker's key and certificate   <- broker-certs/$HOSTNAME.{key,crt}
#   /tmp/kafka/clients.truststore.pem     the CAs of clients                  <- client-ca-certs/*.crt
#   /tmp/kafka/custom-ID.keystore.pem     a listener's own certificate        <- certificates/custom-ID-certs/*
#   /tmp/strimzi.properties               server.config with the node's rack and addresses filled in
# and becomes java. KAFKA_SERVER_DEFAULTS holds settings (NAME=VALUE, apart by spaces) for what server.config leaves open.
# Values come from files and environment and are only ever copied, never evaluated.
#
# KAFKA_VOLUMES and KAFKA_TEMPORARY move the folders (for a broker outside a pod).
set -f
umask 077
here=${0%/*}
KAFKA_HOME=${KAFKA_HOME:-$here}
volumes=${KAFKA_VOLUMES:-/opt/kafka}
temporary=${KAFKA_TEMPORARY:-/tmp}
ready_folder=${KAFKA_READY_FOLDER:-/var/opt/kafka}
[ -n "${HOSTNAME:-}" ] || read -r HOSTNAME < /proc/sys/kernel/hostname

fail() {
  echo "kafka_run.sh on $HOSTNAME: $1" >&2
  exit 1
}

# concatenate TARGET FILE...: the files one after the other, each ending with a line feed.
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

# authorities FOLDER TARGET: every *.crt of the folder, when there is one.
authorities() {
  set +f
  set -- "$2" "$1"/*.crt
  set -f
  [ ! -r "$2" ] || concatenate "$@"
}

stores=$temporary/kafka
[ -d "$stores" ] || mkdir -p "$stores" || fail "making $stores failed"
authorities "$volumes/cluster-ca-certs" "$stores/cluster.truststore.pem"
authorities "$volumes/client-ca-certs" "$stores/clients.truststore.pem"
own=$volumes/broker-certs/$HOSTNAME
if [ -r "$own.key" ]; then
  concatenate "$stores/cluster.keystore.pem" "$own.key" "$own.crt"
elif [ -d "$volumes/broker-certs" ]; then
  fail "there is no $own.key: the broker's certificate is missing from its Secret"
fi
set +f
for folder in "$volumes"/certificates/custom-*-certs; do
  [ -d "$folder" ] || continue
  identifier=${folder##*/custom-}
  concatenate "$stores/custom-${identifier%-certs}.keystore.pem" "$folder"/*.key "$folder"/*.crt
done
for folder in "$volumes"/certificates/oauth-*-certs "$volumes"/certificates/authz-*-certs; do
  [ -d "$folder" ] || continue
  identifier=${folder##*/}
  concatenate "$stores/${identifier%-certs}.truststore.pem" "$folder"/*.crt
done
set -f

# What kafka-init found on the node: lines `export NAME=VALUE`. Read, not sourced.
rack= default= external_ip= external_dns= internal_ip= internal_dns= node_hostname=
[ ! -r "$volumes/init/rack.id" ] || read -r rack < "$volumes/init/rack.id" || :
if [ -r "$volumes/init/external.address" ]; then
  while IFS= read -r line || [ -n "$line" ]; do
    line=${line#export }
    value=${line#*=}
    case ${line%%=*} in
      STRIMZI_NODEPORT_DEFAULT_ADDRESS) default=$value ;;
      STRIMZI_NODEPORT_EXTERNALIP_ADDRESS) external_ip=$value ;;
      STRIMZI_NODEPORT_EXTERNALDNS_ADDRESS) external_dns=$value ;;
      STRIMZI_NODEPORT_INTERNALIP_ADDRESS) internal_ip=$value ;;
      STRIMZI_NODEPORT_INTERNALDNS_ADDRESS) internal_dns=$value ;;
      STRIMZI_NODEPORT_HOSTNAME_ADDRESS) node_hostname=$value ;;
    esac
  done < "$volumes/init/external.address"
fi

# replace NAME VALUE: every ${NAME} of $line.
replace() {
  mark="\${$1}"
  rest=$line
  line=
  while :; do
    case $rest in
      *"$mark"*)
        line=$line${rest%%"$mark"*}$2
        rest=${rest#*"$mark"}
        ;;
      *) break ;;
    esac
  done
  line=$line$rest
}

configuration=$temporary/strimzi.properties
# What the image sets comes first: of two lines for one setting Kafka takes the last.
: > "$configuration" || fail "writing $configuration failed"
[ -z "${KAFKA_SERVER_DEFAULTS:-}" ] || printf '%s\n' $KAFKA_SERVER_DEFAULTS > "$configuration"
roles= log_dirs= metadata_dir=
while IFS= read -r line || [ -n "$line" ]; do
  case $line in
    *'${STRIMZI_'*)
      replace STRIMZI_RACK_ID "$rack"
      replace STRIMZI_NODEPORT_DEFAULT_ADDRESS "$default"
      replace STRIMZI_NODEPORT_EXTERNALIP_ADDRESS "$external_ip"
      replace STRIMZI_NODEPORT_EXTERNALDNS_ADDRESS "$external_dns"
      replace STRIMZI_NODEPORT_INTERNALIP_ADDRESS "$internal_ip"
      replace STRIMZI_NODEPORT_INTERNALDNS_ADDRESS "$internal_dns"
      replace STRIMZI_NODEPORT_HOSTNAME_ADDRESS "$node_hostname"
      ;;
  esac
  case $line in
    process.roles=*) roles=${line#*=} ;;
    log.dirs=*) log_dirs=${line#*=} ;;
    metadata.log.dir=*) metadata_dir=${line#*=} ;;
  esac
  printf '%s\n' "$line"
done < "$volumes/custom-config/server.config" >> "$configuration" \
  || fail "writing $configuration from $volumes/custom-config/server.config failed"

# A node whose only role is controller has nothing on 9091.
port=9091
[ "$roles" != controller ] || port=9090
printf '%s\n' "$port" > "$stores/ready.port"
printf '%s\n' "$$" > "$stores/pid"
# The volume outlives a restart of the container: readiness begins anew.
[ ! -e "$ready_folder/kafka-ready" ] || rm -f "$ready_folder/kafka-ready"

if [ -r "$volumes/custom-config/log4j2.properties" ]; then
  export KAFKA_LOG4J_OPTS="-Dlog4j2.configurationFile=$volumes/custom-config/log4j2.properties"
elif [ -r "$volumes/custom-config/log4j.properties" ]; then
  export KAFKA_LOG4J_OPTS="-Dlog4j.configuration=file:$volumes/custom-config/log4j.properties"
fi
. "$KAFKA_HOME/pod_jvm.sh"

# KRaft: a node's folders carry the cluster's identity before its first start.
if [ -n "$roles" ]; then
  formatted=yes
  old_ifs=$IFS
  IFS=,
  for folder in $log_dirs $metadata_dir; do
    [ -e "$folder/meta.properties" ] || formatted=
  done
  IFS=$old_ifs
  cluster_id=${STRIMZI_CLUSTER_ID:-}
  [ ! -r "$volumes/custom-config/cluster.id" ] || read -r cluster_id < "$volumes/custom-config/cluster.id" || :
  release=
  [ ! -r "$volumes/custom-config/metadata.version" ] || read -r release < "$volumes/custom-config/metadata.version" || :
  if [ -z "$formatted" ]; then
    [ -n "$cluster_id" ] || fail "there is neither STRIMZI_CLUSTER_ID nor custom-config/cluster.id to format storage with"
    KAFKA_OPTS= KAFKA_LOG4J_OPTS= "$KAFKA_HOME/bin/kafka-storage.sh" format --ignore-formatted \
      --cluster-id "$cluster_id" --config "$configuration" ${release:+--release-version "$release"} \
      || fail "formatting storage of cluster $cluster_id failed"
  fi
fi

exec "$KAFKA_HOME/bin/kafka-run-class.sh" -name kafkaServer kafka.Kafka "$configuration"
