#!/usr/bin/env bash
# A name with a silent IPv6 address and a good IPv4 one: the silent one costs a moment.
. "$(dirname "$0")/common.sh"
if [[ ${INSIDE:-} != yes ]]; then
    unshare -n -m bash -c 'ip link add v0 type veth peer name v1' > told 2>&1 ||
        skip 'no network can be made (it takes unshare, ip, and root)'
    INSIDE=yes exec unshare -n -m bash "$0"
fi
expects 'an answer within five seconds'
{
    ip link set lo up
    ip link add v0 type veth peer name v1
    ip link set v0 up
    ip link set v1 up
    ip -6 addr add 2001:db8::20/64 dev v0 nodad
    ip -6 neigh add 2001:db8::2 lladdr 02:00:00:00:00:98 dev v0
    ip addr add 192.0.2.20/24 dev v0
    printf '2001:db8::2 twofold\n192.0.2.20 twofold\n' > hosts
    mount --bind hosts /etc/hosts
} > told 2>&1 || fail 'the network could not be made'
start --listen 192.0.2.20:25211 --registration open
server=twofold:25211
begun=$SECONDS
chat rooms > rooms 2> told || fail "it ended with $?"
((SECONDS - begun <= 5)) || fail "it took $((SECONDS - begun)) s"
grep -q '^#lobby' rooms || fail "the rooms: $(cat rooms)"
