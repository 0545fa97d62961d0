"""Checks the example client against the committed bytes of every kind of frame, and its Ed25519
against the test vectors of RFC 8032. Run by ``chat_client.py --self-test FILE``."""

from __future__ import annotations

from pathlib import Path

import chat_wire
import ed25519

# RFC 8032, section 7.1: private key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bac"
        "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290"
        "ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


def run(golden: Path) -> None:
    """Raises AssertionError with what differs."""
    blocks = [block for block in golden.read_text("utf-8").split("\n\n") if block[0] != "#"]
    entries = {block.split(" ", 1)[0]: block.rstrip("\n") for block in blocks}
    assert len(entries) == len(blocks), "a kind is twice in the file"
    missing = chat_wire.KINDS.keys() - entries.keys()
    assert not missing, f"the file lacks kinds of this client: {missing}"
    for name, entry in entries.items():
        if name in chat_wire.KINDS:
            check_entry(entry)
        else:
            check_unknown(entry)
    check_integers()
    check_signatures()
    print(f"self-test passed: {len(entries)} kinds")


def check_entry(entry: str) -> None:
    title, *lines = entry.split("\n")
    name, number, version = title.split(" ")
    assert (int(number, 16), version) == (chat_wire.KINDS[name][0], "v1"), title
    body = bytes.fromhex("".join(line.split("  ", 1)[0] for line in lines))
    described = chat_wire.describe(name, body)
    assert described == entry, f"expected\n{entry}\nread\n{described}"
    fields = chat_wire.decode(name, body)
    assert chat_wire.encode(name, fields) == body, f"{name} is written as other bytes"
    frame = chat_wire.take_frame(bytearray(chat_wire.encode_frame(name, 7, fields)))
    assert frame is not None and frame.request == 7 and frame.fields() == fields, name
    for cut in range(len(body)):
        try:
            chat_wire.decode(name, body[:cut])
        except chat_wire.WireError:
            continue
        raise AssertionError(f"{name} was read from its first {cut} bytes")


def check_unknown(entry: str) -> None:
    """Of other kinds a client may leave out logged events alone: it reads how each of them begins."""
    title, *lines = entry.split("\n")
    _name, number, _version = title.split(" ")
    assert 0x0300 <= int(number, 16) < 0x0400, f"{title} is not known"
    body = bytes.fromhex("".join(line.split("  ", 1)[0] for line in lines))
    head = chat_wire.Frame(int(number, 16), 1, 0, body).logged_head()
    assert [str(field) for field in head] == [line.split(" = ")[1] for line in lines[:3]], title


def check_integers() -> None:
    for value in (0, 250, 251, 65_535, 65_536, 2**32 - 1, 2**32, 2**64 - 1):
        written = chat_wire.encode_unsigned(value, 64)
        assert chat_wire.Reader(written).unsigned("u64") == value, value


def check_signatures() -> None:
    for seed, key, message, signature in VECTORS:
        seed_bytes, said = bytes.fromhex(seed), bytes.fromhex(message)
        assert ed25519.public_key(seed_bytes).hex() == key
        assert ed25519.sign(seed_bytes, said).hex() == signature
        assert ed25519.verify(bytes.fromhex(key), bytes.fromhex(signature), said)
        assert not ed25519.verify(bytes.fromhex(key), bytes.fromhex(signature), said + b"x")
