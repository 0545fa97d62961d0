#!/usr/bin/env bash
# chatd.db is gone or empty, and what lies beside it tells of it: no new store is begun in its place.
. "$(dirname "$0")/common.sh"
expects 'exit 1 with a sentence, nothing changed; put back, everything is there'
start
seq 1 2000 | chat -r base > told 2>&1 || fail 'not all was sent'
stop KILL
mv data/chatd.db kept
refuses() {
    timeout 30 "$CHATD" --data-dir data --socket "$server" --listen none > chatd.out 2> chatd.err
    local status=$?
    ((status == 1)) || fail "$1: exit $status"
    grep -q 'chatd.db is missing or empty' chatd.err || fail "$1: it does not say why"
    grep -q -- '--new-store' chatd.err || fail "$1: it does not say what to do"
}
wal=$(sha256sum < data/chatd.db-wal)
refuses missing
: > data/chatd.db
refuses empty
[[ $(sha256sum < data/chatd.db-wal) == "$wal" ]] || fail 'the WAL was changed'
mv kept data/chatd.db
start
said=$(chat tail -r base --since seq:1 2> told | wc -l)
((said == 2000)) || fail "$said of 2000 lines are there"
