# What the cases share. CHATD and CHAT name the programs; the working directory and HOME are empty
# and the case's alone. A case ends with 0 when all is as expected, with 77 when it cannot run here
# (the last line says why), else with 1.
set -u -o pipefail
export LC_ALL=C.UTF-8

server=$PWD/server.sock
daemon=

# Whatever is started here ends with the case.
trap 'for job in $(jobs -p); do kill -9 "$job" 2> /dev/null; done' EXIT

expects() { printf 'expects: %s\n' "$*"; }

skip() {
    printf 'skipped: %s\n' "$*"
    exit 77
}

fail() {
    printf 'FAILED: %s\n' "$*"
    for file in chatd.out chatd.err told; do
        [[ -s $file ]] && tail -n 20 "$file" | sed "s/^/$file: /"
    done
    exit 1
}

# eventually SECONDS COMMAND...: waits until the command succeeds.
eventually() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < deadline)) || return 1
        sleep 0.05
    done
}

is_ready() { grep -qs ready chatd.out; }

# start [FLAG...]: a daemon at $server, with its data in data/, at no address but those that the
# flags name; `within` may name what starts it.
start() {
    rm -f chatd.out
    [[ " $* " == *' --listen '* ]] || set -- --listen none "$@"
    "${within[@]}" "$CHATD" --data-dir data --socket "$server" "$@" \
        > chatd.out 2> "${chatd_log:-chatd.err}" &
    daemon=$!
    eventually 30 is_ready || fail 'chatd did not become ready'
}
within=(env)

# tcp_port: the port that the system chose for --listen 127.0.0.1:0.
tcp_port() { grep -o -m 1 '127\.0\.0\.1:[0-9]*' chatd.out | cut -d : -f 2 | grep .; }

# stop [SIGNAL]: ends the daemon, and tells its exit status.
stop() {
    kill "-${1:-TERM}" "$daemon"
    wait "$daemon" 2> /dev/null
}

# posted_at ROOM: when the newest message of a room was said, in seconds since 1970.
posted_at() {
    chat tail -r "$1" -n 1 --json > newest 2> told || fail "#$1 cannot be read"
    echo $(($(grep -o '"ts":[0-9]*' newest | head -n 1 | cut -d : -f 2) / 1000))
}

# chat ARGUMENT...: the client without a screen, as ada.
chat() { timeout 60 "$CHAT" --no-tui --server "$server" --data-dir client --name ada "$@"; }
