"""The bytes of the chatd protocol, version 1, written from docs/PROTOCOL.md alone.

It knows how values become bytes and back. It must not know sockets, keys or time.

A message is a dict of its fields: ``encode("Join", {"name": "lobby"})`` makes the body of a
frame, ``decode("Join", body)`` reads it. Types are written as in PROTOCOL.md:
``u16 u32 u64 bool text bytes bytes16 bytes32 bytes64``, ``list T``, ``option T``, or a struct's name.
"""

from __future__ import annotations

import json
import struct
from typing import Any, Iterable, NamedTuple

MAGIC = b"\x89CHT"
PROTOCOL_VERSION = 1
# The kinds of a text: somebody says it, does it, or a program says it.
KIND_SAY, KIND_ACTION, KIND_NOTICE = 1, 2, 3
# The kind of a credential that is an Ed25519 key, and of the proof that is its signature.
KIND_KEY, PROOF_SIGNATURE = 1, 1
FRAME_BYTES_MAX = 64 * 1024

# Values inside messages. The ids are all u64.
STRUCTS: dict[str, str] = {
    "Nonce": "stream:bytes16 n:u64",
    "Position": "epoch:u64 seq:u64",
    "Limits": "frame_bytes_max:u32 text_bytes_max:u32 "
    "commands_in_flight_max:u32 queries_in_flight_max:u32",
    "Member": "account:u64 name:text online:bool",
    "AccountInfo": "account:u64 name:text",
    "Message": "seq:u64 ts:u64 from:u64 id:bytes16 body:TextBody",
    "TextBody": "kind:u16 reply_to:option_u64 context:option_Context text:text",
    "Context": "thread:option_u64 attachments:list_bytes32 cause:option_bytes16 via:option_text",
    "Gap": "log:u64 from:u64 to:u64 reason:u16",
    "Device": "credential:bytes16 kind:u16 fingerprint:bytes32 label:text added:u64",
    "InvitationInfo": (
        "invitation:u64 by:u64 name:text uses_left:u32 expires:u64 rooms:list_u64"
    ),
    "BanInfo": (
        "account:u64 name:text by:u64 by_name:text since:u64 until:u64 reason:text"
    ),
    "Room": "room:u64 name:text head:u64 members:u32 online:u32 joined:bool role:u16 "
    "is_private:bool is_read_only:bool with:u64 topic:text",
}

# What a frame may hold: the number of the kind, and the fields of version 1 of its body.
KINDS: dict[str, tuple[int, str]] = {
    "Hello": (0x0001, "versions:list_u16 agent:text random:bytes32"),
    "Welcome": (
        0x0002,
        "version:u16 server_key:bytes32 signature:bytes64 session:u64 limits:Limits "
        "challenge:bytes32",
    ),
    "SignIn": (
        0x0003,
        "credential_kind:u16 credential:bytes32 proof_kind:u16 proof:bytes name:text "
        "name_is_firm:bool invitation:option_bytes16",
    ),
    "SignedIn": (0x0004, "account:u64 name:text epoch:u64 head:u64"),
    "LinkDevice": (
        0x0005,
        "credential_kind:u16 credential:bytes32 proof_kind:u16 proof:bytes code:bytes16 label:text",
    ),
    "Send": (0x0101, "nonce:Nonce room:u64 body:TextBody"),
    "Join": (0x0102, "name:text"),
    "Leave": (0x0103, "room:u64"),
    "Rename": (0x0104, "name:text"),
    "Edit": (0x0105, "nonce:Nonce room:u64 of:u64 text:text"),
    "Delete": (0x0106, "nonce:Nonce room:u64 of:u64"),
    "React": (0x0107, "nonce:Nonce room:u64 of:u64 reaction:text is_set:bool"),
    "SetRole": (0x0110, "room:u64 account:u64 role:u16"),
    "SetAccess": (0x0111, "room:u64 is_private:bool"),
    "Invite": (0x0112, "room:u64 account:u64 is_set:bool"),
    "SetTopic": (0x0113, "room:u64 topic:text"),
    "SetReadOnly": (0x0114, "room:u64 is_read_only:bool"),
    "OpenDirect": (0x0115, "account:u64"),
    "CreateRoom": (0x0116, "name:text is_private:bool"),
    "Kick": (0x0118, "room:u64 account:u64 reason:text"),
    "Ban": (0x0119, "room:u64 account:u64 until:u64 reason:text"),
    "Unban": (0x011A, "room:u64 account:u64"),
    "Mute": (0x011B, "room:u64 account:u64 until:u64 reason:text"),
    "Unmute": (0x011C, "room:u64 account:u64"),
    "SetSlow": (0x011D, "room:u64 seconds:u32"),
    "Report": (0x011E, "room:u64 seq:u64 reason:text"),
    "RemoveMessages": (0x011F, "room:u64 account:u64 seconds:u32"),
    "CreateInvitation": (0x0120, "uses:u32 seconds:u32 rooms:list_u64 name:text"),
    "RevokeInvitation": (0x0121, "invitation:u64"),
    "Subscribe": (0x0141, "log:u64 after:option_Position"),
    "Unsubscribe": (0x0142, "log:u64"),
    "History": (0x0143, "room:u64 before:u64 limit:u16"),
    "FindRoom": (0x0144, "name:text"),
    "Rooms": (0x0145, "after:u64"),
    "Members": (0x0146, "room:u64 after:u64"),
    "Accounts": (0x0147, "ids:list_u64"),
    "Ping": (0x0148, "token:u64"),
    "ProbeReply": (0x0149, "token:u64"),
    "FindAccount": (0x0150, "name:text"),
    "Bans": (0x0154, "room:u64 after:u64"),
    "Invitations": (0x0158, "after:u64"),
    "OpenLink": (0x012C, "code:bytes32"),
    "RevokeCredential": (0x012D, "credential:bytes16"),
    "Devices": (0x015E, ""),
    "Error": (0x0200, "code:u16 retry:bool detail:u64 message:text"),
    "Done": (0x0201, ""),
    "Ack": (0x0202, "nonce:Nonce room:u64 seq:u64 ts:u64 id:bytes16"),
    "RoomInfo": (0x0203, STRUCTS["Room"]),
    "RoomList": (0x0204, "rooms:list_Room more:bool"),
    "MemberList": (0x0205, "room:u64 members:list_Member more:bool"),
    "AccountList": (0x0206, "accounts:list_AccountInfo"),
    "Subscribed": (
        0x0207,
        "log:u64 epoch:u64 head:u64 name:text topic:text members:list_Member "
        "member_count:u32 online:u32",
    ),
    "Reset": (0x0208, "log:u64 epoch:u64 head:u64"),
    "HistoryPage": (
        0x0209,
        "room:u64 epoch:u64 as_of:u64 messages:list_Message more:bool gaps:list_Gap",
    ),
    "Pong": (0x020A, "token:u64"),
    "BanList": (0x0214, "room:u64 bans:list_BanInfo more:bool"),
    "InvitationMade": (0x0218, "invitation:u64 code:bytes16 expires:u64"),
    "DeviceList": (0x021E, "devices:list_Device"),
    "InvitationList": (0x0219, "invitations:list_InvitationInfo more:bool"),
    "Posted": (0x0301, "room:u64 seq:u64 ts:u64 from:u64 id:bytes16 body:TextBody"),
    "Joined": (0x0302, "room:u64 seq:u64 ts:u64 account:u64"),
    "Left": (0x0303, "room:u64 seq:u64 ts:u64 account:u64"),
    "RoomCreated": (0x0304, "room:u64 seq:u64 ts:u64 by:u64 name:text"),
    "RoleSet": (0x0310, "room:u64 seq:u64 ts:u64 by:u64 account:u64 role:u16"),
    "AccessSet": (0x0311, "room:u64 seq:u64 ts:u64 by:u64 is_private:bool"),
    "InvitationSet": (0x0312, "room:u64 seq:u64 ts:u64 by:u64 account:u64 is_set:bool"),
    "TopicSet": (0x0313, "room:u64 seq:u64 ts:u64 by:u64 topic:text"),
    "ReadOnlySet": (0x0314, "room:u64 seq:u64 ts:u64 by:u64 is_read_only:bool"),
    "DirectBegun": (0x0315, "room:u64 seq:u64 ts:u64 by:u64 account:u64"),
    "AccountCreated": (0x0381, "account:u64 seq:u64 ts:u64 name:text"),
    "AccountRenamed": (0x0382, "account:u64 seq:u64 ts:u64 by:u64 name:text"),
    "RoomJoined": (0x0383, "account:u64 seq:u64 ts:u64 room:u64"),
    "RoomLeft": (0x0384, "account:u64 seq:u64 ts:u64 room:u64"),
    "RoomInvited": (0x0390, "account:u64 seq:u64 ts:u64 room:u64 by:u64 name:text"),
    "InvitationWithdrawn": (0x0391, "account:u64 seq:u64 ts:u64 room:u64"),
    "AccountDisabled": (0x0398, "account:u64 seq:u64 ts:u64 by:u64 reason:text"),
    "AccountEnabled": (0x0399, "account:u64 seq:u64 ts:u64 by:u64"),
    "AdministratorSet": (0x039A, "account:u64 seq:u64 ts:u64 by:u64 is_set:bool"),
    "KeySet": (0x039B, "account:u64 seq:u64 ts:u64 by:u64 fingerprint:text"),
    "InvitationCreated": (
        0x03C0,
        "log:u64 seq:u64 ts:u64 invitation:u64 by:u64 uses:u32 expires:u64 name:text",
    ),
    "InvitationUsed": (0x03C1, "log:u64 seq:u64 ts:u64 invitation:u64 account:u64"),
    "InvitationRevoked": (0x03C2, "log:u64 seq:u64 ts:u64 invitation:u64 by:u64"),
    "Gap": (0x0401, STRUCTS["Gap"]),
    "Presence": (0x0402, "room:u64 online:u32"),
    "Probe": (0x0403, "token:u64"),
    "Close": (0x0404, "reason:u16 code:u16 reconnect:bool message:text wait_ms:u64"),
    "Renamed": (0x0405, "account:u64 name:text"),
    "SubscriptionEnded": (0x0406, "log:u64 code:u16 message:text"),
}

NAMES: dict[int, str] = {number: name for name, (number, _fields) in KINDS.items()}

UNSIGNED_BITS = {"u16": 16, "u32": 32, "u64": 64}


class WireError(Exception):
    """The bytes are not what the protocol says they must be."""


class Frame(NamedTuple):
    """One frame; ``request`` is 0 in events."""

    kind: int
    version: int
    request: int
    body: bytes

    @property
    def name(self) -> str | None:
        """The name of the kind, when this client knows it."""
        return NAMES.get(self.kind)

    @property
    def is_logged(self) -> bool:
        """Whether it is an event of a log: such a body begins with log, seq and time."""
        return 0x0300 <= self.kind < 0x0400

    def fields(self) -> dict[str, Any]:
        """The fields that this client knows; what a newer version added is ignored."""
        if self.name is None:
            raise WireError(f"kind {self.kind:#06x} is unknown")
        reader = Reader(self.body)
        fields = reader.fields(KINDS[self.name][1])
        if self.version == 1:
            reader.must_be_at_end()
        return fields

    def logged_head(self) -> tuple[int, int, int]:
        """Log, seq and time of a logged event, whatever its kind."""
        reader = Reader(self.body)
        return reader.unsigned("u64"), reader.unsigned("u64"), reader.unsigned("u64")


def encode_frame(name: str, request: int, fields: dict[str, Any]) -> bytes:
    """A whole frame: length, kind, body version, flags, request id, body."""
    body = encode(name, fields)
    return struct.pack("<IHBBI", 8 + len(body), KINDS[name][0], 1, 0, request) + body


def take_frame(buffer: bytearray) -> Frame | None:
    """Removes the first whole frame from the front of ``buffer``, if one is there."""
    if len(buffer) < 4:
        return None
    (length,) = struct.unpack_from("<I", buffer)
    if not 8 <= length <= FRAME_BYTES_MAX:
        raise WireError(f"a frame of {length} bytes")
    if len(buffer) < 4 + length:
        return None
    kind, version, flags, request = struct.unpack_from("<HBBI", buffer, 4)
    if flags != 0:
        raise WireError(f"the flags are {flags:#04x}")
    body = bytes(buffer[12 : 4 + length])
    del buffer[: 4 + length]
    return Frame(kind, version, request, body)


def encode(name: str, fields: dict[str, Any]) -> bytes:
    """The body of a message."""
    return b"".join(encode_fields(KINDS[name][1], fields))


def decode(name: str, body: bytes) -> dict[str, Any]:
    """The fields of a message of version 1; every byte must be used."""
    reader = Reader(body)
    fields = reader.fields(KINDS[name][1])
    reader.must_be_at_end()
    return fields


def describe(name: str, body: bytes) -> str:
    """A line for every field: its bytes, its name, its value. The format of the golden file."""
    reader = Reader(body)
    reader.fields(KINDS[name][1])
    reader.must_be_at_end()
    lines = [f"{name} {KINDS[name][0]:#06x} v1"]
    lines += [f"{data:<32}  {path} = {value}" for data, path, value in reader.trace]
    return "\n".join(lines)


def parse_fields(spec: str) -> Iterable[tuple[str, str]]:
    """``"name:text online:bool"`` as pairs of a field and its type."""
    for part in spec.split():
        field, _colon, kind = part.partition(":")
        yield field, kind


def encode_fields(spec: str, fields: dict[str, Any]) -> Iterable[bytes]:
    for field, kind in parse_fields(spec):
        yield encode_value(kind, fields[field])


def encode_value(kind: str, value: Any) -> bytes:
    if kind in UNSIGNED_BITS:
        return encode_unsigned(value, UNSIGNED_BITS[kind])
    if kind == "bool":
        return b"\x01" if value else b"\x00"
    if kind == "text":
        data = value.encode("utf-8")
        return encode_unsigned(len(data), 64) + data
    if kind == "bytes":
        return encode_unsigned(len(value), 64) + bytes(value)
    if kind.startswith("bytes"):
        if len(value) != int(kind[5:]):
            raise WireError(f"{kind} of {len(value)} bytes")
        return bytes(value)
    if kind.startswith("list_"):
        items = (encode_value(kind[5:], item) for item in value)
        return encode_unsigned(len(value), 64) + b"".join(items)
    if kind.startswith("option_"):
        return b"\x00" if value is None else b"\x01" + encode_value(kind[7:], value)
    return b"".join(encode_fields(STRUCTS[kind], value))


def encode_unsigned(value: int, bits: int) -> bytes:
    """An unsigned integer in the shortest of its four forms."""
    if not 0 <= value < 1 << bits:
        raise WireError(f"{value} is no u{bits}")
    if value <= 250:
        return bytes([value])
    if value < 1 << 16:
        return b"\xfb" + struct.pack("<H", value)
    if value < 1 << 32:
        return b"\xfc" + struct.pack("<I", value)
    return b"\xfd" + struct.pack("<Q", value)


class Reader:
    """Reads values from the front of a body, and notes what it read where."""

    def __init__(self, body: bytes) -> None:
        self.body = body
        self.at = 0
        self.trace: list[tuple[str, str, str]] = []

    def fields(self, spec: str, path: str = "") -> dict[str, Any]:
        return {field: self.value(kind, path + field) for field, kind in parse_fields(spec)}

    def value(self, kind: str, path: str) -> Any:
        start = self.at
        if kind in UNSIGNED_BITS:
            number = self.unsigned(kind)
            self.note(path, str(number), start)
            return number
        if kind == "bool":
            flag = self.one_of(2) == 1
            self.note(path, "true" if flag else "false", start)
            return flag
        if kind == "text":
            return self.text(path)
        if kind == "bytes":
            length = self.unsigned("u64")
            length_end = self.at
            data = self.take(length)
            self.note(path, f"{length} bytes", start, length_end)
            return data
        if kind.startswith("bytes"):
            data = self.take(int(kind[5:]))
            self.note(path, f"{len(data)} bytes", start)
            return data
        if kind.startswith("list_"):
            count = self.unsigned("u64")
            self.note(path, f"[{count}]", start)
            return [self.value(kind[5:], f"{path}[{i}]") for i in range(count)]
        if kind.startswith("option_"):
            there = self.one_of(2) == 1
            self.note(path, "some" if there else "none", start)
            return self.value(kind[7:], path) if there else None
        return self.fields(STRUCTS[kind], path + ".")

    def text(self, path: str) -> str:
        start = self.at
        length = self.unsigned("u64")
        length_end = self.at
        try:
            text = self.take(length).decode("utf-8")
        except UnicodeDecodeError as error:
            raise WireError(f"{path} is not UTF-8") from error
        self.note(path, json.dumps(text, ensure_ascii=False), start, length_end)
        return text

    def unsigned(self, kind: str) -> int:
        first = self.take(1)[0]
        if first <= 250:
            return first
        width = {251: 2, 252: 4, 253: 8}.get(first)
        if width is None or width * 8 > UNSIGNED_BITS[kind]:
            raise WireError(f"{first:#04x} does not begin a {kind}")
        return int.from_bytes(self.take(width), "little")

    def one_of(self, count: int) -> int:
        byte = self.take(1)[0]
        if byte >= count:
            raise WireError(f"{byte:#04x} where 0 or 1 must stand")
        return byte

    def take(self, count: int) -> bytes:
        if count > len(self.body) - self.at:
            raise WireError("the body is cut short")
        self.at += count
        return self.body[self.at - count : self.at]

    def must_be_at_end(self) -> None:
        if self.at != len(self.body):
            raise WireError(f"{len(self.body) - self.at} bytes follow the body")

    def note(self, path: str, value: str, start: int, split: int | None = None) -> None:
        data = self.body[start : self.at]
        if split is None:
            self.trace.append((data.hex(), path, value))
        else:
            self.trace.append((f"{data[: split - start].hex()} {data[split - start :].hex()}", path, value))
