#!/usr/bin/env bash
# The data directory is removed under a running daemon: nothing more is acknowledged, and it is told.
. "$(dirname "$0")/common.sh"
expects 'no ack into nothing; an ERROR that names the directory and says what to do'
start
chat send one > told 2>&1 || fail 'nothing can be sent'
rm -r data
eventually 10 grep -q 'a file of the store is not in its place' chatd.err || fail 'nothing was told'
grep 'not in its place' chatd.err | grep -q "$PWD/data" || fail 'it does not say which'
chat send --timeout 3s 'into nothing' > told 2>&1
status=$?
((status == 5 || status == 7)) || fail "the send ended with $status, not as unknown or too late"
chat tail -r lobby -n 1 > said 2> told || fail 'what is open cannot be read any more'
grep -q one said || fail "what is open is read as: $(cat said)"
stop
status=$?
((status == 0 || status == 1)) || fail "the daemon ended with $status"
