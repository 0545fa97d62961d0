#!/usr/bin/env python3
"""A small chatd client, written from docs/PROTOCOL.md alone.

    chat_client.py --connect 127.0.0.1:5018 --name ada --room lobby --send 'hello'
    chat_client.py --connect unix:/run/user/1000/chatd.sock --name bot --room lobby

It signs in, joins the room, sends each --send once and in order, and prints what is said. When
the connection breaks it comes back and goes on where it was: nothing is printed twice, nothing
is left out, and a line whose answer was lost is sent again under its old nonce.

Messages go to stdout, one a line; everything else goes to stderr.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sys
import time
from collections import OrderedDict, deque
from pathlib import Path
from typing import Any, Callable

from chat_connection import (
    EXIT_NOT_CONNECTED,
    EXIT_REFUSED,
    EXIT_TIMEOUT,
    Connection,
    GiveUp,
    Key,
    Lost,
    closed,
    say,
    shown,
    sign_in,
)
from chat_wire import KIND_ACTION, KIND_KEY, KIND_NOTICE, KIND_SAY, Frame, WireError

# A server that has been silent for so long is asked for a sign of life, and given as long again.
SILENCE_SECONDS = 30.0
# The first pause before connecting again; it doubles up to the longest.
PAUSE_SECONDS = 0.3
PAUSE_SECONDS_MAX = 10.0
# Sends that wait for their answer; the server allows more.
IN_FLIGHT_MAX = 64
# Numbers of errors.
BEHIND, RATE_LIMITED = 109, 111


class Client:
    """What outlives a connection: who we are, what is not acked yet, and where we are in the room."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.key = Key.in_file(arguments.key) if arguments.key else Key(os.urandom(32))
        self.stream = os.urandom(16)
        # n → text of what has no answer yet, oldest first.
        self.outbox = OrderedDict(enumerate(arguments.send, start=1))
        self.in_flight: set[int] = set()
        self.resend_at: float | None = None
        self.room: int | None = None
        self.is_open = False
        self.position = None if arguments.after is None else {"epoch": 0, "seq": arguments.after}
        self.names: dict[int, str] = {}
        self.asked_names: set[int] = set()
        self.unprinted: deque[dict[str, Any]] = deque()
        self.received = 0
        self.was_refused = False
        self.replies: dict[int, Callable[[str, dict[str, Any]], None]] = {}

    def run(self, deadline: float) -> int:
        pause = PAUSE_SECONDS
        while True:
            try:
                self.converse(Connection(self.arguments.connect), deadline)
                return EXIT_REFUSED if self.was_refused else 0
            except Lost as lost:
                pause = PAUSE_SECONDS if self.is_open else min(2 * pause, PAUSE_SECONDS_MAX)
                self.is_open = False
                wait = pause * random.uniform(0.5, 1.0)
                say(f"{lost}; connecting again in {wait:.1f} s")
                if time.monotonic() + wait >= deadline:
                    code = EXIT_NOT_CONNECTED if self.room is None else EXIT_TIMEOUT
                    raise GiveUp(code, "the time is over") from lost
                time.sleep(wait)

    def converse(self, connection: Connection, deadline: float) -> None:
        """One connection, from its handshake until everything is done or it breaks."""
        self.connection = connection
        self.is_open = False
        self.replies.clear()
        self.in_flight.clear()
        self.resend_at = None
        self.asked_names.clear()
        self.names.clear()  # Nobody has told of renames meanwhile.
        try:
            pin = self.arguments.server_key
            signed_in = sign_in(connection, self.key, self.arguments.name, pin)
            if self.position is not None and self.position["epoch"] == 0:
                self.position["epoch"] = signed_in["epoch"]
            self.ask("Join", {"name": self.arguments.room}, self.joined)
            heard_at, is_probed = time.monotonic(), False
            while not self.is_done():
                self.send_what_waits()
                frame = connection.receive(self.patience(deadline))
                now = time.monotonic()
                if frame is not None:
                    heard_at, is_probed = now, False
                    self.handle(frame)
                elif now >= deadline:
                    raise GiveUp(EXIT_TIMEOUT, "the time is over")
                elif now - heard_at > 2 * SILENCE_SECONDS:
                    raise Lost("the server is silent")
                elif now - heard_at > SILENCE_SECONDS and not is_probed:
                    self.ask("Ping", {"token": 0}, lambda _name, _pong: None)
                    is_probed = True
        finally:
            connection.close()

    def patience(self, deadline: float) -> float:
        """How long to wait for a frame before looking at the clock again."""
        until = min(deadline, time.monotonic() + 1.0)
        if self.resend_at is not None:
            until = min(until, self.resend_at)
        return max(0.0, until - time.monotonic())

    def is_done(self) -> bool:
        """With --count, when so many were received; with --send alone, when all is answered."""
        if self.outbox or not self.is_open or self.unprinted:
            return False
        if self.arguments.count is not None:
            return self.received >= self.arguments.count
        return bool(self.arguments.send)

    def ask(
        self, name: str, fields: dict[str, Any], then: Callable[[str, dict[str, Any]], None]
    ) -> None:
        """Sends a request; ``then`` gets the name and the fields of its one reply."""
        self.replies[self.connection.send(name, fields)] = then

    # Sending: exactly once, in order.

    def send_what_waits(self) -> None:
        if not self.is_open:
            return
        if self.resend_at is not None:
            if self.in_flight or time.monotonic() < self.resend_at:
                return
            self.resend_at = None
        for n, text in self.outbox.items():
            if n not in self.in_flight and len(self.in_flight) < IN_FLIGHT_MAX:
                self.in_flight.add(n)
                nonce = {"stream": self.stream, "n": n}
                body = {"kind": KIND_SAY, "reply_to": None, "context": None, "text": text}
                send = {"nonce": nonce, "room": self.room, "body": body}
                self.ask("Send", send, lambda name, reply, n=n: self.answered(n, name, reply))

    def answered(self, n: int, name: str, reply: dict[str, Any]) -> None:
        self.in_flight.discard(n)
        if name == "Ack":
            # This client has one credential; one with more would believe the ack.
            if reply["id"] != message_id(self.key.public, self.stream, n):
                raise WireError("the id does not follow from the nonce")
            del self.outbox[n]
            say(f"acked {n}: seq {reply['seq']}, id {reply['id'].hex()}")
        elif reply["retry"]:
            # Everything unanswered goes again, in its order, once the rest of it is answered.
            wait = reply["detail"] / 1000 if reply["code"] == RATE_LIMITED else 0.5
            if reply["code"] == BEHIND:
                wait = 0.0
            self.resend_at = max(self.resend_at or 0.0, time.monotonic() + wait)
        else:
            del self.outbox[n]
            self.was_refused = True
            say(f"refused {n}: {reply['message']} (code {reply['code']})")

    # Receiving: every event of the room after the position, once.

    def joined(self, name: str, room: dict[str, Any]) -> None:
        if name == "Error":
            raise GiveUp(EXIT_REFUSED, f"{room['message']} (code {room['code']})")
        self.room = room["room"]
        self.subscribe()

    def subscribe(self) -> None:
        self.ask("Subscribe", {"log": self.room, "after": self.position}, self.subscribed)

    def subscribed(self, name: str, reply: dict[str, Any]) -> None:
        if name == "Error":
            raise GiveUp(EXIT_REFUSED, f"{reply['message']} (code {reply['code']})")
        if name == "Reset":
            say("the server's history is another one now: going on at its end")
            self.position = {"epoch": reply["epoch"], "seq": reply["head"]}
            self.subscribe()
            return
        if self.position is None:
            self.position = {"epoch": reply["epoch"], "seq": reply["head"]}
        self.position["epoch"] = reply["epoch"]
        if reply["member_count"] > len(reply["members"]):
            self.names.clear()  # Of the others it is not said what they are called by now.
        self.names |= {member["account"]: member["name"] for member in reply["members"]}
        self.is_open = True
        say(f"joined #{reply['name']} at seq {self.position['seq']} of {reply['head']}")

    def handle(self, frame: Frame) -> None:
        if frame.request != 0:
            then = self.replies.pop(frame.request, None)
            if then is None or frame.name is None:
                raise WireError(f"an answer of kind {frame.kind:#06x} to nothing")
            then(frame.name, frame.fields())
        elif frame.is_logged:
            self.handle_logged(frame)
        elif frame.name == "Gap":
            gap = frame.fields()
            why = "has deleted" if gap["reason"] == 1 else "cannot read"
            say(f"the server {why} {gap['from']} to {gap['to']}")
            self.position["seq"] = gap["to"]
        elif frame.name == "Renamed":
            renamed = frame.fields()
            if renamed["account"] == 0:
                self.names.clear()
            elif renamed["account"] in self.names:
                self.names[renamed["account"]] = renamed["name"]
        elif frame.name == "SubscriptionEnded":
            say(frame.fields()["message"])
        elif frame.name == "Probe":
            self.connection.send("ProbeReply", frame.fields())
        elif frame.name == "Close":
            raise closed(frame.fields())
        # Anything else is not logged, and may be dropped: Presence, and what newer servers say.

    def handle_logged(self, frame: Frame) -> None:
        _log, seq, _ts = frame.logged_head()
        if seq != self.position["seq"] + 1:
            raise WireError(f"seq {seq} after {self.position['seq']}")
        self.position["seq"] = seq
        if frame.name == "Joined":
            # Nobody has told what became of the name meanwhile.
            self.names.pop(frame.fields()["account"], None)
        elif frame.name == "Posted":
            self.unprinted.append(frame.fields())
            self.print_what_can_be()

    def print_what_can_be(self) -> None:
        """Prints messages in order, as far as their senders' names are known."""
        while self.unprinted:
            message = self.unprinted[0]
            sender = message["from"]
            if sender not in self.names:
                if sender not in self.asked_names:
                    self.asked_names.add(sender)
                    self.ask("Accounts", {"ids": [sender]}, self.named)
                return
            self.unprinted.popleft()
            self.received += 1
            print(f"{message['seq']} {said(self.names[sender], message['body'])}", flush=True)

    def named(self, name: str, reply: dict[str, Any]) -> None:
        if name == "AccountList":
            self.names |= {account["account"]: account["name"] for account in reply["accounts"]}
        for asked in self.asked_names:
            self.names.setdefault(asked, f"account {asked}")
        self.asked_names.clear()
        self.print_what_can_be()


def message_id(key: bytes, stream: bytes, n: int) -> bytes:
    """The id of the message that ``key`` sends under this nonce."""
    credential = first_16_of_sha256(b"chatd credential 1" + KIND_KEY.to_bytes(2, "little") + key)
    return first_16_of_sha256(b"chatd message 1" + credential + stream + n.to_bytes(8, "little"))


def first_16_of_sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()[:16]


def said(sender: str, body: dict[str, Any]) -> str:
    """A message as a line; a kind that is not known is shown as plain words."""
    text, sender = shown(body["text"]), shown(sender)
    if body["kind"] == KIND_ACTION:
        return f"* {sender} {text}"
    mark = " [notice]" if body["kind"] == KIND_NOTICE else ""
    return f"{sender}{mark}: {text}"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A small chatd client.")
    parser.add_argument("--connect", default="127.0.0.1:5018", metavar="HOST:PORT|unix:PATH")
    parser.add_argument("--name", default="example", help="the nickname wished for")
    parser.add_argument("--room", default="lobby")
    parser.add_argument("--send", nargs="+", default=[], metavar="TEXT", action="extend")
    parser.add_argument("--count", type=int, metavar="N", help="stop after N messages")
    parser.add_argument("--after", type=int, metavar="SEQ", help="begin after SEQ; 0: all of it")
    parser.add_argument("--key", type=Path, metavar="FILE", help="the identity; made when missing")
    parser.add_argument("--server-key", type=bytes.fromhex, metavar="HEX", help="accept no other")
    parser.add_argument("--timeout", type=float, default=float("inf"), metavar="SECONDS")
    parser.add_argument("--self-test", type=Path, metavar="FILE", help="check the golden bytes")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    if arguments.self_test is not None:
        import self_test

        self_test.run(arguments.self_test)
        return 0
    try:
        return Client(arguments).run(time.monotonic() + arguments.timeout)
    except GiveUp as reason:
        say(str(reason))
        return reason.code
    except WireError as error:
        say(f"the server broke the protocol: {error}")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
