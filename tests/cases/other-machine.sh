#!/usr/bin/env bash
# Two machines: what goes over the network between them is encrypted, and nothing else is taken.
. "$(dirname "$0")/common.sh"
if [[ ${INSIDE:-} != yes ]]; then
    unshare -rn bash -c 'ip link add v0 type veth peer name v1 && nsenter -t $$ -n true' > told 2>&1 ||
        skip 'no network can be made (it takes unshare, nsenter, ip, and root or user namespaces)'
    INSIDE=yes exec unshare -rn bash "$0"
fi
expects 'a client of another machine speaks TLS, and who does not is told so'
unshare -n sleep 600 &
away=$!
there() { nsenter -t "$away" -n "$@"; }
is_away() { [[ $(readlink "/proc/$away/ns/net") != $(readlink /proc/$$/ns/net) ]]; }
eventually 30 is_away || fail 'there is no other machine'
{
    ip link set lo up
    ip link add v0 type veth peer name v1 netns "$away"
    ip addr add 192.0.2.1/24 dev v0
    ip link set v0 up
    there ip link set lo up
    there ip addr add 192.0.2.2/24 dev v1
    there ip link set v1 up
} > told 2>&1 || fail 'the network could not be made'
socket=$server
server=192.0.2.1:25213
chat_there() { there timeout 60 "$CHAT" --no-tui --server "$server" --data-dir client --name ada "$@"; }
# What is said to the magic of chatd without TLS; a server that waits for more is not told of.
without_tls() {
    there timeout 5 bash -c "exec 3<>/dev/tcp/192.0.2.1/25213; printf '\x89CHT' >&3; cat <&3" | tr -d '\0'
}
# Who is new gets in: this is about the link.
start_there() { server=$socket start --listen 192.0.2.1:25213 --registration open "$@"; }

start_there
chat_there send 'over the network' > told 2>&1 || fail "it ended with $?"
chat_there tail -n 1 > heard 2> told || fail "it ended with $?"
grep -q 'over the network' heard || fail "what was heard: $(cat heard)"
without_tls | grep -q 'over TLS alone' || fail 'somebody without TLS is not told so'
stop

# The same address, and another identity: the client stops.
rm -rf data
start_there
chat_there send 'to somebody else' > told 2>&1
status=$?
[[ $status = 6 || $status = 3 ]] || fail "it ended with $status"
grep -q 'is not the one that was there before' told || fail 'another identity is not told of'
stop

start_there --insecure-plaintext
without_tls | grep -q 'over TLS alone' && fail 'plaintext is refused where it was allowed'
stop
