#!/usr/bin/env bash
# Runs targets of the Makefile one after another, all of them even when one fails,
# and says at the end how each went. Fails when one failed.
#   stages.sh lint test-go
set -uo pipefail
cd "$(dirname "$0")/../.."

lines=() failed=0 begin=$SECONDS
trap 'exit 130' INT TERM

for stage in "$@"; do
  echo "== $stage"
  from=$SECONDS
  if "${MAKE:-make}" --no-print-directory "$stage"; then result=ok; else result=FAILED failed=1; fi
  lines+=("$(printf '%-7s %-20s %4d s' "$result" "$stage" $((SECONDS - from)))")
done

echo "== summary"
printf '%s\n' "${lines[@]}"
echo "total $((SECONDS - begin)) s"
exit $failed
