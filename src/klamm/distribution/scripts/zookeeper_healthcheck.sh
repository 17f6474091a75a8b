#!/bin/sh
# Healthy means: the server answers `ruok` on its loopback port with `imok`.
#
# POSIX shells cannot open a connection; bash can, and nc can. Without either the listening port has to do.
port=${ZOOKEEPER_PLAIN_PORT:-12181}
if [ -x /bin/bash ]; then
  exec /bin/bash -c 'exec 3<> "/dev/tcp/127.0.0.1/$1" && printf ruok >&3 && read -r -n 4 -t 4 answer <&3; [ "$answer" = imok ]' ruok "$port"
elif command -v nc > /dev/null; then
  [ "$(printf ruok | nc -w 4 127.0.0.1 "$port")" = imok ]
else
  exec grep -qsE "^ *[0-9]+: [0-9A-F]+:$(printf '%04X' "$port") [0-9A-F]+:0000 0A" /proc/net/tcp6 /proc/net/tcp
fi
