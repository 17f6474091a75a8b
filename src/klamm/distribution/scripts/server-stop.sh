#!/bin/sh
# Ask the servers of one main class to end (SIGTERM, or the signal named by SIGNAL): @NAME@
#
# Looks through /proc for processes of this user whose command line has the class as a whole argument, and only in this
# network namespace: the pods of a local cluster share /proc with each other and with the host, and are not ours to end.
found=
for process in /proc/[0-9]*; do
  [ -O "$process" ] && [ "$process/ns/net" -ef /proc/self/ns/net ] || continue
  [ "$(tr '\0' '\n' < "$process/cmdline" 2> /dev/null | grep -Fxc '@CLASS@')" = 1 ] || continue
  found=yes
  kill -s "${SIGNAL:-TERM}" "${process#/proc/}"
done
if [ -z "$found" ]; then
  echo "No @WHAT@ to stop"
  exit 1
fi
