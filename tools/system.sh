#!/usr/bin/env bash
# Install those of the packages named that are missing. They need root: as root on Debian it says what it is about to
# install and does it; otherwise it says what to type, and fails.
set -euo pipefail
python=${PYTHON:-python3}

present() {
  case $1 in
    bubblewrap) [ "$(uname)" != Linux ] || command -v bwrap ;;
    chromium) command -v chromium ;;
    libatomic1) [ "$(uname)" != Linux ] || "$python" -c 'import ctypes; ctypes.CDLL("libatomic.so.1")' ;;
    python3-venv) [ -f .venv/made ] || "$python" -c 'import ensurepip' ;;
    *) false ;;
  esac >/dev/null 2>&1
}

missing=()
for package in "$@"; do present "$package" || missing+=("$package"); done
if [ ${#missing[@]} -eq 0 ]; then
  echo "== nothing that needs root is missing"
elif ! command -v apt-get >/dev/null; then
  echo "missing: ${missing[*]} (names in Debian); install them as your system does it, then type the command again" >&2
  exit 1
elif [ "$(id -u)" != 0 ]; then
  echo "missing: ${missing[*]}; type 'sudo make system', then the command again" >&2
  exit 1
else
  echo "== as root: apt-get install ${missing[*]}"
  apt-get update -q
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q "${missing[@]}"
fi
