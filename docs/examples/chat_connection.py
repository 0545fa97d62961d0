"""A connection to a chatd server: the socket, the frames on it, and the handshake.

It must not know rooms or messages.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from typing import Any

from chat_wire import (
    KIND_KEY,
    MAGIC,
    PROOF_SIGNATURE,
    PROTOCOL_VERSION,
    Frame,
    encode_frame,
    take_frame,
)

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )
except ImportError:
    Ed25519PrivateKey = None
    import ed25519

AGENT = "chat_client.py 1"
READ_BYTES = 64 * 1024
# How long the server may take to answer the handshake, and to take bytes.
HANDSHAKE_SECONDS = 10.0

EXIT_NOT_CONNECTED, EXIT_TIMEOUT, EXIT_REFUSED = 3, 5, 6


class Lost(Exception):
    """The connection is gone; connecting again may help."""


class GiveUp(Exception):
    """Nothing that this program does can help. Carries its exit code."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Key:
    """The private key that is the account: 32 random bytes in a file, as hexadecimal digits."""

    def __init__(self, seed: bytes) -> None:
        self.seed = seed
        if Ed25519PrivateKey is not None:
            self.private = Ed25519PrivateKey.from_private_bytes(seed)
            self.public: bytes = self.private.public_key().public_bytes_raw()
        else:
            self.public = ed25519.public_key(seed)

    @classmethod
    def in_file(cls, path: Path) -> Key:
        """The key in ``path``; a new one is put there when there is none."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return cls(bytes.fromhex(path.read_text("ascii").strip()))
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            seed = os.urandom(32)
            file.write(seed.hex() + "\n")
        return cls(seed)

    def sign(self, message: bytes) -> bytes:
        if Ed25519PrivateKey is not None:
            return self.private.sign(message)
        return ed25519.sign(self.seed, message)


def is_signed_by(key: bytes, signature: bytes, message: bytes) -> bool:
    if Ed25519PrivateKey is None:
        return ed25519.verify(key, signature, message)
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class Connection:
    """A socket on which frames come and go. Every wait has a deadline."""

    def __init__(self, address: str) -> None:
        self.buffer = bytearray()
        self.last_request = 0
        try:
            if address.startswith("unix:"):
                self.socket = socket.socket(socket.AF_UNIX)
                self.socket.settimeout(HANDSHAKE_SECONDS)
                self.socket.connect(address.removeprefix("unix:"))
            else:
                host, _colon, port = address.rpartition(":")
                where = (host.strip("[]"), int(port))
                self.socket = socket.create_connection(where, HANDSHAKE_SECONDS)
            self.socket.sendall(MAGIC)
        except OSError as error:
            raise Lost(f"{address}: {error}") from error

    def send(self, name: str, fields: dict[str, Any]) -> int:
        """Writes a request and returns its id."""
        self.last_request += 1
        try:
            self.socket.settimeout(HANDSHAKE_SECONDS)
            self.socket.sendall(encode_frame(name, self.last_request, fields))
        except OSError as error:
            raise Lost(str(error)) from error
        return self.last_request

    def receive(self, seconds: float) -> Frame | None:
        """The next frame, or None when none came in time."""
        deadline = time.monotonic() + seconds
        while True:
            frame = take_frame(self.buffer)
            if frame is not None:
                return frame
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(READ_BYTES)
            except socket.timeout:
                return None
            except OSError as error:
                raise Lost(str(error)) from error
            if not data:
                raise Lost("the server closed the connection")
            self.buffer += data

    def answer(self, name: str, fields: dict[str, Any]) -> tuple[str | None, dict[str, Any]]:
        """Sends a request of the handshake and returns the one frame that answers it."""
        self.send(name, fields)
        frame = self.receive(HANDSHAKE_SECONDS)
        if frame is None:
            raise Lost(f"no answer to {name}")
        if frame.name == "Close":
            raise closed(frame.fields())
        return frame.name, frame.fields()

    def close(self) -> None:
        self.socket.close()


def closed(close: dict[str, Any]) -> Exception:
    """What a Close frame means for this program."""
    sentence = f"{close['message']} (close {close['reason']}, code {close['code']})"
    return Lost(sentence) if close["reconnect"] else GiveUp(EXIT_REFUSED, sentence)


def sign_in(connection: Connection, key: Key, name: str, pin: bytes | None) -> dict[str, Any]:
    """The handshake: the server proves who it is, then this client does."""
    nonce = os.urandom(32)
    kind, welcome = connection.answer(
        "Hello", {"versions": [PROTOCOL_VERSION], "agent": AGENT, "random": nonce}
    )
    if kind != "Welcome" or welcome["version"] != PROTOCOL_VERSION:
        raise GiveUp(EXIT_NOT_CONNECTED, f"{kind} where Welcome was expected")
    server_key, challenge = welcome["server_key"], welcome["challenge"]
    proof = b"chatd welcome v1\0" + nonce + challenge
    if not is_signed_by(server_key, welcome["signature"], proof):
        raise GiveUp(EXIT_NOT_CONNECTED, "the server's signature is wrong")
    if pin is not None and pin != server_key:
        raise GiveUp(EXIT_NOT_CONNECTED, f"this is another server: its key is {server_key.hex()}")
    signature = key.sign(b"chatd sign-in v1\0" + challenge + server_key)
    kind, signed_in = connection.answer(
        "SignIn",
        {
            "credential_kind": KIND_KEY,
            "credential": key.public,
            "proof_kind": PROOF_SIGNATURE,
            "proof": signature,
            "name": name,
            "name_is_firm": False,
            "invitation": None,
        },
    )
    if kind != "SignedIn":
        raise GiveUp(EXIT_REFUSED, f"{kind} where SignedIn was expected")
    say(f"signed in as {signed_in['name']}, server key {server_key.hex()}")
    return signed_in


def say(sentence: str) -> None:
    """Tells something to the person; the server may have put words of its own into it."""
    print(shown(sentence), file=sys.stderr, flush=True)


def shown(text: str) -> str:
    """A text as one harmless line: what a terminal could obey is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
