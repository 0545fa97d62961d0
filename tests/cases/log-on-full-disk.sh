#!/usr/bin/env bash
# Standard error cannot be written, and there is something to be said: nobody feels it.
. "$(dirname "$0")/common.sh"
expects 'sends go on, and the daemon ends in order'
[[ -w /dev/full ]] || skip 'there is no /dev/full'
chatd_log=/dev/full
within=(bash -c 'ulimit -n 128 && exec "$0" "$@"')
start --listen 127.0.0.1:0 --log debug
port=$(tcp_port) || fail 'chatd does not tell its port'
chat send before > told 2>&1 || fail 'nothing can be sent before'
strangers=()
for _ in {1..160}; do
    # Who is turned away is a line of the log.
    { exec {stranger}<> "/dev/tcp/127.0.0.1/$port"; } 2> /dev/null && strangers+=("$stranger")
done
((${#strangers[@]} > 20)) || fail "only ${#strangers[@]} connections were made"
for stranger in "${strangers[@]}"; do exec {stranger}>&-; done
for n in {1..5}; do
    chat send "after $n" > told 2>&1 || fail "nothing can be sent any more"
done
kill -0 "$daemon" || fail 'the daemon has ended'
stop
status=$?
((status == 0)) || fail "the daemon ended with $status"
