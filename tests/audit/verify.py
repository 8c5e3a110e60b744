#!/usr/bin/env python3
"""A second verifier of audit logs, written from docs/audit-format.md alone. It needs Python's `cryptography` package, and the
program `zstd` where segments are closed.

verify.py DIR --public-key FILE [--checkpoint FILE]... [--answers-key FILE]... [--witness-file FILE]... [--witness-key KEY]...

Prints what it found. Status 0 when every record is proven, 1 when not, 2 on wrong usage. The log must not be written meanwhile.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

import hashlib

from answer_blob import AnswersKey, pieces
from audit_log import (Checkpoint, Forest, Key, Malformed, WitnessKey, leaf_hash, parse_canonical, parse_statement, parse_tree_line,
                       root_by_inclusion)

DIGEST = re.compile(r"[0-9a-f]{64}\Z")
SEGMENT_FILE = re.compile(r"(records|tree)-([0-9]{20})\.(jsonl\.zst|jsonl|json)\Z")


class Verification:
    def __init__(self, directory, key_text, saved, answers_keys=(), witness_files=(), witness_keys=()):
        self.directory = Path(directory)
        self.key_text = key_text
        self.findings = []
        self.records = 0
        self.tree = Forest()
        self.roots = {}  # of the tree at the sizes of checkpoints; None where it can't be known
        self.about_log = {}  # index: record
        self.deleted = []  # (first, end)
        self.whole = True  # no record is missing so far
        self.marks = []  # (where it is from, checkpoint, saved elsewhere)
        self.marked_sizes = set()
        self.witness_files = witness_files  # (name, content)
        self.lists = set()  # names of files of notes of witnesses
        self.witness_keys = [WitnessKey.parse(line) for line in witness_keys]
        self.answers_keys = [AnswersKey(text) for text in answers_keys]
        self.segment = 0  # that is read: its first record
        self.with_records = []  # segments
        self.commands = {}  # (session, seq), also of other records: segment
        self.outcomes = []  # (index, record, segment), of those whose answers are recorded
        self.read_checkpoints(saved)

    def find(self, text):
        self.findings.append(text)

    def add_mark(self, source, note, is_saved):
        try:
            checkpoint = Checkpoint(note)
        except Malformed as error:
            self.find(f"{source}: {error}")
            return
        self.marks.append((source, checkpoint, is_saved))
        self.marked_sizes.add(checkpoint.size)

    def read_checkpoints(self, saved):
        newest = self.directory / "checkpoint"
        if newest.exists():
            self.add_mark("checkpoint", newest.read_bytes(), False)
        else:
            self.find("there is no checkpoint")
        kept = self.directory / "checkpoints"
        if kept.exists():
            self.add_notes("checkpoints", kept.read_bytes(), is_saved=False)
        for source, note in saved:
            self.add_mark(source, note, True)
        cosigned = self.directory / "cosigned"
        lists = list(self.witness_files)
        if self.witness_keys and cosigned.exists():
            lists.append(("cosigned", cosigned.read_bytes()))
        self.lists = {source for source, _ in lists}
        for source, content in lists:
            self.add_notes(source, content)

    def add_notes(self, source, content, is_saved=True):
        # Text, empty line, signatures, empty line, and so on.
        parts = content.split(b"\n\n")
        if parts[-1] != b"" or len(parts) % 2 != 1:
            self.find(f"{source} ends in a note that is not whole")
        for text, signatures in zip(parts[0:-1:2], parts[1:-1:2]):
            self.add_mark(source, text + b"\n\n" + signatures + b"\n", is_saved)

    def segments(self):
        """{first: {kind of file: path}} of those with records or a tree file."""
        found = {}
        for path in self.directory.iterdir():
            name = SEGMENT_FILE.match(path.name)
            if name and (name[1] == "tree") == (name[3] == "json") and int(name[2]) < 2**53:
                found.setdefault(int(name[2]), {})[name[1] + "." + name[3]] = path
        return sorted(found.items())

    def lines_of(self, files):
        """The records, and whether the segment is closed; None when they can't be read."""
        if "records.jsonl" in files:
            return files["records.jsonl"].read_bytes(), False
        # The program undoes gzip and xz, too, but lists zstd's frames only.
        listed, done = (subprocess.run(["zstd", option, "--", files["records.jsonl.zst"]], capture_output=True, check=False)
                        for option in ("-lq", "-dcq"))
        if listed.returncode != 0 or done.returncode != 0:
            self.find(f"{files['records.jsonl.zst'].name} can't be read")
            return None, True
        return done.stdout, True

    def note_root(self):
        if self.tree.end in self.marked_sizes:
            self.roots[self.tree.end] = self.tree.root() if self.whole else None

    def skip_to(self, first):
        if first != self.tree.end:
            self.find(f"records {self.tree.end} to {first} are missing, or there twice")
            self.whole = False
            self.tree = Forest(first)

    def read_record(self, record):
        index = self.tree.end
        self.records += 1
        self.tree.append(leaf_hash(record))
        self.note_root()
        try:
            value = parse_canonical(record)
            if not isinstance(value.get("type"), str) or not isinstance(value.get("time"), str):
                raise Malformed("it has no type or no time")
        except Malformed as error:
            self.find(f"record {index}: {error}")
            return None
        if value["type"].startswith("audit_"):
            self.about_log[index] = value
        name = value.get("session"), value.get("seq")
        if isinstance(name[0], (str, type(None))) and isinstance(name[1], (int, type(None))):
            self.commands[name] = self.segment
        if value["type"] == "outcome" and "answer_recorded" in value:
            self.outcomes.append((index, value, self.segment))
        return value["time"]

    def read_segment(self, first, files, is_last):
        if "records.jsonl" not in files and "records.jsonl.zst" not in files:
            self.read_deleted(first, files["tree.json"])
            return
        self.skip_to(first)
        self.segment = first
        self.with_records.append(first)
        content, is_closed = self.lines_of(files)
        if content is None:
            self.whole = False
            return
        *lines, rest = content.split(b"\n")
        own = Forest(first)
        times = []
        for line in lines:
            own.append(leaf_hash(line))
            times.append(self.read_record(line))
        if rest:
            self.find(f"{len(rest)} bytes behind record {self.tree.end - 1} are no whole record")
        if is_closed or not is_last:
            self.compare_tree(first, files, own, times)

    def compare_tree(self, first, files, own, times):
        if "tree.json" not in files:
            self.find(f"the tree file of segment {first} is missing")
            return
        try:
            said = parse_tree_line(files["tree.json"].read_bytes())
            if said != (first, own.end, own.hashes(), times[0] if times else None, times[-1] if times else None):
                self.find(f"{files['tree.json'].name} is not that of its records")
        except Malformed as error:
            self.find(f"{files['tree.json'].name}: {error}")

    def read_deleted(self, first, path):
        self.skip_to(first)
        try:
            said_first, end, hashes, _, _ = parse_tree_line(path.read_bytes())
            if said_first != first:
                raise Malformed("it is another segment's")
        except Malformed as error:
            self.find(f"{path.name}: {error}")
            self.whole = False
            return
        if self.whole:
            self.tree.append_range(hashes, first, end)
        else:
            self.tree = Forest(end)
        self.deleted.append((first, end))
        self.note_root()

    def keys_by_size(self, origin):
        """A function from a checkpoint's size to the lists of keys of which it must have all signatures of one."""
        given = Key.read(self.key_text, origin)
        kept = self.kept_hand_overs()
        found = kept | {index: (Key.parse(record["previous_key"]), Key.parse(record["key"]))
                        for index, record in self.about_log.items() if record["type"] == "audit_key_changed"}
        changes = [(index, *pair) for index, pair in sorted(found.items())]
        keys = [changes[0][1]] if changes else [given]
        proven = []
        for index, previous, new in changes:
            proven.append(previous == keys[-1] and (index in kept or any(
                mark.size == index + 1 and mark.signed_by(previous) and mark.signed_by(new)
                and self.roots.get(mark.size) == mark.root for _, mark, _ in self.marks)))
            keys.append(new)
        if not all(proven):
            self.find("a change of key is not signed by both keys")
        if given not in keys:
            raise Malformed("it never signed this log")
        low = high = keys.index(given)
        while low > 0 and proven[low - 1]:
            low -= 1
        while high < len(proven) and proven[high]:
            high += 1

        def keys_at(size):
            epoch = sum(index + 1 < size for index, _, _ in changes)
            both = epoch < len(changes) and changes[epoch][0] + 1 == size
            may_be_older = epoch == 0 and not both and size <= self.deleted_end()
            return [keys[i] for i in range(epoch, epoch + 1 + both) if low <= i <= high], keys[epoch : epoch + 1 + both], may_be_older

        return keys_at

    def kept_hand_overs(self):
        """{index: (previous key, new key)} of the file hand-overs, for records that were deleted."""
        path = self.directory / "hand-overs"
        kept = {}
        *lines, rest = (path.read_bytes() if path.exists() else b"").split(b"\n")
        for line in lines + [rest] * bool(rest):
            try:
                note, index, proof, record = parse_statement(line + b"\n" * (line is not rest))
                checkpoint, change = Checkpoint(note), parse_canonical(record)
                previous, new = Key.parse(change["previous_key"]), Key.parse(change["key"])
                if change["type"] != "audit_key_changed" or checkpoint.size != index + 1:
                    raise Malformed("it is no change of key, or not the last record of its checkpoint")
                if not checkpoint.signed_by(previous) or not checkpoint.signed_by(new):
                    raise Malformed("it is not signed by both keys")
                if root_by_inclusion(leaf_hash(record), index, checkpoint.size, proof) != checkpoint.root:
                    raise Malformed("its record is another")
                if any(first <= index < end for first, end in self.deleted):
                    if self.roots.get(checkpoint.size) not in (None, checkpoint.root):
                        raise Malformed("it is of another log")
                    if kept.setdefault(index, (previous, new)) != (previous, new):
                        raise Malformed("a line before says something else")
            except (Malformed, KeyError, TypeError, AttributeError) as error:
                self.find(f"hand-overs has a line that hands nothing over: {error!r}")
        return kept

    def run(self):
        self.note_root()
        segments = self.segments()
        for place, (first, files) in enumerate(segments):
            self.read_segment(first, files, place == len(segments) - 1)
        self.judge()
        return self.findings

    def judge_answers(self):
        named = {record.get("answers_key") for record in self.about_log.values()}
        unnamed = set()
        found = {}  # (session, seq): [(segment, piece)]
        for segment in self.with_records:
            path = self.directory / f"answers-{segment:020d}.blob"
            for piece in pieces(path, self.answers_keys) if path.exists() else ():
                found.setdefault((piece.session, piece.command), []).append((segment, piece))
        known = {key.id for key in self.answers_keys} | {b""}
        for index, outcome, end in self.outcomes:
            recorded = outcome["answer_recorded"]
            try:
                length, digest = recorded["bytes"], recorded["sha256"]
                name = (outcome["session"], outcome["of"])
                are_numbers = all(type(number) is int and number >= 0 for number in (length, outcome["bytes"], outcome["of"]))
                if not (DIGEST.match(digest) and are_numbers and length <= outcome["bytes"] and isinstance(outcome["session"], str)):
                    raise ValueError(digest)
            except (KeyError, TypeError, ValueError):
                self.find(f"record {index} does not say what is recorded of its answer")
                continue
            if length == outcome["bytes"] and outcome.get("answer_sha256", digest) != digest:
                self.find(f"record {index} has two digests of one answer")
            content, own = b"", []
            for segment, piece in found.get(name, ()):
                if segment <= end and piece.offset == len(content) and len(content) < length:
                    content += bytes(piece.length) if piece.content is None else piece.content
                    own.append((segment, piece))
            is_readable = all(piece.key_id in known for _, piece in own)
            is_as_sealed = all(piece.content is not None or piece.key_id not in known for _, piece in own)
            strange = {piece.key_id.hex() for _, piece in own if piece.key_id not in known} - named
            if own and own[0][0] < self.commands.get(name, 0):
                self.find(f"the answer of record {index} has a piece in the file of a segment that ended before its command")
            elif length > 0 and len(content) < length:
                if not self.deleted or name in self.commands:
                    self.find(f"{len(content)} bytes are there of the answer of record {index}, and {length} were recorded")
            elif length > 0 and len(content) > length:
                self.find(f"the answer of record {index} is longer in its pieces than what was recorded")
            elif length > 0 and strange and not self.deleted:
                unnamed |= strange
            elif length > 0 and not is_readable and self.answers_keys:
                self.find(f"the answer of record {index} is encrypted with another key than those that were given")
            elif length > 0 and not (is_as_sealed and (not is_readable or hashlib.sha256(content).hexdigest() == digest)):
                self.find(f"the answer of record {index} is not the one that was recorded")

        for key in sorted(unnamed):
            self.find(f"answers are encrypted with key {key}, which no record names")

    def judge(self):
        self.judge_answers()
        own = [checkpoint for _, checkpoint, is_saved in self.marks if not is_saved]
        if not own:
            self.find("nothing is signed")
            return
        try:
            keys_at = self.keys_by_size(own[-1].origin if len(own) == 1 else own[0].origin)
        except (Malformed, KeyError, ValueError, TypeError, AttributeError) as error:
            self.find(f"the key can't be used: {error!r}")
            return
        newest = max(checkpoint.size for checkpoint in own)
        for source, checkpoint, is_saved in self.marks:
            self.judge_mark(source, checkpoint, keys_at, is_saved, newest)
        for key in self.witness_keys:
            if not any(self.roots.get(checkpoint.size) == checkpoint.root and key.time_of(checkpoint) is not None
                       for _, checkpoint, _ in self.marks):
                self.find(f"witness {key.name} cosigned nothing that this log goes on from")
        for source, _ in self.witness_files:
            if not any(name == source for name, _, _ in self.marks):
                self.find(f"{source} has no checkpoint")
        if max(newest, self.tree.end) == 0:
            self.find("there are no records")
        if self.tree.end > newest:
            self.find(f"{self.tree.end - newest} records are behind the last checkpoint")
        current = [checkpoint.size for source, checkpoint, is_saved in self.marks if source == "checkpoint" and not is_saved]
        if current and current[0] < newest:
            self.find("checkpoint is older than one of checkpoints")
        self.judge_deleted()

    def deleted_end(self):
        """The log is deleted up to there."""
        reached = 0
        for first, end in self.deleted:
            reached = end if first == reached else reached
        return reached

    def has_newer(self, source, size, keys_at):
        """Whether the file has a checkpoint of more records that this log goes on from."""
        return any(name == source and one.size > size and self.roots.get(one.size) == one.root
                   and any(one.signed_by(key) for key in keys_at(one.size)[0]) for name, one, _ in self.marks)

    def judge_mark(self, source, checkpoint, keys_at, is_saved, newest):
        trusted, all_keys, may_be_older = keys_at(checkpoint.size)
        states = [checkpoint.signed_by(key) for key in all_keys]
        is_newest = checkpoint.size == newest
        is_single = is_saved and source not in self.lists
        is_of_unknown_key = states == [None] and checkpoint.origin == all_keys[0].name and any(
            name == checkpoint.origin for name, _, _ in checkpoint.signatures)
        if is_of_unknown_key and may_be_older and not is_single and not is_newest:
            pass  # of a key whose hand-over was deleted, before hand-overs were kept
        elif False in states or not any(checkpoint.signed_by(key) for key in trusted):
            self.find(f"{source} (of {checkpoint.size} records) is not signed by the key of its time")
        inside_deleted = any(first < checkpoint.size < end for first, end in self.deleted)
        if checkpoint.size > self.tree.end:
            self.find(f"{source} covers {checkpoint.size} records, the log has {self.tree.end}")
        elif (inside_deleted and checkpoint.size <= self.deleted_end() and is_saved and not is_single
              and self.has_newer(source, checkpoint.size, keys_at)):
            pass  # a newer one of the same witness says more, and no record is left of which only this one would
        elif inside_deleted and not is_saved and not is_newest:
            pass  # the log's own, of a time whose records were deleted
        elif self.roots.get(checkpoint.size) is None:
            self.find(f"{source} (of {checkpoint.size} records) can't be compared: records before it are deleted or missing")
        elif self.roots[checkpoint.size] != checkpoint.root:
            self.find(f"{source}: the first {checkpoint.size} records are not those that were signed")

    def judge_deleted(self):
        for first, end in self.deleted:
            if not any(index >= end and record["type"] == "audit_pruned" and is_range(record, first, end)
                       for index, record in self.about_log.items()):
                self.find(f"records {first} to {end} are deleted, and no record tells of it")


def is_range(record, first, end):
    """Whether the records first to end lie in what the record tells of."""
    said = record.get("first"), record.get("end")
    return all(type(number) is int and number >= 0 for number in said) and said[0] <= first and end <= said[1]


def verify(directory, key_text, saved=(), answers_keys=(), witness_files=(), witness_keys=()):
    """Findings: an empty list when all is proven. `saved` and `witness_files` have pairs of a name and a content, the others texts."""
    return Verification(directory, key_text, saved, answers_keys, witness_files, witness_keys).run()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", metavar="DIR")
    parser.add_argument("--public-key", required=True, metavar="FILE", type=Path)
    parser.add_argument("--checkpoint", action="append", default=[], metavar="FILE", type=Path)
    parser.add_argument("--witness-file", action="append", default=[], metavar="FILE", type=Path)
    parser.add_argument("--witness-key", action="append", default=[], metavar="KEY")
    parser.add_argument("--answers-key", action="append", default=[], metavar="FILE", type=Path)
    arguments = parser.parse_args()
    verification = Verification(arguments.directory, arguments.public_key.read_bytes().decode("utf-8"),
                                [(str(path), path.read_bytes()) for path in arguments.checkpoint],
                                [path.read_text(encoding="ascii") for path in arguments.answers_key],
                                [(str(path), path.read_bytes()) for path in arguments.witness_file],
                                [key if "+" in key else Path(key).read_text(encoding="utf-8") for key in arguments.witness_key])
    findings = verification.run()
    for finding in findings:
        print(f"FINDING: {finding}")
    print(f"{verification.records} records read: {'NOT VERIFIED' if findings else 'VERIFIED'}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
