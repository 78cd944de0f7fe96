#!/bin/sh
# Judge a candidate pin against the baseline, for CI: gate.sh BASELINE CANDIDATE [SUITE]
#
# Needs the `ringtrue` command, RINGTRUE_URL and (where keys are asked for) RINGTRUE_API_KEY. Leaves gate.json,
# gate-junit.xml, gate.md and report.html in $GATE_OUTPUT (default: gate-output).
#
# Exit codes: 0 pass, 1 fail, 2 inconclusive, 64 and above: not judged. GATE_INCONCLUSIVE=pass lets 2 through as 0, for
# suites that are too small to settle everything; what was inconclusive still stands in every file.
set -eu

if [ -z "${1:-}" ] || [ -z "${2:-}" ]; then
  echo "usage: gate.sh BASELINE CANDIDATE [SUITE]" >&2
  exit 64 # ${1:?...} would exit with 1 or 2, which are verdicts
fi
baseline=$1
candidate=$2
suite=${3:-golden-en-emotion}
output=${GATE_OUTPUT:-gate-output}
mkdir -p "$output"

set -- "$baseline" "$candidate" --suite "$suite" --seeds "${GATE_SEEDS:-3}"
[ -z "${GATE_RULES:-}" ] || set -- "$@" --rules "$GATE_RULES"
[ -z "${GATE_WEBHOOK:-}" ] || set -- "$@" --webhook "$GATE_WEBHOOK"

code=0
ringtrue gate "$@" --json --junit "$output/gate-junit.xml" --markdown "$output/gate.md" --report "$output/report.html" \
  >"$output/gate.json" || code=$?

if [ "$code" -eq 2 ] && [ "${GATE_INCONCLUSIVE:-}" = pass ]; then
  echo "inconclusive, and let through as GATE_INCONCLUSIVE=pass says" >&2
  code=0
fi
exit "$code"
