#!/bin/sh
# Writes the corpus with other versions of torch: torch_corpus.sh VERSION...
#
# Each version gets a virtual environment of its own, kept for the next time, and a folder
# torch-VERSION. The interop tests read such folders too: CKPTCONV_CORPUS=.fixtures/torch-corpus.
#
#   OUT                  where the folders go (.fixtures/torch-corpus)
#   PYTHON               the interpreter, instead of one that the version is known to run on
#   PIP_EXTRA_INDEX_URL  https://download.pytorch.org/whl/cpu has small builds without CUDA
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
out=${OUT:-$root/.fixtures/torch-corpus}

if [ $# -eq 0 ]; then
  echo "usage: torch_corpus.sh VERSION..." >&2
  exit 64
fi

# The newest Python that has wheels of that torch.
python_for() {
  case $1 in
  1.[0-9] | 1.[0-9].*) echo python3.8 ;;
  1.1[0-2].*) echo python3.9 ;;
  1.13.* | 2.[01].*) echo python3.10 ;;
  *) echo python3.11 ;;
  esac
}

for version in "$@"; do
  venv=$root/.fixtures/venv-torch-$version
  if ! [ -e "$venv/.complete" ]; then
    rm -rf "$venv"
    "${PYTHON:-$(python_for "$version")}" -m venv "$venv"
    # Torch before 2.3 was compiled against numpy 1 and cannot use a newer one.
    "$venv/bin/pip" install --quiet "torch==$version" "numpy<2"
    touch "$venv/.complete"
  fi
  "$venv/bin/python" -W ignore "$here/torch_corpus.py" "$out/torch-$version"
done
