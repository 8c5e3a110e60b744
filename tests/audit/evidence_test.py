#!/usr/bin/env python3
"""Attacks on audit logs: whatever is done to the files without the key is found, by the program and by verify.py alike.

SALLYPORT_BINARY names the program. tests/audit/run runs this with the Python that has the packages.
"""

import base64
import concurrent.futures
import gzip
import hashlib
import itertools
import json
import lzma
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

import audit_log
import verify
from answer_blob import AnswersKey, plain_piece, sealed_piece
from audit_log import Cosigner, Forest, Signer, canonical, leaf_hash, sign_checkpoint, statement_line, tree_line
from log_writer import LogWriter, write_log

BINARY = os.environ.get("SALLYPORT_BINARY", "build/dev/bin/sallyport")
WORKERS = os.cpu_count() or 2
ALL_FLIPS = bool(os.environ.get("SALLYPORT_TEST_ALL_FLIPS"))


def run(*arguments):
    return subprocess.run([BINARY, "audit", *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


class Evidence(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.addCleanup(directory.cleanup)
        self.directory = Path(directory.name)
        self.log = self.directory / "log"
        self.key_file = self.directory / "audit.pub"
        self.copies = itertools.count()
        self.answers_keys = []
        self.witness_files = []
        self.witness_keys = []

    def keep_key(self, key):
        self.key_file.write_text(key.line() + "\n", encoding="utf-8")
        return self.key_file

    def saved(self, note):
        path = self.directory / f"saved-{next(self.copies)}.checkpoint"
        path.write_bytes(note)
        return path

    def copy(self):
        target = self.directory / f"copy-{next(self.copies)}"
        shutil.copytree(self.log, target)
        return target

    def witnesses(self):
        return [argument for path in self.witness_files for argument in ("--witness-file", path)] + [
            argument for key in self.witness_keys for argument in ("--witness-key", key)]

    def program(self, log, saved=(), wait=0, key=None):
        """(verified, the report)"""
        checkpoints = [argument for path in saved for argument in ("--checkpoint", path)]
        keys = [argument for path in self.answers_keys for argument in ("--answers-key", path)]
        done = run("verify", log, "--public-key", key or self.key_file, "--json", "--wait", wait, *checkpoints, *keys, *self.witnesses())
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertTrue(done.stdout, done.stderr)
        report = json.loads(done.stdout)
        self.assertEqual(report["verified"], done.returncode == 0)
        self.assertEqual(report["verified"], not report["findings"])
        return report["verified"], report

    def second(self, log, saved=(), key=None):
        text = (key or self.key_file).read_bytes().decode()
        return verify.verify(log, text, [(str(path), path.read_bytes()) for path in saved],
                             [path.read_text(encoding="ascii") for path in self.answers_keys],
                             [(str(path), path.read_bytes()) for path in self.witness_files], self.witness_keys)

    def assert_verified(self, log, saved=(), key=None):
        verified, report = self.program(log, saved, key=key)
        self.assertTrue(verified, report)
        self.assertEqual(self.second(log, saved, key), [])
        return report

    def assert_found(self, log, *codes, saved=(), key=None, what=None):
        verified, report = self.program(log, saved, key=key)
        found = self.second(log, saved, key)
        self.assertFalse(verified, what)
        self.assertTrue(found, what)
        for code in codes:
            self.assertIn(code, [finding["code"] for finding in report["findings"]], (what, report))
        return report

    def small_log(self, records=5, segment=0):
        writer = write_log(self.log, records, segment)
        self.keep_key(writer.first_key)
        return writer

    # What is good.

    def test_logs_of_every_size_and_cut_are_verified(self):
        for records, segment in itertools.product((2, 3, 8, 21, 64), (0, 1, 3, 8)):
            with self.subTest(records=records, segment=segment):
                shutil.rmtree(self.log, ignore_errors=True)
                writer = self.small_log(records, segment)
                report = self.assert_verified(self.log)
                self.assertEqual(report["proven"], [{"first": 0, "end": writer.tree.end}])
                self.assertEqual((report["records_read"], report["proven_end"]), (writer.tree.end, writer.tree.end))
                self.assertEqual(report["time_last"], "2026-01-31T12:34:56.%03d000000Z" % (writer.tree.end - 1))

    def test_the_key_may_be_pem_or_a_line(self):
        writer = self.small_log()
        pem = self.directory / "audit.pem"
        pem.write_text(writer.signer.public_pem(), encoding="utf-8")
        self.assert_verified(self.log, key=pem)
        other = self.directory / "other.pub"
        other.write_text(Signer(writer.origin, b"\x09" * 32).key.line(), encoding="utf-8")
        self.assert_found(self.log, "checkpoint_unsigned", key=other)
        other.write_text(Signer("other.example", b"\x01" * 32).key.line(), encoding="utf-8")
        self.assert_found(self.log, "checkpoint_unsigned", key=other)
        other.write_text("no key", encoding="utf-8")
        self.assertIn("key_unusable", run("verify", self.log, "--public-key", other, "--wait", 0).stdout)

    def test_a_log_continues_what_was_saved_of_it(self):
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        saved = []
        for number in range(40):
            writer.command(f"SELECT {number}")
            saved.append(self.saved(writer.checkpoint()))
            if number % 9 == 8:
                writer.close_segment(compress=number % 2 == 0)
        self.assert_verified(self.log, saved)

    # Changes.

    def flips(self, log):
        for path in sorted(log.iterdir()):
            for bit in range(path.stat().st_size * 8):
                yield path.name, bit

    def missed_flips(self, flips):
        """Those of the flips that one of the two takes for good. The program is tried with every eleventh; its unit test tries all."""
        target = self.copy()
        missed = []
        for name, bit in flips:
            raw = (target / name).read_bytes()
            changed = bytearray(raw)
            changed[bit // 8] ^= 1 << bit % 8
            (target / name).write_bytes(changed)
            if not self.second(target):
                missed.append((name, bit, "verify.py"))
            if (bit % 11 == 0 or ALL_FLIPS) and self.program(target)[0]:
                missed.append((name, bit, "program"))
            (target / name).write_bytes(raw)
        return missed

    def test_every_single_bit_flip_is_found(self):
        # Two segments, neither compressed, with tree file, checkpoint and checkpoints: every bit of all of it.
        writer = LogWriter(self.log, origin="s")
        self.keep_key(writer.first_key)
        writer.command("x")
        writer.close_segment(compress=False)
        writer.append("audit_stop")
        writer.checkpoint()
        self.assert_verified(self.log)
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            flips = list(self.flips(self.log))
            missed = sum(pool.map(self.missed_flips, (flips[i::WORKERS] for i in range(WORKERS))), [])
        self.assertEqual(missed, [])

    def test_a_bit_flip_in_a_compressed_segment_is_found_or_changes_no_record(self):
        writer = LogWriter(self.log, origin="s")
        self.keep_key(writer.first_key)
        writer.command("SELECT 1")
        writer.close_segment()
        writer.stop()
        name = "records-00000000000000000000.jsonl.zst"
        whole = subprocess.run(["zstd", "-dcq", self.log / name], capture_output=True, check=True).stdout
        target = self.copy()
        raw = (target / name).read_bytes()
        for bit in range(0, len(raw) * 8, 1 if ALL_FLIPS else 3):
            changed = bytearray(raw)
            changed[bit // 8] ^= 1 << bit % 8
            (target / name).write_bytes(changed)
            verified, report = self.program(target)
            if verified:
                again = subprocess.run(["zstd", "-dcq", target / name], capture_output=True, check=True).stdout
                self.assertEqual(again, whole, bit)
                self.assertEqual(self.second(target), [])
            else:
                self.assertTrue(self.second(target), bit)
                # The rest is proven nevertheless, as the tree file stands in for the damaged segment.
                self.assertEqual(report["proven_end"], 3, bit)

    def rewrite(self, log, lines, first=0):
        """What somebody can do who may write all files and has no key: other records, in the right form throughout."""
        path = log / f"records-{first:020d}.jsonl"
        path.write_bytes(b"".join(line + b"\n" for line in lines))

    def records(self, log=None):
        return (log or self.log).joinpath("records-00000000000000000000.jsonl").read_bytes().splitlines()

    def assert_all_edits_are_found(self, edits, *codes):
        def attempt(edit):
            what, lines = edit
            target = self.copy()
            self.rewrite(target, lines)
            try:
                self.assert_found(target, *codes, what=what)
            finally:
                shutil.rmtree(target)

        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            list(pool.map(attempt, edits))

    def test_every_removed_swapped_duplicated_and_inserted_record_is_found(self):
        self.small_log(12)
        lines = self.records()
        forged = canonical({"command": "query", "seq": 9, "session": "x", "text": "SELECT 1", "time": "2026-01-31T12:34:56.000000000Z",
                            "type": "command"}).encode()
        edits = []
        for i in range(len(lines)):
            edits.append((f"removed {i}", lines[:i] + lines[i + 1 :]))
            edits.append((f"doubled {i}", lines[: i + 1] + lines[i:]))
            edits.append((f"replaced {i}", lines[:i] + [forged] + lines[i + 1 :]))
            for j in range(i + 1, len(lines)):
                swapped = list(lines)
                swapped[i], swapped[j] = lines[j], lines[i]
                edits.append((f"swapped {i} and {j}", swapped))
        edits += [(f"inserted at {i}", lines[:i] + [forged] + lines[i:]) for i in range(len(lines) + 1)]
        edits += [(f"cut off to {i}", lines[:i]) for i in range(len(lines))]
        edits += [("joined", [lines[0] + lines[1]] + lines[2:]), ("split", [lines[0][:9], lines[0][9:]] + lines[1:])]
        self.assert_all_edits_are_found(edits)

    def forge_segments(self, log, lines, segment):
        """Segments of other records, with names, trees and everything but signatures made anew."""
        for path in log.glob("*-*"):
            path.unlink()
        for first in range(0, len(lines), segment):
            part = lines[first : first + segment]
            self.rewrite(log, part, first)
            if first + segment < len(lines):
                tree = Forest(first)
                for line in part:
                    tree.append(leaf_hash(line))
                times = [json.loads(line)["time"] for line in (part[0], part[-1])]
                (log / f"tree-{first:020d}.json").write_bytes(tree_line(first, tree.end, tree.hashes(), *times))

    def test_whoever_rewrites_all_files_but_has_no_key_is_found(self):
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        for number in range(20):
            writer.command(f"SELECT {number}", seq=number)
            if number % 6 == 5:
                writer.close_segment(compress=False)
        writer.stop()
        self.assert_verified(self.log)
        lines = [line for path in sorted(self.log.glob("records-*")) for line in path.read_bytes().splitlines()]
        for i in range(0, len(lines), 3):
            for what, other in (("removed", lines[:i] + lines[i + 1 :]), ("changed", lines[:i] + [lines[i].replace(b"2026", b"2027")] + lines[i + 1 :]),
                                ("inserted", lines[:i] + [lines[0]] + lines[i:])):
                target = self.copy()
                self.forge_segments(target, other, 7)
                self.assert_found(target, what=(what, i))
                # Signed with a key of his own, and without the notes that would not fit: the key is another.
                stranger = Signer(writer.origin, b"\x07" * 32)
                tree = Forest()
                for line in other:
                    tree.append(leaf_hash(line))
                (target / "checkpoint").write_bytes(sign_checkpoint(writer.origin, tree.end, tree.root(), [stranger]))
                (target / "checkpoints").unlink()
                report = self.assert_found(target, "checkpoint_unsigned", what=(what, i))
                self.assertEqual(report["proven"], [])
                shutil.rmtree(target)

    def test_an_altered_record_is_narrowed_down_and_the_rest_stays_proven(self):
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        for number in range(31):
            writer.command(f"SELECT {number}", seq=number)
            if writer.tree.end % 16 == 0:
                writer.close_segment(compress=False)
        writer.stop()
        lines = self.records()
        lines[9] = lines[9].replace(b"SELECT", b"DELETE")
        self.rewrite(self.log, lines)
        report = self.assert_found(self.log, "records_altered")
        self.assertEqual(report["proven"], [{"first": 16, "end": writer.tree.end}])
        self.assertEqual([finding["file"] for finding in report["findings"]], ["records-00000000000000000000.jsonl"])
        # With its tree file made anew it is no better: then the whole segment is in doubt.
        target = self.copy()
        tree = Forest()
        for line in lines:
            tree.append(leaf_hash(line))
        said = audit_log.parse_tree_line((target / "tree-00000000000000000000.json").read_bytes())
        (target / "tree-00000000000000000000.json").write_bytes(tree_line(0, 16, tree.hashes(), said[3], said[4]))
        report = self.assert_found(target, "records_altered")
        self.assertEqual(report["findings"][0]["records"], {"first": 0, "end": 16})

    def test_files_that_are_missing_misnamed_or_strange_are_found(self):
        writer = write_log(self.log, 40, 10)
        self.keep_key(writer.first_key)
        self.assert_verified(self.log)
        first = "records-00000000000000000000.jsonl.zst"
        second = "records-00000000000000000010.jsonl.zst"
        edits = {
            "segment gone": (lambda log: (log / first).unlink(), "pruned_unexplained"),
            "segment and tree gone": (lambda log: [(log / first).unlink(), (log / "tree-00000000000000000000.json").unlink()], "records_missing"),
            "middle gone": (lambda log: [(log / second).unlink(), (log / "tree-00000000000000000010.json").unlink()], "records_missing"),
            "last gone": (lambda log: (log / "records-00000000000000000030.jsonl").unlink(), "records_missing"),
            "tree gone": (lambda log: (log / "tree-00000000000000000000.json").unlink(), "tree_missing"),
            "tree empty": (lambda log: (log / "tree-00000000000000000000.json").write_bytes(b""), "tree_malformed"),
            "checkpoint gone": (lambda log: (log / "checkpoint").unlink(), "checkpoint_missing"),
            "checkpoint empty": (lambda log: (log / "checkpoint").write_bytes(b""), None),
            "checkpoints cut": (lambda log: (log / "checkpoints").write_bytes((log / "checkpoints").read_bytes()[:-1]), "checkpoint_malformed"),
            "swapped": (lambda log: [(log / first).rename(log / "x"), (log / second).rename(log / first), (log / "x").rename(log / second)], None),
            "moved": (lambda log: (log / second).rename(log / "records-00000000000000000011.jsonl.zst"), None),
            "copied": (lambda log: shutil.copy(log / first, log / "records-00000000000000000005.jsonl.zst"), "segment_misplaced"),
            "no zstd": (lambda log: (log / first).write_bytes(b"nothing"), "segment_unreadable"),
            "cut zstd": (lambda log: (log / first).write_bytes((log / first).read_bytes()[:-5]), "segment_unreadable"),
            "zstd of nothing": (lambda log: (log / first).write_bytes(b""), None),
            "one more": (lambda log: (log / "records-00000000000000000900.jsonl").write_bytes(b'{"time":"t","type":"x"}\n'), "records_missing"),
            "an open form": (lambda log: (log / "records-00000000000000000000.jsonl").write_bytes(b'{"time":"t","type":"x"}\n'), None),
        }
        for what, (edit, code) in edits.items():
            with self.subTest(what):
                target = self.copy()
                edit(target)
                self.assert_found(target, *([code] if code else []), what=what)

    def test_both_hold_to_the_same_bounds(self):
        writer = self.small_log(6, 3)
        note = (self.log / "checkpoint").read_bytes()
        segment = "records-00000000000000000000.jsonl.zst"
        records = subprocess.run(["zstd", "-dc", self.log / segment], capture_output=True, check=True).stdout

        def signature(name, number):
            return f"{audit_log.EM_DASH} {name} {base64.b64encode(b'%08d' % number).decode()}\n".encode()

        def with_checkpoint(more):
            target = self.copy()
            (target / "checkpoint").write_bytes(note + more)
            return target

        self.assert_verified(with_checkpoint(b"".join(signature("other", number) for number in range(63))))
        for count in (64, 100, 2000):
            target = with_checkpoint(b"".join(signature("other", number) for number in range(count)))
            self.assert_found(target, "checkpoint_malformed", what=count)
        for name in ("f\u00a0o", "f\u3000o", "f\u0085o", "f\u007fo", "f+o", "f" * 256):
            self.assert_found(with_checkpoint(signature(name, 1)), "checkpoint_malformed", what=name)
        for content in (gzip.compress(records), lzma.compress(records), (self.log / segment).read_bytes() + gzip.compress(b"")):
            target = self.copy()
            (target / segment).write_bytes(content)
            self.assert_found(target, "segment_unreadable")
        self.key_file.write_bytes(writer.first_key.line().encode() + b"\r\n")
        self.assert_found(self.log, "key_unusable")

    def test_an_older_state_of_the_whole_log_is_found_with_a_newer_checkpoint(self):
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        writer.command("SELECT 1")
        older_note = self.saved(writer.checkpoint(keep=True))
        older = self.copy()
        writer.command("DELETE FROM everything")
        newer_note = self.saved(writer.checkpoint(keep=True))
        self.assert_verified(self.log, [older_note, newer_note])
        self.assert_verified(older, [older_note])
        report = self.assert_found(older, "records_missing", saved=[newer_note])
        self.assertEqual(report["findings"][0]["records"], {"first": 2, "end": 3})
        # Within the directory, too: checkpoint is put back, checkpoints is not.
        target = self.copy()
        (target / "checkpoint").write_bytes(older_note.read_bytes())
        self.assert_found(target, "checkpoint_outdated")
        self.rewrite(target, self.records()[:2])
        self.assert_found(target, "records_missing")

    def test_history_that_the_gateway_itself_rewrote_is_found_with_an_older_checkpoint(self):
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        writer.command("SELECT secret FROM vault")
        older = self.saved(writer.checkpoint())
        writer.stop()
        other = LogWriter(self.directory / "rewritten")
        other.command("SELECT 1")
        other.stop()
        self.assert_verified(other.directory)
        self.assert_found(other.directory, "history_rewritten", saved=[older])

    def test_two_signed_checkpoints_of_one_size_that_differ_are_found(self):
        writer = self.small_log()
        with (self.log / "checkpoints").open("ab") as file:
            file.write(sign_checkpoint(writer.origin, writer.tree.end, b"\x05" * 32, [writer.signer]) + b"\n")
        report = self.assert_found(self.log, "history_rewritten")
        self.assertEqual(report["proven_end"], 5)

    def test_an_empty_log_proves_nothing(self):
        writer = self.small_log()
        for path in self.log.iterdir():
            path.unlink()
        (self.log / "checkpoint").write_bytes(sign_checkpoint(writer.origin, 0, Forest().root(), [writer.signer]))
        self.assert_found(self.log, "records_missing")

    def test_segments_beyond_every_number_are_no_segments(self):
        self.small_log()
        (self.log / "records-00009007199254740991.jsonl").write_bytes(b'{"time":"t","type":"x"}\n' * 3)
        self.assert_found(self.log, "records_missing")

    def test_what_is_behind_the_last_checkpoint_is_said_not_to_be_proven(self):
        writer = self.small_log()
        writer.command("SELECT 'tail'")
        report = self.assert_found(self.log, "records_unproven")
        self.assertEqual(report["proven"], [{"first": 0, "end": 5}])
        self.assertEqual(report["findings"][0]["records"], {"first": 5, "end": 6})
        writer.checkpoint()
        with (self.log / "records-00000000000000000000.jsonl").open("ab") as file:
            file.write(b'{"command":"query')
        report = self.assert_found(self.log, "record_unfinished")
        self.assertEqual(report["proven"], [{"first": 0, "end": 6}])

    def test_a_record_that_is_signed_but_not_canonical_is_named(self):
        for line in (b'{"time": "t","type":"x"}', b'{"type":"x","time":"t"}', b'{"time":"t","type":"x"}\r', b'{"a":1.0,"time":"t","type":"x"}',
                     b'{"a":1,"a":1,"time":"t","type":"x"}', b'{"time":"t"}', b'{"time":1,"type":"x"}', b"", b"x", b"\xff",
                     b'{"a":"\\u0041","time":"t","type":"x"}', b'{"a":12345678901234567890,"time":"t","type":"x"}', b"[" * 100_000,
                     b'{"a":NaN,"time":"t","type":"x"}', b'{"a":1e400,"time":"t","type":"x"}', b'{"a":-0,"time":"t","type":"x"}'):
            with self.subTest(line[:60]):
                shutil.rmtree(self.log, ignore_errors=True)
                writer = LogWriter(self.log)
                self.keep_key(writer.first_key)
                writer.append_line(line)
                writer.checkpoint()
                report = self.assert_found(self.log, "record_malformed")
                self.assertEqual(report["findings"][0]["records"], {"first": 1, "end": 2})

    def test_both_read_canonical_numbers_and_strings_alike(self):
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        values = [0, 1, -1, 2**53 - 1, 0.1, -0.1, 1e21, 1e20, 123456789012345680000, 1e-6, 1e-7, 5e-324, 1.7976931348623157e308,
                  333333333.33333329, 4.5, 2e-3, 1e23, "\u20ac$\u000f\nA'B\"\\\\\"/\u007f\u2028\U0001F600", {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4,
                  "\U0001F600": 5, "\u0080": 6, "\u00f6": 7}, [], {}, None, True, False]
        for value in values:
            writer.append("x", value=value)
        writer.checkpoint()
        self.assert_verified(self.log)

    # Keys.

    def test_a_change_of_key_is_followed_from_either_key(self):
        writer = LogWriter(self.log)
        keys = [writer.signer.key]
        notes = []
        for seed in (2, 3, 4):
            writer.command("SELECT 1")
            notes.append(self.saved(writer.checkpoint(keep=True)))
            writer.change_key(seed)
            keys.append(writer.signer.key)
            writer.close_segment()
        writer.stop()
        for key in keys:
            report = self.assert_verified(self.log, notes, key=self.keep_key(key))
            self.assertEqual(report["keys"], [key.line() for key in keys])
        self.assert_found(self.log, "key_unusable", key=self.keep_key(Signer(writer.origin, b"\x09" * 32).key))

    def test_a_change_of_key_without_both_signatures_hands_nothing_over(self):
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        writer.command("SELECT 1")
        before = self.copy()
        thief = Signer(writer.origin, b"\x07" * 32)
        for signers in ([thief], [writer.signer]):
            shutil.rmtree(self.log)
            shutil.copytree(before, self.log)
            writer = LogWriter.__new__(LogWriter)
            writer.__dict__.update(LogWriter(self.directory / f"w-{next(self.copies)}").__dict__)
            shutil.rmtree(self.log)
            writer.directory.rename(self.log)
            writer.directory = self.log
            writer.append("audit_key_changed", key=thief.key.line(), previous_key=writer.signer.key.line())
            writer.checkpoint(keep=True, signers=signers)
            writer.command("DELETE FROM everything")
            writer.checkpoint(signers=[thief])
            report = self.assert_found(self.log, "key_change_unproven", "checkpoint_unsigned")
            self.assertLessEqual(report["proven_end"], 2)

    # Deletion.

    def log_whose_changes_of_key_were_deleted(self):
        """The keys, oldest first; the last one's hand-over is in the log still."""
        writer = LogWriter(self.log)
        keys = [writer.signer.key]
        firsts = []
        for seed in (2, 3, 4):
            firsts.append(writer.segment_first)
            writer.command("SELECT 1", seq=seed)
            writer.checkpoint(keep=True)
            writer.change_key(seed)
            keys.append(writer.signer.key)
            writer.command("SELECT 2")
            writer.close_segment()
        writer.prune(firsts[0])
        writer.prune(firsts[1])
        writer.command("SELECT 3", session="last", seq=9)
        writer.stop()
        return keys

    def test_changes_of_key_outlive_their_records(self):
        keys = self.log_whose_changes_of_key_were_deleted()
        for key in keys:
            report = self.assert_verified(self.log, key=self.keep_key(key))
            self.assertEqual(report["keys"], [key.line() for key in keys])
            done = self.check(self.prove("last/9").stdout)
            self.assertEqual(done.returncode, 0, done.stderr)
        kept = self.log / "hand-overs"
        good = kept.read_bytes()
        lines = good.splitlines(keepends=True)
        for bit in range(0, len(good) * 8, 1 if ALL_FLIPS else 61):
            kept.write_bytes(bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(good)))
            self.assert_found(self.log, "key_change_unproven", what=bit)
        for content in (lines[1], good[:-1], b"\n" + good, good + b"x"):
            kept.write_bytes(content)
            found = self.assert_found(self.log, key=self.keep_key(keys[0]), what=content)
            self.assertLessEqual({one["code"] for one in found["findings"]} , {"key_unusable", "key_change_unproven", "checkpoint_unsigned"})
        for content in (lines[1] + lines[0], good + lines[0]):  # which say nothing else
            kept.write_bytes(content)
            self.assert_verified(self.log)

    @staticmethod
    def hand_over_of_strangers(origin, index):
        """A line that is proven, of a tree that somebody made up."""
        strangers = [Signer(origin, bytes([seed]) * 32) for seed in (77, 78)]
        tree = Forest()
        for number in range(index):
            tree.append(leaf_hash(b"%d" % number))
        proof = tree.hashes()[::-1]
        record = canonical({"key": strangers[1].key.line(), "previous_key": strangers[0].key.line(),
                            "time": "2026-01-31T12:34:56.000000000Z", "type": "audit_key_changed"}).encode()
        tree.append(leaf_hash(record))
        return statement_line(sign_checkpoint(origin, tree.end, tree.root(), strangers), index, proof, record)

    def test_a_hand_over_that_contradicts_the_log_or_a_line_before_counts_for_nothing(self):
        keys = self.log_whose_changes_of_key_were_deleted()
        self.keep_key(keys[0])
        kept = self.log / "hand-overs"
        good = kept.read_bytes()
        origin = audit_log.Checkpoint((self.log / "checkpoint").read_bytes()).origin
        first = json.loads(good.splitlines()[0])["index"]
        segment_end = min(int(path.name[5:25]) for path in self.log.glob("tree-*") if path.name[5:25].strip("0"))
        for index in (first, segment_end - 1):
            kept.write_bytes(good + self.hand_over_of_strangers(origin, index))
            report = self.assert_found(self.log, "key_change_unproven", what=index)
            self.assertEqual(report["keys"], [key.line() for key in keys])
            self.assertEqual(len(report["findings"]), 1, report)
            self.assertEqual(len(self.second(self.log)), 1)
        kept.write_bytes(self.hand_over_of_strangers(origin, first) + good)
        self.assert_found(self.log, "key_change_unproven")
        kept.write_bytes(good + self.hand_over_of_strangers(origin, first))
        self.assertEqual(len(json.loads(self.prove("last/9").stdout)["hand_overs"]), len(keys) - 1)

    def test_where_a_change_of_key_was_deleted_altogether_the_newer_key_proves_the_rest(self):
        keys = self.log_whose_changes_of_key_were_deleted()
        (self.log / "hand-overs").unlink()
        proof = self.prove("last/9").stdout
        for key in keys[2:]:
            report = self.assert_verified(self.log, key=self.keep_key(key))
            self.assertEqual(report["keys"], [key.line() for key in keys[2:]])
            self.assertEqual(self.check(proof).returncode, 0)
        for key in keys[:2]:
            self.assert_found(self.log, "key_unusable", key=self.keep_key(key))
            self.assertEqual(self.check(proof).returncode, 1)
        # Behind what was deleted each note has to be the log's.
        self.keep_key(keys[3])
        notes = self.log / "checkpoints"
        size = json.loads(self.prove("last/9").stdout)["index"]
        stranger = Signer(keys[0].name, b"\x09" * 32)
        notes.write_bytes(notes.read_bytes() + sign_checkpoint(keys[0].name, size, b"\0" * 32, [stranger]) + b"\n")
        self.assert_found(self.log, "checkpoint_unsigned")

    def test_a_note_of_deleted_records_is_passed_over_only_where_an_unknown_key_of_the_log_signed(self):
        writer = LogWriter(self.log, origin="s")
        self.keep_key(writer.first_key)
        writer.command("x")
        writer.checkpoint(keep=True)
        writer.command("y")
        writer.close_segment()
        writer.prune(0)
        writer.stop()
        self.assert_verified(self.log)
        notes = self.log / "checkpoints"
        good = notes.read_bytes()
        old = good[: good.index(b"\n\n", good.index(b"\n\n") + 2)]
        key_id = old.index(b" s ") + 3
        for bit in range(len(old) * 8):
            notes.write_bytes(bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(good)))
            if not key_id <= bit // 8 < key_id + 6:  # 4 bytes in base64
                self.assertTrue(self.second(self.log), bit)
                if bit % 7 == 0 or ALL_FLIPS:
                    self.assertFalse(self.program(self.log)[0], bit)
        notes.write_bytes(good[:key_id] + b"AAAA" + good[key_id + 4 :])
        self.assert_verified(self.log)

    def test_deleted_ranges_are_told_of_and_what_remains_is_proven(self):
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        saved = []
        for number in range(1, 30):
            writer.command(f"SELECT {number}")
            if writer.tree.end % 8 == 0:
                saved.append(self.saved(writer.close_segment()))
        writer.prune(0)
        writer.prune(8)
        writer.stop()
        report = self.assert_verified(self.log, saved)
        self.assertEqual([(one["first"], one["end"]) for one in report["pruned"]], [(0, 8), (8, 16)])
        self.assertEqual(report["proven"], [{"first": 16, "end": writer.tree.end}])
        # Deleted by somebody else.
        target = self.copy()
        (target / "records-00000000000000000016.jsonl.zst").unlink()
        self.assert_found(target, "pruned_unexplained")
        # Other hashes of what was deleted.
        path = self.log / "tree-00000000000000000000.json"
        raw = json.loads(path.read_text(encoding="utf-8"))
        raw["hashes"][0] = base64.b64encode(b"\0" * 32).decode()
        path.write_text(canonical(raw) + "\n", encoding="utf-8")
        self.assert_found(self.log, "records_altered")

    def test_a_deletion_is_told_of_in_numbers(self):
        for first, end in (("0", 9), (0, "9"), (-1, 9), (0, True), (0, 9.5), (0, None)):
            shutil.rmtree(self.log, ignore_errors=True)
            writer = LogWriter(self.log)
            self.keep_key(writer.first_key)
            writer.command("SELECT 1")
            writer.close_segment()
            writer.append("audit_pruned", first=first, end=end, reason="age")
            writer.stop()
            self.assert_verified(self.log)
            writer.path("records", "jsonl.zst", 0).unlink()
            self.assert_found(self.log, "pruned_unexplained", what=(first, end))

    def test_what_is_recorded_of_an_answer_is_told_in_numbers(self):
        for members in ({"of": "1"}, {"bytes": "0"}, {"answer_recorded": {"bytes": "0", "sha256": hashlib.sha256(b"").hexdigest()}},
                        {"answer_recorded": {"bytes": False, "sha256": hashlib.sha256(b"").hexdigest()}}, {"session": 1}):
            shutil.rmtree(self.log, ignore_errors=True)
            writer = LogWriter(self.log)
            self.keep_key(writer.first_key)
            writer.command("SELECT 1")
            writer.outcome(b"", b"", **members)
            writer.stop()
            self.assert_found(self.log, "record_malformed", what=members)

    def test_a_deletion_explains_the_earlier_ones_whose_records_were_deleted_too(self):
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        firsts = []
        for number in range(1, 10):
            firsts.append(writer.segment_first)
            writer.command(f"SELECT {number}")
            if number >= 4:
                # As older gateways told: of one deletion each.
                writer.prune(firsts[number - 4], told_from=firsts[number - 4])
            writer.close_segment()
        writer.stop()
        report = self.assert_found(self.log, "pruned_unexplained")
        self.assertEqual([one["records"]["first"] for one in report["findings"]], firsts[:3])
        writer.prune(firsts[6])
        writer.stop()
        self.assert_verified(self.log)
        # Before another one was to be deleted, it is missed.
        target = self.copy()
        (target / writer.path("records", "jsonl.zst", firsts[7]).name).unlink()
        self.assert_found(target, "pruned_unexplained")

    # Recorded answers.

    def answers_key(self, name="answers.key"):
        path = self.directory / name
        path.write_text(hashlib.sha256(name.encode()).hexdigest() + "\n", encoding="ascii")
        path.chmod(0o600)
        return path, AnswersKey(path.read_text(encoding="ascii"))

    def log_of_answers(self, key=None):
        writer = LogWriter(self.log, answers_key=key)
        self.keep_key(writer.first_key)
        for number in range(4):
            writer.answer(b"\1\0\0\1" + bytes([number]) * 5, seq=2 * number + 1, key=key)
        writer.answer(b"a long answer, of which the beginning is recorded", recorded=6, seq=21, key=key)
        writer.stop()
        return writer

    def blob(self, log=None, first=0):
        return (log or self.log) / f"answers-{first:020}.blob"

    def test_answers_are_compared_with_their_outcomes(self):
        self.log_of_answers()
        self.assertEqual(self.assert_verified(self.log)["answers"],
                         {"whole": 4, "beginnings": 1, "bytes": 42, "encrypted": 0, "deleted": 0, "wanted_keys": []})
        done = run("verify", self.log, "--public-key", self.key_file, "--without-answers", "--json")
        self.assertIsNone(json.loads(done.stdout)["answers"])
        target = self.copy()
        self.blob(target).unlink()
        report = self.assert_found(target, "answer_missing")
        self.assertEqual(len(report["findings"]), 5)
        self.assertEqual(report["findings"][0]["records"], {"first": 2, "end": 3})
        self.assertEqual(report["proven"], [{"first": 0, "end": 12}], "records are proven all the same")

    def test_every_flip_in_a_piece_is_found_by_both(self):
        for key in (None, self.answers_key()):
            with self.subTest(encrypted=key is not None):
                shutil.rmtree(self.log, ignore_errors=True)
                self.answers_keys = [] if key is None else [key[0]]
                self.log_of_answers(None if key is None else key[1])
                raw = self.blob().read_bytes()
                target = self.copy()
                for bit in range(len(raw) * 8):
                    changed = bytearray(raw)
                    changed[bit // 8] ^= 1 << bit % 8
                    self.blob(target).write_bytes(changed)
                    self.assertTrue(self.second(target), bit)
                    if bit % (1 if ALL_FLIPS else 17) == 0:
                        verified, report = self.program(target)
                        self.assertFalse(verified, bit)
                        self.assertLessEqual({one["code"] for one in report["findings"]},
                                                 {"answer_missing", "answer_altered", "answer_key_missing"}, bit)

    def test_pieces_that_are_swapped_cut_or_put_in_are_found_by_both(self):
        for key in (None, self.answers_key()):
            with self.subTest(encrypted=key is not None):
                shutil.rmtree(self.log, ignore_errors=True)
                self.answers_keys = [] if key is None else [key[0]]
                self.log_of_answers(None if key is None else key[1])
                raw = self.blob().read_bytes()
                cuts = [0] + [match.start() for match in re.finditer(b"ANS[12]", raw)][1:] + [len(raw)]
                parts = [raw[begin:end] for begin, end in itertools.pairwise(cuts)]
                self.assertEqual(len(parts), 10)
                forged = plain_piece("0f3a5c7e-1", 3, 0, b"\1\0\0\1XXXXX")
                # With the first answer's number in place of the second's.
                moved = parts[3][:8] + parts[1][8:16] + parts[3][16:]
                for name, changed in {"removed": parts[1:], "last removed": parts[:-1], "swapped": [parts[1], parts[0]] + parts[2:],
                                      "forged": [forged] + parts, "moved": [parts[0], moved] + parts[2:],
                                      "cut": [raw[:-1]], "in front": [b"\0", raw]}.items():
                    target = self.copy()
                    self.blob(target).write_bytes(b"".join(changed))
                    self.assert_found(target, what=name)
                for name, same in {"a piece twice": [parts[0]] + parts, "another one behind": parts + [forged],
                                   "a torn one behind": parts + [forged[:-1]], "of no outcome": [plain_piece("x", 1, 0, b"y")] + parts}.items():
                    target = self.copy()
                    self.blob(target).write_bytes(b"".join(same))
                    self.assertEqual(self.assert_verified(target)["answers"]["whole"], 4, name)

    def test_without_its_key_an_encrypted_answer_is_said_not_to_be_compared(self):
        path, key = self.answers_key()
        other, _ = self.answers_key("other.key")
        self.log_of_answers(key)
        report = self.assert_verified(self.log)
        self.assertEqual(report["answers"], {"whole": 0, "beginnings": 0, "bytes": 0, "encrypted": 5, "deleted": 0,
                                             "wanted_keys": [key.id.hex()]})
        # Who gives keys wants all to be compared: a piece that names another one may have been changed.
        self.answers_keys = [other]
        self.assertEqual(len(self.assert_found(self.log, "answer_key_missing")["findings"]), 5)
        self.answers_keys = [other, path]
        self.assertEqual(self.assert_verified(self.log)["answers"]["whole"], 4)
        # Its length is seen.
        self.answers_keys = []
        raw = self.blob().read_bytes()
        self.blob().write_bytes(raw[: raw.rindex(b"ANS2")])
        self.assert_found(self.log, "answer_missing")

    def test_a_key_that_the_log_never_had_excuses_nothing(self):
        """A changed answer must not pass for one that only its key's owner can compare."""
        _, key = self.answers_key()
        _, other = self.answers_key("other.key")
        for of_log in (None, key):
            shutil.rmtree(self.log, ignore_errors=True)
            writer = self.log_of_answers(of_log)
            self.assert_verified(self.log)
            raw = self.blob().read_bytes()
            first = raw.index(b"ANS", 1)
            self.blob().write_bytes(sealed_piece(other, bytes(16), 1, "0f3a5c7e-1", 1, 0, b"XXXX") + raw[first:])
            report = self.assert_found(self.log, "answer_altered")
            self.assertIn(other.id.hex(), report["findings"][0]["text"])
            # Named by a reload, also behind the outcome.
            writer.append("audit_answers_key", answers_key=other.id.hex())
            writer.checkpoint()
            self.assertIn(other.id.hex(), self.assert_verified(self.log)["answers"]["wanted_keys"])

    def test_answers_that_go_over_segments_and_deletion_are_compared_where_they_can_be(self):
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        writer.command("SELECT 1", session="long", seq=1)
        writer.put_pieces([b"one "], session="long", seq=1)
        writer.answer(b"short", seq=1)
        writer.close_segment()
        writer.command("SELECT 2", session="next", seq=1)
        writer.path("answers", "blob").write_bytes(plain_piece("long", 1, 4, b"two ") + plain_piece("next", 1, 0, b"a "))
        writer.close_segment()
        with writer.path("answers", "blob").open("ab") as file:
            file.write(plain_piece("long", 1, 8, b"three") + plain_piece("next", 1, 2, b"b"))
        writer.outcome(b"one two three", b"one two three", session="long", seq=1)
        writer.outcome(b"a b", b"a b", session="next", seq=1)
        writer.stop()
        self.assertEqual(self.assert_verified(self.log)["answers"]["whole"], 3)
        writer.prune(0)
        report = self.assert_verified(self.log)
        self.assertEqual((report["answers"]["whole"], report["answers"]["deleted"]), (1, 1))
        # That records were deleted excuses nothing else.
        self.blob(first=5).unlink()
        self.assert_found(self.log, "answer_missing")

    def test_pieces_in_files_of_other_segments_are_found_by_both(self):
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        writer.close_segment()
        first = writer.segment_first
        writer.answer(b"one two", seq=1)
        writer.close_segment()
        writer.command("SELECT 2", seq=9)
        writer.stop()
        self.assert_verified(self.log)
        blob = writer.path("answers", "blob", first).name
        for number, code in ((0, "answer_altered"), (writer.segment_first, "answer_missing"), (first + 1, "answer_missing"),
                             (10**6, "answer_missing")):
            target = self.copy()
            (target / blob).rename(target / f"answers-{number:020d}.blob")
            self.assert_found(target, code, what=number)
        target = self.copy()
        (target / blob).write_bytes(plain_piece("0f3a5c7e-1", 1, 0, b"one two and more"))
        self.assert_found(target, "answer_altered")

    def test_an_outcome_that_contradicts_itself_is_found(self):
        for members in ({"answer_recorded": {"bytes": 2, "sha256": "x"}}, {"answer_recorded": {"bytes": 99, "sha256": "0" * 64}},
                        {"answer_recorded": []}, {"answer_recorded": {"bytes": 2, "sha256": "0" * 64}}, {"of": "y"}):
            with self.subTest(members):
                shutil.rmtree(self.log, ignore_errors=True)
                writer = LogWriter(self.log)
                self.keep_key(writer.first_key)
                writer.answer(b"ok", **members)
                writer.checkpoint()
                self.assert_found(self.log, "record_malformed")

    # Witnesses.

    def witnessed_log(self):
        """A log, a file of copies, and what a witness cosigned of it."""
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        copies, cosigner = self.directory / "copies", Cosigner("witness.example/w", b"\x09" * 32)
        self.witness_files, self.witness_keys = [copies], [cosigner.key.line()]
        for number in range(6):
            writer.command(f"SELECT {number}")
            note = writer.checkpoint()
            with copies.open("ab") as file:
                file.write(note + b"\n")
        cosigned = note + cosigner.cosign(audit_log.Checkpoint(note).text, 1769862896).encode()
        (self.log / "cosigned").write_bytes(cosigned + b"\n")
        writer.stop()
        return writer, copies, cosigner

    def test_what_witnesses_cover_is_said(self):
        _, copies, cosigner = self.witnessed_log()
        self.assertEqual(self.assert_verified(self.log)["witnesses"],
                         [{"name": str(copies), "covered": 7, "checkpoints": 6},
                          {"name": "witness.example/w", "covered": 7, "checkpoints": 7 - 6, "time": "2026-01-31T12:34:56.000000000Z"}])
        # A cosigned note that is kept elsewhere will do as well.
        note = self.saved((self.log / "cosigned").read_bytes()[:-1])
        (self.log / "cosigned").unlink()
        self.assert_verified(self.log, [note])
        self.assert_found(self.log, "witness_missing")
        self.witness_keys = ["nonsense+00000000+AAAA"]
        self.assertIn("key_unusable", run("verify", self.log, "--public-key", self.key_file, "--wait", 0, *self.witnesses()).stdout)

    def test_copies_from_within_what_was_deleted_are_passed_over_where_there_is_a_newer_one(self):
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        writer.command("SELECT 1")
        old = writer.checkpoint()
        writer.command("SELECT 2")
        writer.close_segment()
        writer.prune(0)
        writer.stop()
        copies = self.directory / "copies"
        self.witness_files = [copies]
        copies.write_bytes(old + b"\n" + writer.checkpoint() + b"\n")
        report = self.assert_verified(self.log)
        self.assertEqual(report["witnesses"][0]["checkpoints"], 1)
        copies.write_bytes(old + b"\n")
        self.assert_found(self.log, "records_unproven", "witness_missing")
        other = sign_checkpoint(writer.origin, writer.tree.end, b"\0" * 32, [writer.signer])
        copies.write_bytes(old + b"\n" + other + b"\n")
        self.assert_found(self.log, "records_unproven", "history_rewritten")
        self.witness_files = []
        self.assert_found(self.log, "records_unproven", saved=[self.saved(old)])

    def test_a_copy_from_within_a_deletion_behind_records_is_missed_whatever_is_newer(self):
        # Who has the key may change what is before: no newer copy says that it is still what was signed once.
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        writer.command("SELECT 1")
        writer.close_segment()
        middle = writer.segment_first
        writer.command("SELECT 2")
        old = writer.checkpoint()
        writer.command("SELECT 3")
        writer.close_segment()
        writer.prune(middle)
        writer.stop()
        copies = self.directory / "copies"
        self.witness_files = [copies]
        copies.write_bytes(writer.checkpoint() + b"\n")
        self.assert_verified(self.log)
        copies.write_bytes(old + b"\n" + copies.read_bytes())
        self.assert_found(self.log, "records_unproven")
        writer.prune(0)
        copies.write_bytes(old + b"\n" + writer.checkpoint() + b"\n")
        self.assert_verified(self.log)

    def test_every_flip_in_what_a_witness_cosigned_is_found_by_both(self):
        self.witnessed_log()
        self.witness_files = []
        raw = (self.log / "cosigned").read_bytes()
        target = self.copy()
        for bit in range(len(raw) * 8):
            changed = bytearray(raw)
            changed[bit // 8] ^= 1 << bit % 8
            (target / "cosigned").write_bytes(changed)
            self.assertTrue(self.second(target), bit)
            if bit % (1 if ALL_FLIPS else 23) == 0:
                self.assertFalse(self.program(target)[0], bit)

    def test_a_rewritten_or_shortened_log_contradicts_its_witnesses(self):
        self.witnessed_log()
        forged = self.directory / "forged"
        writer = LogWriter(forged)
        for number in range(9):
            writer.command(f"DELETE {number}")
        writer.stop()
        for given in ((self.witness_files, []), ([], self.witness_keys)):
            with self.subTest(given):
                files, keys = self.witness_files, self.witness_keys
                self.witness_files, self.witness_keys = given
                shutil.copy(self.log / "cosigned", forged / "cosigned")
                self.assert_found(forged, "history_rewritten")
                shutil.rmtree(self.directory / "short", ignore_errors=True)
                short = LogWriter(self.directory / "short")
                short.command("SELECT 0")
                short.checkpoint()
                shutil.copy(self.log / "cosigned", short.directory / "cosigned")
                self.assert_found(short.directory, "records_missing")
                self.witness_files, self.witness_keys = files, keys
        torn = self.directory / "torn"
        torn.write_bytes(self.witness_files[0].read_bytes()[:-7])
        self.witness_files = [torn]
        self.assert_found(self.log, "checkpoint_malformed")
        torn.write_bytes(b"")
        self.assert_found(self.log, "witness_missing")

    # Proofs of single records.

    def prove(self, record_id, log=None):
        return run("prove", record_id, "--directory", log or self.log)

    def check(self, text, key=None):
        path = self.directory / f"proof-{next(self.copies)}.json"
        path.write_text(text, encoding="utf-8")
        return run("check-proof", path, "--public-key", key or self.key_file)

    def test_each_record_is_proven_and_the_second_verifier_agrees(self):
        writer = write_log(self.log, 23, 6)
        self.keep_key(writer.first_key)
        for index in range(writer.tree.end):
            done = self.prove(index)
            self.assertEqual(done.returncode, 0, done.stderr)
            checked = self.check(done.stdout)
            self.assertEqual(checked.returncode, 0, checked.stderr)
            self.assertIn(f"PROVEN: record {index} of 23", checked.stdout)
            proof = json.loads(done.stdout)
            checkpoint = audit_log.Checkpoint(proof["checkpoint"].encode())
            self.assertTrue(checkpoint.signed_by(writer.first_key))
            root = audit_log.root_by_inclusion(leaf_hash(proof["record"].encode()), proof["index"], checkpoint.size,
                                               [base64.b64decode(one) for one in proof["proof"]])
            self.assertEqual(root, checkpoint.root)
        self.assertEqual(self.prove(23).returncode, 1)

    def test_a_record_is_found_by_session_and_number(self):
        writer = write_log(self.log, 23, 6)
        self.keep_key(writer.first_key)
        proof = json.loads(self.prove("0f3a5c7e-1/13").stdout)
        self.assertEqual(proof["index"], 13)
        self.assertEqual(json.loads(proof["record"])["seq"], 13)
        done = self.prove("0f3a5c7e-1/99")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(self.prove("x").returncode, 2)
        self.assertEqual(self.prove("/3").returncode, 2)

    def test_a_proof_with_any_bit_changed_is_refused(self):
        writer = write_log(self.log, 9, 4)
        self.keep_key(writer.first_key)
        good = self.prove(5).stdout.encode()

        def attempt(bit):
            raw = bytearray(good)
            raw[bit // 8] ^= 1 << bit % 8
            path = self.directory / f"flip-{bit}"
            path.write_bytes(raw)
            done = run("check-proof", path, "--public-key", self.key_file)
            path.unlink()
            return done.returncode

        with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
            codes = list(pool.map(attempt, range(0, (len(good) - 1) * 8, 1 if ALL_FLIPS else 13)))
        self.assertEqual(set(codes), {1})

    def test_a_proof_does_not_hold_for_another_record_index_or_key(self):
        writer = write_log(self.log, 9, 4)
        self.keep_key(writer.first_key)
        proof = json.loads(self.prove(5).stdout)
        self.assertEqual(self.check(canonical(proof) + "\n").returncode, 0)
        for change in ({"index": 4}, {"index": 9}, {"record": proof["record"].replace("SELECT", "DELETE")}, {"proof": proof["proof"][:-1]},
                       {"proof": proof["proof"] + proof["proof"][:1]}, {"checkpoint": self.small_checkpoint(writer)}):
            self.assertEqual(self.check(canonical(proof | change) + "\n").returncode, 1, change)
        stranger = self.directory / "stranger.pub"
        stranger.write_text(Signer(writer.origin, b"\x05" * 32).key.line(), encoding="utf-8")
        self.assertIn("NOT PROVEN", self.check(canonical(proof) + "\n", stranger).stderr)

    @staticmethod
    def small_checkpoint(writer):
        tree = Forest()
        tree.append(b"\0" * 32)
        return sign_checkpoint(writer.origin, tree.end, tree.root(), [writer.signer]).decode()

    def test_a_proof_leads_from_an_older_key_over_the_changes(self):
        writer = LogWriter(self.log)
        keys = [writer.signer.key]
        for seed in (2, 3):
            writer.command("SELECT 1", seq=seed)
            writer.change_key(seed)
            keys.append(writer.signer.key)
            writer.close_segment()
        writer.command("SELECT 2", seq=9)
        writer.stop()
        proof = self.prove("0f3a5c7e-1/9").stdout
        for key in keys:
            done = self.check(proof, self.keep_key(key))
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(keys[-1].line(), done.stdout)
        self.keep_key(keys[0])
        value = json.loads(proof)
        for hand_overs in ([], value["hand_overs"][1:], value["hand_overs"][:1]):
            self.assertEqual(self.check(canonical(value | {"hand_overs": hand_overs}) + "\n").returncode, 1)

    def test_records_between_deleted_ones_can_be_proven_and_deleted_ones_not(self):
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        for number in range(1, 30):
            writer.command(f"SELECT {number}")
            if writer.tree.end % 7 == 0:
                writer.close_segment()
        writer.prune(7)
        writer.stop()
        for index in (0, 6, 14, writer.tree.end - 1):
            self.assertEqual(self.check(self.prove(index).stdout).returncode, 0, index)
        done = self.prove(8)
        self.assertEqual(done.returncode, 1)
        self.assertIn("deleted", done.stderr)

    def test_no_proof_is_made_of_an_altered_log(self):
        self.small_log(9)
        lines = self.records()
        lines[3] = lines[3].replace(b"SELECT", b"DELETE")
        self.rewrite(self.log, lines)
        for index in (3, 4):
            done = self.prove(index)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn("not as it was signed", done.stderr)

    # A log that is written meanwhile.

    def test_a_log_is_verified_while_it_is_written(self):
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        writer.checkpoint()
        ends = threading.Event()

        def write():
            for number in itertools.count(1):
                if ends.is_set():
                    return
                writer.command(f"SELECT {number}", seq=number)
                if number % 50 == 0:
                    writer.close_segment()
                elif number % 7 == 0:
                    writer.checkpoint()
                time.sleep(0.001)

        thread = threading.Thread(target=write)
        thread.start()
        try:
            reports = []
            for _ in range(10):
                verified, report = self.program(self.log, wait=5)
                self.assertTrue(verified, report)
                reports.append(report["proven_end"])
        finally:
            ends.set()
            thread.join()
        self.assertEqual(reports, sorted(reports))
        self.assertGreater(reports[-1], reports[0])

    def test_statistics_count_what_is_there(self):
        writer = write_log(self.log, 40, 10)
        done = run("stats", self.log, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        stats = json.loads(done.stdout)
        self.assertEqual((stats["records"], stats["signed_records"], stats["deleted_records"]), (40, 40, 0))
        self.assertEqual(stats["types"], {"audit_start": 1, "audit_stop": 1, "command": 38})
        self.assertEqual(stats["origin"], writer.origin)
        self.assertEqual(run("stats", self.log).returncode, 0)

    def test_nothing_of_a_log_acts_upon_a_terminal(self):
        control = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069]")
        evil = "\x1b[2J\x1b[HVERIFIED\x1b[8m\nVERIFIED\nrecords    5 in 0 segments"
        writer = LogWriter(self.log)
        self.keep_key(writer.first_key)
        writer.command('SELECT "\u009b2J\u202e"', seq=2)
        writer.append("outcome", session=evil, seq=3, of=2, status="ok", bytes=10, answer_recorded={"bytes": 10, "sha256": "0" * 64})
        writer.append(evil, seq=4)
        writer.stop()
        proof = self.prove(1)
        self.assertEqual(json.loads(json.loads(proof.stdout)["record"])["text"], 'SELECT "\u009b2J\u202e"', "a file has it as it is")
        path = self.directory / "proof.json"
        path.write_text(proof.stdout, encoding="utf-8")

        def outputs():
            for arguments in (("verify", self.log, "--public-key", self.key_file, "--wait", 0), ("stats", self.log),
                              ("check-proof", path, "--public-key", self.key_file), ("search", "--dir", self.log), ("sinks", self.log)):
                for options in ((), ("--json",)):
                    done = run(*arguments, *options)
                    yield arguments[0], done.stdout + done.stderr
        found = list(outputs())
        lines = run("verify", self.log, "--public-key", self.key_file, "--wait", 0).stdout.splitlines()
        self.assertIn("NOT VERIFIED", lines)
        self.assertNotIn("VERIFIED", lines)
        self.assertEqual(sum(line.startswith("records") for line in run("stats", self.log).stdout.splitlines()), 1)
        self.assertEqual(json.loads(json.loads(run("check-proof", path, "--public-key", self.key_file, "--json").stdout)["record"])["text"],
                         'SELECT "\u009b2J\u202e"', "JSON says the same")
        checkpoint = self.log / "checkpoint"
        checkpoint.write_bytes(checkpoint.read_bytes().replace(writer.origin.encode(), "x\u009b2J\u202e".encode()))
        for name, text in [*found, *outputs()]:
            self.assertIsNone(control.search(text), (name, text))

    def test_mistakes_of_usage_are_told(self):
        self.small_log()
        self.assertEqual(run("verify", self.log).returncode, 2)
        self.assertEqual(run("verify", "--public-key", self.key_file).returncode, 2)
        for arguments, text in ((("verify", self.directory / "absent", "--public-key", self.key_file), "can't be listed"),
                                (("verify", self.log, "--public-key", self.directory / "absent"), "can't be read"),
                                (("verify", self.log, "--public-key", self.key_file, "--checkpoint", "/absent"), "can't be read"),
                                (("check-proof", self.key_file, "--public-key", self.key_file), "not a proof")):
            done = run(*arguments)
            self.assertEqual(done.returncode, 1)
            self.assertIn(text, done.stderr)


if __name__ == "__main__":
    unittest.main()
