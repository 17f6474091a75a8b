#!/bin/sh
# Healthy means: the server answers `ruok` on its loopback port with `imok`. With the argument `serving` more is asked:
# that it belongs to a quorum and serves clients (`srvr` tells its mode). Readiness asks that, so that clients are led to
# nodes that can answer; liveness must not: a node without a quorum is not mended by a restart.
#
# POSIX shells cannot open a connection; bash can, and nc can. Without either the listening port has to do.
port=${ZOOKEEPER_PLAIN_PORT:-12181}
word=ruok expected='imok*'
[ "${1:-}" != serving ] || word=srvr expected='Mode: *'
if [ -x /bin/bash ]; then
  exec /bin/bash -c '
    exec 3<> "/dev/tcp/127.0.0.1/$1" && printf %s "$2" >&3 || exit 1
    while read -r -t 4 line <&3 || [ -n "$line" ]; do
      [[ $line != $3 ]] || exit 0
      line=
    done
    exit 1' check "$port" "$word" "$expected" 2> /dev/null
elif command -v nc > /dev/null; then
  printf %s "$word" | nc -w 4 127.0.0.1 "$port" | grep -q "^${expected%\*}"
else
  exec grep -qsE "^ *[0-9]+: [0-9A-F]+:$(printf '%04X' "$port") [0-9A-F]+:0000 0A" /proc/net/tcp6 /proc/net/tcp
fi
