#!/usr/bin/env bash
# A wrong line in the configuration file: the text that was meant for another room goes nowhere.
. "$(dirname "$0")/common.sh"
expects 'exit 2, the file and the line named, nothing posted'
start
for line in 'room = secret-ops' 'romo = "secret-ops"' 'room = ["secret-ops"]'; do
    mkdir -p .config/chat-tui
    printf '%s\n' '# mine' "$line" > .config/chat-tui/config.toml
    chat send 'the password is swordfish' > told 2>&1
    status=$?
    ((status == 2)) || fail "$line: exit $status"
    grep -q 'config.toml' told && grep -q 'line 2' told || fail "$line: the line is not named"
done
rm -r .config
chat tail -r lobby -n 10 > said 2> told || fail 'the lobby cannot be read'
grep -q swordfish said && fail 'it was posted in the lobby'
stop || fail 'chatd did not end in order'
