#!/usr/bin/env bash
# Fuzzes every target in turn: tools/setup/fuzz.sh [DURATION] [PATTERN]
# DURATION of each (30s by default); PATTERN, an extended regular expression, chooses
# among "./package FuzzName". What breaks a target is left in its testdata/fuzz, to be
# committed with the fix. Ends with 1 when a target failed or none was found.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

duration=${1:-30s}
pattern=${2:-.}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

targets=$(git ls-files --cached --others --exclude-standard -- '*_test.go' |
  xargs grep -H '^func Fuzz' |
  sed -E 's|^(.*)/[^/]+:func (Fuzz[A-Za-z0-9_]*).*|./\1 \2|' |
  sort -u | grep -E -- "$pattern" || true)

ran=0 runs=0 failed=()
while read -r package name; do
  [ -n "$name" ] || continue
  ran=$((ran + 1))
  if go test -run '^$' -fuzz "^$name\$" -fuzztime "$duration" -fuzzminimizetime 2s -parallel "${FUZZ_PARALLEL:-2}" "$package" >"$log" 2>&1 </dev/null; then
    verdict=ok
  else
    verdict=FAILED
    failed+=("$package.$name")
    cat "$log"
  fi
  execs=$(sed -nE 's/.*execs: ([0-9]+).*/\1/p' "$log" | tail -1)
  found=$(sed -nE 's/.*new interesting: ([0-9]+).*/\1/p' "$log" | tail -1)
  runs=$((runs + ${execs:-0}))
  printf '%-6s %-28s %-18s %10d inputs, %4d of interest\n' "$verdict" "$package" "$name" "${execs:-0}" "${found:-0}"
done <<<"$targets"

echo "fuzz: $ran targets of $duration each, $runs inputs, ${#failed[@]} failed${failed:+: ${failed[*]}}"
[ "$ran" -gt 0 ] && [ "${#failed[@]}" -eq 0 ]
