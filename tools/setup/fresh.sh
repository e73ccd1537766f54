#!/usr/bin/env bash
# Runs the generators and fails when that changed, added or removed a file: what is
# committed is then not what its sources give. It compares before with after, so
# uncommitted work is no obstacle, and no git is needed.
#   fresh.sh make generate
set -euo pipefail
cd "$(dirname "$0")/../.."

sums() { find ent graph -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum; }

before=$(sums)
"$@"
after=$(sums)
[ "$before" = "$after" ] && exit 0

echo "generated code was not what its sources give; it is now. Look at these files and commit them:" >&2
diff <(echo "$before") <(echo "$after") | sed -n 's/^[<>] [0-9a-f]*  /  /p' | sort -u >&2
exit 1
