#!/bin/sh
# Stands in for ptxas: notes each call in $PTXAS_LOG, and makes something that begins as a cubin does.
if [ "$1" = --version ]; then
  echo version >>"$PTXAS_LOG"
  echo "release 13.0, V13.0.${PTXAS_BUILD:-1}"
  exit
fi
echo assemble >>"$PTXAS_LOG"
while [ $# -gt 1 ]; do
  [ "$1" = -o ] && output=$2
  shift
done
printf '\177ELF and the rest' >"$output"
