#!/bin/sh
# Proves what docs/reliability.md promises; `make prove` runs it. Every step says its figures, and all come again at the end.
set -eu
cd "$(dirname "$0")/../.."
seeds=${SEEDS:-2000}
fuzztime=${FUZZTIME:-4s}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
began=$(date +%s)

say() { echo "proof: $*" | tee -a "$work/figures"; }

prove() {
	echo "go test $*"
	log=$(mktemp "$work/log.XXXXXX")
	if ! go test -v -timeout 30m "$@" >"$log" 2>&1; then
		grep -v '^=== \|--- PASS\|--- SKIP' "$log"
		exit 1
	fi
	sed -n 's/^.*proof: /proof: /p' "$log" | tee -a "$work/figures"
}

prove ./importer -run '^TestSimulation$' -seeds "$seeds"
prove ./internal/journal -run '^TestNothingAcknowledgedIsEverLost$|^TestKilledUnderLoad$|^TestSealKilledAnywhere$'
# Each of these leaves a processor idle now and then.
prove ./cmd/tallyman -run '^TestNthCallFails$' -prove &
prove ./cmd/tallyman -run 'ReceiverNthCall|Killed|Kill|Year|^TestNothingIsBuilt' -prove
wait $!
prove ./internal/proof -run '^TestEveryMutantIsCaught$' -mutants -parallel 2

targets=0 executions=0
for at in $(grep -ro --include='*_test.go' '^func Fuzz[A-Za-z0-9]*' . | sed 's|/[^/]*_test.go:func |:|' | sort); do
	target=${at#*:}
	if ! go test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" -fuzzminimizetime 10x "${at%%:*}" >"$work/log" 2>&1; then
		cat "$work/log"
		exit 1
	fi
	targets=$((targets + 1))
	execs=$(sed -n 's/.*execs: \([0-9]*\).*/\1/p' "$work/log" | tail -1)
	executions=$((executions + ${execs:-0}))
done
say "$targets fuzz targets, $executions executions"
say "all of it in $((($(date +%s) - began) / 60)) minutes on $(nproc) cores"
echo
cat "$work/figures"
