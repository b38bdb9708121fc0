#!/bin/sh
# Converts the checkpoints in a directory in four processes: parallel.sh RUNS ROOT
#
# With --sshlogin, GNU parallel starts them on other machines that see both directories.
parallel ckptconv batch pt-to-safetensors '{1}' -o '{2}' --resume --keep-going \
  --shard '{3}/4' ::: "$1" ::: "$2" ::: 1 2 3 4
exec ckptconv batch pt-to-safetensors "$1" -o "$2" --merge-reports
