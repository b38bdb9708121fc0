#!/bin/sh
# Installs ckptconv from a release archive: program, man page, shell completions, licenses.
#
# ARCHIVE is ckptconv-VERSION-linux-ARCH.tar.xz with SHA256SUMS beside it. URL is the address of a
# folder that has both. The default DIR is /usr/local for root and ~/.local for others. An older
# version there is replaced.
set -eu

fail() {
  printf 'install.sh: %s\n' "$@" >&2
  exit 1
}

usage='usage: install.sh [--prefix DIR] ARCHIVE|URL'

# Writes a file of the network to standard output.
fetch() {
  if command -v curl >/dev/null 2>&1; then
    curl --fail --silent --show-error --location "$1"
  elif command -v wget >/dev/null 2>&1; then
    wget -q -O - "$1"
  else
    fail "curl or wget is needed to download" "download the archive and SHA256SUMS, and pass the archive"
  fi
}

prefix=
source=
while [ $# -gt 0 ]; do
  case $1 in
    --prefix)
      [ $# -gt 1 ] || fail "--prefix takes a directory"
      prefix=$2
      shift
      ;;
    --prefix=*) prefix=${1#--prefix=} ;;
    -h | --help)
      echo "$usage"
      exit 0
      ;;
    -*) fail "unknown flag: $1" "$usage" ;;
    *) source=$1 ;;
  esac
  shift
done
[ -n "$source" ] || fail "no archive given" "$usage"
if [ -z "$prefix" ]; then
  if [ "$(id -u)" -eq 0 ]; then prefix=/usr/local; else prefix=$HOME/.local; fi
fi
case $prefix in
  /*) ;;
  *) prefix=$PWD/$prefix ;;
esac

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

case $source in
  http://* | https://*)
    fetch "${source%/}/SHA256SUMS" >"$scratch/SHA256SUMS" || fail "no SHA256SUMS at $source"
    arch=$(uname -m)
    name=$(sed -n "s/^[0-9a-f]*  \(ckptconv-.*-linux-$arch\.tar\.xz\)$/\1/p" "$scratch/SHA256SUMS")
    [ -n "$name" ] || fail "no archive for $arch at $source"
    fetch "${source%/}/$name" >"$scratch/$name" || fail "$name cannot be fetched from $source"
    ;;
  *)
    [ -f "$source" ] || fail "no file $source"
    name=$(basename "$source")
    cp "$source" "$scratch/$name"
    cp "$(dirname "$source")/SHA256SUMS" "$scratch" 2>/dev/null || fail "no SHA256SUMS beside $source"
    ;;
esac

# Only the line of this archive: the others were not fetched.
grep "  $name\$" "$scratch/SHA256SUMS" >"$scratch/sum" || fail "SHA256SUMS does not list $name"
(cd "$scratch" && sha256sum -c sum >/dev/null 2>&1) ||
  fail "$name is not the file that SHA256SUMS lists" "fetch it again"

mkdir "$scratch/tree"
xz -dc "$scratch/$name" | tar -xf - -C "$scratch/tree"
cd "$scratch/tree/${name%.tar.xz}"
mkdir -p share/doc/ckptconv
mv LICENSE THIRD_PARTY.txt share/doc/ckptconv
find bin share -type f | while read -r file; do
  mkdir -p "$prefix/$(dirname "$file")"
  # A program that runs cannot be written to; a new file takes its name.
  cp "$file" "$prefix/$file.new"
  mv -f "$prefix/$file.new" "$prefix/$file"
  echo "$prefix/$file"
done
case :$PATH: in
  *":$prefix/bin:"*) ;;
  *) echo "install.sh: $prefix/bin is not on the PATH" >&2 ;;
esac
