#!/usr/bin/env bash
# The line of the README: a build whose output is piped into the client is not broken by it.
. "$(dirname "$0")/common.sh"
command -v make > told || skip 'make is not installed'
expects 'make succeeds and builds, and all of its lines are posted'
readonly FILES=2500
printf 'all:\n\t@for n in $$(seq %d); do echo "cc -O2 -c part$$n.c -o part$$n.o"; done\n\t@touch built\n' \
    "$FILES" > Makefile
start
make 2>&1 | chat send -r ci --split - > told 2>&1
status=("${PIPESTATUS[@]}")
((status[0] == 0)) || fail "make ended with ${status[0]}"
[[ -e built ]] || fail 'make did not come to its end'
((status[1] == 0)) || fail "the client ended with ${status[1]}"
chat tail -r ci --since seq:1 > said 2> told || fail 'the room cannot be read'
parts=$(grep -o 'part[0-9]*\.c' said | sort -u | wc -l)
((parts == FILES)) || fail "$parts of $FILES lines are there"

# A text that no message holds is refused, and make is not killed by it all the same.
rm built
make 2>&1 | chat send -r ci - > told 2>&1
status=("${PIPESTATUS[@]}")
((status[0] == 0)) || fail "make ended with ${status[0]} when its output was too long"
[[ -e built ]] || fail 'make was stopped when its output was too long'
((status[1] != 0)) || fail 'the client took what no message holds'
