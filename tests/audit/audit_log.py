"""The audit log's format, as docs/audit-format.md has it: trees, notes, canonical JSON. For verify.py and log_writer.py.

Nothing here is taken from the gateway: a second reading of the same document, with the stock `cryptography` package.
"""

import base64
import hashlib
import json
import math

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

EM_DASH = "\u2014"
NOTE_BYTES_MAX = 64 << 10
SIGNATURES_MAX = 64
KEY_NAME_BYTES_MAX = 255


class Malformed(Exception):
    """What is read is not what the format asks."""


def leaf_hash(record):
    return hashlib.sha256(b"\x00" + record).digest()


def node_hash(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def complete_subtrees(first, end):
    """(first, size) of the largest complete subtrees in the records first to end, from left to right."""
    while first < end:
        size = 1
        while first % (2 * size) == 0 and first + 2 * size <= end:
            size *= 2
        yield first, size
        first += size


class Forest:
    """Complete subtrees, from left to right: [(first, size, hash)]."""

    def __init__(self, first=0):
        self.first = first
        self.end = first
        self.parts = []

    def copy(self):
        other = Forest(self.first)
        other.end, other.parts = self.end, list(self.parts)
        return other

    def append(self, digest, size=1):
        first = self.end
        assert first % size == 0
        self.end += size
        while self.parts and self.parts[-1][1] == size and self.parts[-1][0] % (2 * size) == 0:
            first, _, left = self.parts.pop()
            digest = node_hash(left, digest)
            size *= 2
        self.parts.append((first, size, digest))

    def append_range(self, hashes, first, end):
        places = list(complete_subtrees(first, end))
        if first != self.end or len(places) != len(hashes) or not places:
            return False
        for (_, size), digest in zip(places, hashes):
            self.append(digest, size)
        return True

    def hashes(self):
        return [digest for _, _, digest in self.parts]

    def root(self):
        """Of a tree that begins with record 0."""
        if not self.parts:
            return hashlib.sha256(b"").digest()
        digest = self.parts[-1][2]
        for _, _, left in reversed(self.parts[:-1]):
            digest = node_hash(left, digest)
        return digest


def root_by_inclusion(leaf, index, size, proof):
    """RFC 9162, section 2.1.3.2."""
    if index >= size:
        raise Malformed("the index is beyond the tree")
    fn, sn, digest = index, size - 1, leaf
    for sibling in proof:
        if sn == 0:
            raise Malformed("the proof is too long")
        if fn & 1 or fn == sn:
            digest = node_hash(sibling, digest)
            while fn and not fn & 1:
                fn >>= 1
                sn >>= 1
        else:
            digest = node_hash(digest, sibling)
        fn >>= 1
        sn >>= 1
    if sn != 0:
        raise Malformed("the proof is too short")
    return digest


def canonical_number(value):
    if isinstance(value, int):
        if abs(value) < 2**53:
            return str(value)
        value = float(value)
    if not math.isfinite(value):
        raise Malformed("no finite number")
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = repr(abs(value)).partition("e")  # the shortest digits that read back as the number
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    point = len(whole) + int(exponent or 0)
    digits = (whole + fraction).lstrip("0")
    point -= len(whole + fraction) - len(digits)
    digits = digits.rstrip("0")
    if len(digits) <= point <= 21:
        return sign + digits + "0" * (point - len(digits))
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    power = point - 1
    return sign + digits[0] + ("." + digits[1:] if len(digits) > 1 else "") + f"e{'-' if power < 0 else '+'}{abs(power)}"


def canonical_string(text):
    out = ['"']
    short = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    for character in text:
        if character in short:
            out.append(short[character])
        elif character < " ":
            out.append(f"\\u{ord(character):04x}")
        else:
            out.append(character)
    return "".join(out) + '"'


def canonical(value):
    """RFC 8785."""
    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, str):
        return canonical_string(value)
    if isinstance(value, (int, float)):
        return canonical_number(value)
    if isinstance(value, list):
        return "[" + ",".join(canonical(item) for item in value) + "]"
    members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be", "surrogatepass"))
    return "{" + ",".join(canonical_string(name) + ":" + canonical(item) for name, item in members) + "}"


def _no_duplicates(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise Malformed("a member is there twice")
    return dict(pairs)


def parse_canonical(line):
    """The object that a record (bytes, without its LF) is."""
    try:
        text = line.decode("utf-8")
        value = json.loads(text, object_pairs_hook=_no_duplicates)
        if not isinstance(value, dict) or canonical(value) != text:
            raise Malformed("it is not canonical JSON")
        return value
    except (UnicodeDecodeError, UnicodeEncodeError, RecursionError, ValueError) as error:
        raise Malformed(f"it is no JSON: {error}") from error


def is_key_name(name):
    return 0 < len(name.encode()) <= KEY_NAME_BYTES_MAX and not any(c.isspace() or c in "+\x7f" or c < " " for c in name)


class Key:
    """A verifier key."""

    def __init__(self, name, public_bytes):
        if not is_key_name(name):
            raise Malformed("no name of a key")
        self.name = name
        self.public_bytes = public_bytes
        self.id = hashlib.sha256(name.encode() + b"\n\x01" + public_bytes).digest()[:4]
        self._public = Ed25519PublicKey.from_public_bytes(public_bytes)

    def __eq__(self, other):
        return (self.name, self.public_bytes) == (other.name, other.public_bytes)

    def line(self):
        return self.name + "+" + self.id.hex() + "+" + base64.b64encode(b"\x01" + self.public_bytes).decode()

    def verifies(self, text, signature):
        try:
            self._public.verify(signature, text)
            return True
        except InvalidSignature:
            return False

    @classmethod
    def parse(cls, line):
        parts = line.removesuffix("\n").split("+", 2)
        if len(parts) != 3:
            raise Malformed("no verifier key")
        name, key_id, encoded = parts
        raw = decode_base64(encoded)
        if len(raw) != 33 or raw[0] != 1:
            raise Malformed("no Ed25519 key")
        key = cls(name, raw[1:])
        if key.id.hex() != key_id:
            raise Malformed("the key id is not the key's")
        return key

    @classmethod
    def read(cls, text, origin):
        """Of a file: a verifier key's line, or PEM, whose name is that of the log."""
        if "-----BEGIN" in text:
            public = serialization.load_pem_public_key(text.encode())
            if not isinstance(public, Ed25519PublicKey):
                raise Malformed("no Ed25519 key")
            return cls(origin, public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw))
        return cls.parse(text)


def decode_base64(text):
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (ValueError, UnicodeEncodeError) as error:
        raise Malformed("no base64") from error
    if base64.b64encode(raw).decode() != text:
        raise Malformed("base64 with other bits behind its end")
    return raw


class Signer:
    def __init__(self, name, seed):
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        raw = self._private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.key = Key(name, raw)

    def public_pem(self):
        return self._private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def line(self, text):
        signature = base64.b64encode(self.key.id + self._private.sign(text)).decode()
        return f"{EM_DASH} {self.key.name} {signature}\n"


class Checkpoint:
    def __init__(self, note):
        """`note` is bytes; not trusted yet."""
        if len(note) > NOTE_BYTES_MAX:
            raise Malformed("longer than a note is")
        try:
            text = note.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Malformed("not UTF-8") from error
        if any(c < " " and c != "\n" for c in text) or not text.endswith("\n") or "\n\n" not in text:
            raise Malformed("no note")
        body, _, tail = text.rpartition("\n\n")
        self.text = (body + "\n").encode()
        lines = body.split("\n")
        if len(lines) != 3 or not lines[0] or not lines[1].isascii() or not lines[1].isdigit():
            raise Malformed("no checkpoint")
        if str(int(lines[1])) != lines[1] or int(lines[1]) >= 2**64:
            raise Malformed("no number of records")
        self.origin, self.size, self.root = lines[0], int(lines[1]), decode_base64(lines[2])
        if len(self.root) != 32:
            raise Malformed("no root")
        self.signatures = []
        if not tail:
            raise Malformed("no signature")
        for line in tail.removesuffix("\n").split("\n"):
            parts = line.split(" ")
            if len(parts) != 3 or parts[0] != EM_DASH or not is_key_name(parts[1]):
                raise Malformed("no signature line")
            raw = decode_base64(parts[2])
            if len(raw) <= 4:
                raise Malformed("no signature")
            self.signatures.append((parts[1], raw[:4], raw[4:]))
        if len(self.signatures) > SIGNATURES_MAX:
            raise Malformed("more signatures than a note has")

    def signed_by(self, key):
        """None when it has no signature of that key, else whether all of them are right."""
        if key.name != self.origin:
            return None
        found = [signature for name, key_id, signature in self.signatures if (name, key_id) == (key.name, key.id)]
        return all(key.verifies(self.text, signature) for signature in found) if found else None


def sign_checkpoint(origin, size, root, signers):
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
    return text + b"\n" + "".join(signer.line(text) for signer in signers).encode()


def tree_line(first, end, hashes, time_first, time_last):
    value = {"first": first, "end": end, "hashes": [base64.b64encode(one).decode() for one in hashes],
             "time_first": time_first, "time_last": time_last}
    return (canonical(value) + "\n").encode()


def parse_tree_line(line):
    """(first, end, hashes, time_first, time_last)"""
    if not line.endswith(b"\n"):
        raise Malformed("no line")
    value = parse_canonical(line[:-1])
    if set(value) != {"first", "end", "hashes", "time_first", "time_last"}:
        raise Malformed("other members")
    first, end = value["first"], value["end"]
    if type(first) is not int or type(end) is not int or not 0 <= first < end < 2**53:
        raise Malformed("no range")
    if not isinstance(value["hashes"], list) or not all(isinstance(one, str) for one in value["hashes"]):
        raise Malformed("no hashes")
    hashes = [decode_base64(one) for one in value["hashes"]]
    if len(hashes) != len(list(complete_subtrees(first, end))) or any(len(one) != 32 for one in hashes):
        raise Malformed("other hashes than a range of this place has")
    if not isinstance(value["time_first"], str) or not isinstance(value["time_last"], str):
        raise Malformed("no times")
    return first, end, hashes, value["time_first"], value["time_last"]


def statement_line(note, index, proof, record):
    """A line of hand-overs."""
    value = {"checkpoint": note.decode(), "index": index, "proof": [base64.b64encode(one).decode() for one in proof],
             "record": record.decode()}
    return (canonical(value) + "\n").encode()


def parse_statement(line):
    """(note, index, proof, record)"""
    if not line.endswith(b"\n"):
        raise Malformed("no line")
    value = parse_canonical(line[:-1])
    if set(value) != {"checkpoint", "index", "proof", "record"}:
        raise Malformed("other members")
    if type(value["index"]) is not int or not 0 <= value["index"] < 2**53 or not isinstance(value["proof"], list):
        raise Malformed("no index or no proof")
    if not isinstance(value["record"], str) or not isinstance(value["checkpoint"], str):
        raise Malformed("no record or no checkpoint")
    proof = [decode_base64(one) for one in value["proof"]]
    if any(len(one) != 32 for one in proof) or len(proof) > 64:
        raise Malformed("no proof")
    return value["checkpoint"].encode(), value["index"], proof, value["record"].encode()


class WitnessKey(Key):
    """C2SP tlog-cosignature, cosignature/v1 with Ed25519."""

    def __init__(self, name, public_bytes):
        super().__init__(name, public_bytes)
        self.id = hashlib.sha256(name.encode() + b"\n\x04" + public_bytes).digest()[:4]

    def line(self):
        return self.name + "+" + self.id.hex() + "+" + base64.b64encode(b"\x04" + self.public_bytes).decode()

    @classmethod
    def parse(cls, line):
        parts = line.strip().split("+", 2)
        raw = decode_base64(parts[-1])
        if len(parts) != 3 or len(raw) != 33 or raw[0] != 4 or cls(parts[0], raw[1:]).id.hex() != parts[1]:
            raise Malformed("no key of a witness")
        return cls(parts[0], raw[1:])

    def time_of(self, checkpoint):
        """When it cosigned the checkpoint; None when it did not."""
        times = []
        for name, key_id, raw in checkpoint.signatures:
            if (name, key_id) == (self.name, self.id):
                time = int.from_bytes(raw[:8], "big")
                if len(raw) != 72 or not self.verifies(cosigned_text(checkpoint.text, time), raw[8:]):
                    return None
                times.append(time)
        return max(times, default=None)


def cosigned_text(text, time):
    return b"cosignature/v1\ntime %d\n" % time + text


class Cosigner(Signer):
    def __init__(self, name, seed):
        super().__init__(name, seed)
        self.key = WitnessKey(name, self.key.public_bytes)

    def cosign(self, text, time):
        signature = self._private.sign(cosigned_text(text, time))
        return f"{EM_DASH} {self.key.name} {base64.b64encode(self.key.id + time.to_bytes(8, 'big') + signature).decode()}\n"


def is_consistent(old_size, old_root, size, root, proof):
    """RFC 9162, section 2.1.4.2, for 0 < old_size."""
    if old_size == size:
        return not proof and old_root == root
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path = [old_root] + path
    if not path or old_size > size:
        return False
    fn, sn = old_size - 1, size - 1
    while fn & 1:
        fn >>= 1
        sn >>= 1
    fr = sr = path[0]
    for digest in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(digest, fr), node_hash(digest, sr)
            while fn and not fn & 1:
                fn >>= 1
                sn >>= 1
        else:
            sr = node_hash(sr, digest)
        fn >>= 1
        sn >>= 1
    return sn == 0 and fr == old_root and sr == root
