#!/usr/bin/env bash
# A damaged page of chatd.db: who reads is told what is missing and gets the rest and what is new.
. "$(dirname "$0")/common.sh"
expects 'the reader goes on behind the damage, and is told; so is the operator, once'
readonly LINES_SAID=8000 LINES_LOST_MAX=400 PAGE=4096
start --durability process
seq -f 'line %.0f of a long talk' "$LINES_SAID" | chat -r base > told 2>&1 || fail 'not all was sent'
stop || fail 'chatd did not end in order'

# A leaf of `events`, which begins with 13, beyond the middle of the file: a byte in 90 becomes 255.
pages=$(($(stat -c %s data/chatd.db) / PAGE))
for ((page = pages / 2; page < pages; page++)); do
    kind=$(od -An -tu1 -j $((page * PAGE)) -N 1 data/chatd.db)
    text=$(dd if=data/chatd.db bs=$PAGE skip=$page count=1 2> /dev/null | tr -d '\0' | grep -c 'long talk')
    ((kind == 13 && text > 0)) && break
done
for ((at = 3; at < PAGE; at += 90)); do
    printf '\377' | dd of=data/chatd.db bs=1 seek=$((page * PAGE + at)) conv=notrunc 2> /dev/null
done

start --durability process
chat tail -r base --since seq:1 > said 2> told || fail "the reader ended with $?"
came=$(wc -l < said)
((came < LINES_SAID && came >= LINES_SAID - LINES_LOST_MAX)) || fail "$came of $LINES_SAID lines came"
grep -q 'cannot be read' told || fail 'the reader was not told'
grep -q 'any more' told && fail 'the reader was told that something is deleted'
[[ $(tail -n 1 said) == *"line $LINES_SAID of"* ]] || fail 'the end is missing'

chat tail -r base -f --since seq:1 --timeout 50s > followed 2> followed.err &
comes() { (($(wc -l < followed) >= $1)); }
eventually 40 comes "$came" || fail "a follower got $(wc -l < followed) lines"
chat send -r base 'said live' > told 2>&1 || fail 'nothing can be sent'
eventually 20 grep -q 'said live' followed || fail 'a follower does not hear what is said live'

parts=$(grep -c 'events cannot be read' chatd.err)
places=$(grep -o 'room=.*' chatd.err | sort -u | wc -l)
((parts > 0 && parts == places)) || fail "the operator was told $parts times of $places places"
