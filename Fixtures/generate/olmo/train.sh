#!/bin/sh
# Trains the small OLMo models whose checkpoints are fixtures: train.sh OLMO_SOURCE OUT NAME...
#
# OLMO_SOURCE is a checkout of github.com/allenai/OLMo (0.6.0), NAME one of the .yaml files here.
# PYTHON has OLMo's training dependencies: torch 2.13 for a plain run, which uses OLMo's own
# scripts/train.py as it is, and torch 2.2 for the names in -fsdp, which run on two gloo ranks.
# The run leaves OUT/RUN_NAME/stepN-unsharded.
set -eu

if [ $# -lt 3 ]; then
  echo "usage: train.sh OLMO_SOURCE OUT NAME..." >&2
  exit 64
fi
here=$(cd "$(dirname "$0")" && pwd)
source=$(cd "$1" && pwd)
mkdir -p "$2"
out=$(cd "$2" && pwd)
shift 2

python=${PYTHON:-python3}
export OMP_NUM_THREADS=1 PYTHONWARNINGS=ignore PYTHONPATH="$source" HF_HUB_OFFLINE=1

[ -e "$out/data/tokenizer4000.json" ] || "$python" "$here/data.py" "$source" "$out/data"
cd "$source"
for name in "$@"; do
  config=$out/$name.yaml
  sed -e "s#@DATA@#$out/data#" -e "s#@OUT@#$out#" "$here/$name.yaml" > "$config"
  case $name in
  *-fsdp) set -- --nproc_per_node=2 "$here/fsdp_cpu.py" "$source" "$config" ;;
  *) set -- --nproc_per_node=1 scripts/train.py "$config" ;;
  esac
  "$python" -m torch.distributed.run --master_port=29611 "$@"
done
