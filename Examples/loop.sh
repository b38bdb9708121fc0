#!/bin/sh
# Converts the checkpoints in a directory one by one: loop.sh RUNS ROOT
#
# An output appears only when it is complete, so what is there is done. 'ckptconv batch' does the
# same in one process, checks the disk first and keeps a journal.
status=0
for step in "$1"/*-unsharded; do
  output=$2/$(basename "$step")
  [ -e "$output" ] || ckptconv pt-to-safetensors --quiet "$step" -o "$output" || status=$?
done
exit $status
