#!/usr/bin/env python3
"""Writes audit logs for tests, as docs/audit-format.md has them.

log_writer.py DIR [--records N] [--segment N] [--origin NAME]     writes DIR/log and DIR/audit.pub, DIR/audit.pem
"""

import argparse
import datetime
import hashlib
import subprocess
import sys
from pathlib import Path

from answer_blob import plain_piece, sealed_piece
from audit_log import Forest, Signer, canonical, leaf_hash, sign_checkpoint, statement_line, tree_line

START = datetime.datetime(2026, 1, 31, 12, 34, 56, tzinfo=datetime.timezone.utc)


def time_of(number):
    """A time for the record of that number, a millisecond behind that of the one before."""
    moment = START + datetime.timedelta(milliseconds=number)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond:06d}000Z"


class LogWriter:
    def __init__(self, directory, origin="sallyport.example/test", seed=1, answers_key=None):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True)
        self.origin = origin
        self.signer = Signer(origin, bytes([seed]) * 32)
        self.first_key = self.signer.key
        self.tree = Forest()
        self.lines = []  # of the open segment
        self.pieces = 0
        self.hand_overs = []  # (note, index, proof, record)
        self.segment_first = 0
        self.segment_tree = Forest()
        self.append("audit_start", durability="normal", **({} if answers_key is None else {"answers_key": answers_key.id.hex()}))

    def path(self, kind, ending, first=None):
        return self.directory / f"{kind}-{self.segment_first if first is None else first:020d}.{ending}"

    def append(self, kind, **members):
        """Yields the record's index."""
        return self.append_line(canonical({"time": time_of(self.tree.end), "type": kind} | members).encode())

    def append_line(self, line):
        self.lines.append(line)
        self.tree.append(leaf_hash(line))
        self.segment_tree.append(leaf_hash(line))
        with self.path("records", "jsonl").open("ab") as file:
            file.write(line + b"\n")
        return self.tree.end - 1

    def command(self, text, session="0f3a5c7e-1", seq=1):
        return self.append("command", session=session, seq=seq, command="query", text=text)

    def answer(self, content, recorded=None, session="0f3a5c7e-1", seq=1, key=None, **members):
        """A command and its outcome, and the pieces of what is recorded of its answer: two."""
        self.command("SELECT 1", session, seq)
        recorded = content if recorded is None else content[:recorded]
        self.put_pieces([recorded[: len(recorded) // 2], recorded[len(recorded) // 2 :]], session, seq, key)
        return self.outcome(content, recorded, session, seq, **members)

    def put_pieces(self, contents, session="0f3a5c7e-1", seq=1, key=None):
        offset = 0
        for content in contents:
            self.pieces += 1
            piece = (plain_piece(session, seq, offset, content) if key is None else
                     sealed_piece(key, b"salt of the test", self.pieces, session, seq, offset, content))
            with self.path("answers", "blob").open("ab") as file:
                file.write(piece)
            offset += len(content)

    def outcome(self, content, recorded, session="0f3a5c7e-1", seq=1, **members):
        digest = hashlib.sha256(recorded).hexdigest()
        return self.append("outcome", **({"session": session, "seq": seq + 1, "of": seq, "status": "ok", "bytes": len(content),
                           "answer_sha256": hashlib.sha256(content).hexdigest(),
                           "answer_recorded": {"bytes": len(recorded), "sha256": digest}} | members))

    def checkpoint(self, keep=False, signers=None):
        """Signs what there is; yields the note."""
        note = sign_checkpoint(self.origin, self.tree.end, self.tree.root(), signers or [self.signer])
        (self.directory / "checkpoint").write_bytes(note)
        if keep:
            with (self.directory / "checkpoints").open("ab") as file:
                file.write(note + b"\n")
        return note

    def close_segment(self, compress=True):
        times = [line[line.index(b'"time":"') + 8 :].split(b'"')[0].decode() for line in (self.lines[0], self.lines[-1])]
        self.path("tree", "json").write_bytes(
            tree_line(self.segment_first, self.tree.end, self.segment_tree.hashes(), *times))
        if compress:
            subprocess.run(["zstd", "-q", "--rm", self.path("records", "jsonl")], check=True)
        note = self.checkpoint(keep=True)
        self.segment_first = self.tree.end
        self.segment_tree = Forest(self.segment_first)
        self.lines = []
        self.path("records", "jsonl").touch()
        return note

    def change_key(self, seed):
        """The two keys sign what the record ends."""
        new = Signer(self.origin, bytes([seed]) * 32)
        proof = self.tree.hashes()[::-1]  # of the record, as the last one
        index = self.append("audit_key_changed", key=new.key.line(), previous_key=self.signer.key.line())
        note = self.checkpoint(keep=True, signers=[self.signer, new])
        self.signer = new
        self.hand_overs.append((note, index, proof, self.lines[-1]))
        return note

    def prune(self, first, told_from=0):
        """Deletes a closed segment; the gateway tells of it before, and of all that were deleted earlier."""
        end = int(parse_end(self.path("tree", "json", first)))
        kept = b"".join(statement_line(*one) for one in self.hand_overs if one[1] < end)
        if kept:
            (self.directory / "hand-overs").write_bytes(kept)
        self.append("audit_pruned", first=told_from, end=end, reason="age")
        self.checkpoint()
        for ending in ("jsonl", "jsonl.zst"):
            self.path("records", ending, first).unlink(missing_ok=True)
        self.path("answers", "blob", first).unlink(missing_ok=True)

    def stop(self):
        self.append("audit_stop")
        return self.checkpoint(keep=True)


def parse_end(path):
    return path.read_text(encoding="utf-8").split(",")[0].removeprefix('{"end":')


def write_log(directory, records, segment_records, origin="sallyport.example/test"):
    """A log with closed segments and an open one, and a signed end."""
    log = LogWriter(directory, origin)
    for number in range(1, records - 1):
        log.command(f"SELECT {number} /* \u00e9\u4e16 */", seq=number)
        if segment_records and log.tree.end - log.segment_first >= segment_records:
            log.close_segment()
    log.stop()
    return log


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--records", type=int, default=100)
    parser.add_argument("--segment", type=int, default=30, help="records of a segment (default 30; 0: one segment)")
    parser.add_argument("--origin", default="sallyport.example/test")
    arguments = parser.parse_args()
    log = write_log(arguments.directory / "log", arguments.records, arguments.segment, arguments.origin)
    (arguments.directory / "audit.pub").write_text(log.first_key.line() + "\n", encoding="utf-8")
    (arguments.directory / "audit.pem").write_text(log.signer.public_pem(), encoding="utf-8")
    print(f"{log.tree.end} records in {arguments.directory / 'log'}, key in {arguments.directory / 'audit.pub'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
