#!/usr/bin/env bash
# One message while the clock is a year ahead: the operator is told, and other rooms have the time.
. "$(dirname "$0")/common.sh"
library=$(ls /usr/lib/*/faketime/libfaketimeMT.so.1 2> /dev/null | head -n 1)
[[ -n $library ]] || skip 'libfaketime is not installed'

expects 'after a start with the right clock: a WARN with both times, and right times in other rooms'
within=(env LD_PRELOAD="$library" FAKETIME=+365d FAKETIME_DONT_FAKE_MONOTONIC=1)
start
chat send -r lobby future > told 2>&1 || fail 'the first message was not sent'
stop
within=(env)
start
chat send -r lobby present > told 2>&1 || fail 'the second message was not sent'
chat send -r other present > told 2>&1 || fail 'the third message was not sent'
eventually 10 grep -q 'the clock is behind the times of messages' chatd.err || fail 'nothing was told'
grep -q 'the clock is behind.*--correct-times.*latest_event=2' chatd.err ||
    fail 'it was not told how far, and what to do'

readonly MONTH=$((30 * 24 * 3600))
ahead() { echo $(($(posted_at "$1") - $(date +%s))); }
(($(ahead lobby) > MONTH)) || fail 'the times of the lobby go back'
other=$(ahead other)
((other > -60 && other < 60)) || fail "the other room is $other s ahead"
stop || fail 'chatd did not end in order'

# With the flag that was told, everything has the right time.
start --correct-times
lobby=$(ahead lobby)
((lobby > -60 && lobby < 60)) || fail "after --correct-times the lobby is $lobby s ahead"
