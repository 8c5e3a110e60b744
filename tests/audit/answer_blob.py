"""Reads answers-FIRST.blob, in the clear or encrypted, and sealed members of records: written from docs/audit-format.md alone, with Python's
`cryptography`."""

import base64
import json
import struct
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HEAD = struct.Struct("<4sIQQB")
SEAL = struct.Struct("<8s16sQ")
TAG_BYTES = 16


class AnswersKey:
    def __init__(self, text):
        text = text.strip()
        self.bytes = bytes.fromhex(text) if len(text) == 64 else base64.b64decode(text, validate=True)
        assert len(self.bytes) == 32
        self.id = self.derive(8, None, b"sallyport answers key id")

    def derive(self, length, salt, info):
        return HKDF(SHA256(), length, salt, info).derive(self.bytes)

    def open(self, salt, counter, associated, sealed, use=b"answers"):
        """The text, or None when it is not what was sealed."""
        key = self.derive(32, salt, b"sallyport " + use + b" data key")
        try:
            return AESGCM(key).decrypt(bytes(4) + struct.pack("<Q", counter), sealed, associated)
        except InvalidTag:
            return None


@dataclass
class Piece:
    session: str
    command: int
    offset: int
    length: int  # of the answer
    key_id: bytes  # empty where it is in the clear
    content: bytes = None  # None: the key is missing, or it is not what was sealed


def pieces(path, keys=()):
    raw = Path(path).read_bytes()
    at = 0
    while at + HEAD.size <= len(raw):
        magic, length, command, offset, session_length = HEAD.unpack_from(raw, at)
        begin = at + HEAD.size + session_length
        end = begin + length
        if magic not in (b"ANS1", b"ANS2") or end > len(raw) or (magic == b"ANS2" and length < SEAL.size + TAG_BYTES):
            return
        session = raw[begin - session_length : begin].decode(errors="replace")
        if magic == b"ANS1":
            yield Piece(session, command, offset, length, b"", raw[begin:end])
        else:
            key_id, salt, counter = SEAL.unpack_from(raw, begin)
            sealed = begin + SEAL.size
            content = None
            for key in keys:
                if key.id == key_id:
                    content = key.open(salt, counter, raw[at:sealed], raw[sealed:end])
            yield Piece(session, command, offset, length - SEAL.size - TAG_BYTES, key_id, content)
        at = end


def unsealed(record, keys):
    """The record with what is sealed in it, or None where that can't be opened."""
    seal = base64.b64decode(record["sealed"], validate=True)
    key_id, salt, counter = SEAL.unpack_from(seal)
    session = record["session"].encode()
    clear = bytes([len(session)]) + session + struct.pack("<Q", record["seq"]) + seal[: SEAL.size]
    for key in keys:
        members = key.open(salt, counter, clear, seal[SEAL.size :], b"literals") if key.id == key_id else None
        if members is not None:
            members = json.loads(members)
            names = {name.removesuffix("_base64") for name in members} | {"sealed", "redacted"}
            return {name: value for name, value in record.items() if name.removesuffix("_base64") not in names} | members
    return None


def plain_piece(session, command, offset, content):
    return HEAD.pack(b"ANS1", len(content), command, offset, len(session)) + session.encode() + content


def sealed_piece(key, salt, counter, session, command, offset, content):
    clear = HEAD.pack(b"ANS2", SEAL.size + len(content) + TAG_BYTES, command, offset, len(session)) + session.encode()
    clear += SEAL.pack(key.id, salt, counter)
    data_key = key.derive(32, salt, b"sallyport answers data key")
    return clear + AESGCM(data_key).encrypt(bytes(4) + struct.pack("<Q", counter), content, clear)
