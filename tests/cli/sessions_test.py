#!/usr/bin/env python3
"""Tests of `sallyport sessions` and `sallyport audit search` on a log of real sessions (tests/golden/sessions/records.jsonl).

What they print is compared with tests/golden/sessions/*.txt; SALLYPORT_UPDATE_GOLDEN=1 rewrites these.
"""

import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import unittest

BINARY = os.environ.get("SALLYPORT_BINARY", "build/dev/bin/sallyport")
GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "golden" / "sessions"
OPEN = "records-00000000000000000000.jsonl"
# What a terminal acts upon or hides, line ends aside.
HARMFUL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def run(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, timeout=60, check=False)


class Sessions(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.log = pathlib.Path(directory.name)
        self.records = (GOLDEN / "records.jsonl").read_text(encoding="utf-8").splitlines()
        self.write(self.records)

    def write(self, records):
        (self.log / OPEN).write_text("".join(line + "\n" for line in records), encoding="utf-8")

    def ask(self, *arguments, status=0):
        done = run(*arguments, "--dir", str(self.log))
        self.assertEqual(done.returncode, status, done.stderr.decode(errors="replace"))
        return done.stdout.decode()

    def sessions(self):
        return [json.loads(line)["session"] for line in self.ask("sessions", "list", "--json").splitlines()]

    def compare(self, name, text):
        path = GOLDEN / f"{name}.txt"
        if os.environ.get("SALLYPORT_UPDATE_GOLDEN"):
            path.write_text(text, encoding="utf-8")
        self.assertEqual(text, path.read_text(encoding="utf-8"))

    def test_what_is_printed_of_real_sessions(self):
        first = self.sessions()[0]
        for name, arguments in {
                "list": ["sessions", "list"], "list-json": ["sessions", "list", "--json"], "show": ["sessions", "show", first],
                "replay": ["sessions", "replay", first, "--speed", "max"], "search": ["audit", "search"],
                "export-csv": ["sessions", "export", "--format", "csv"], "export-sql": ["sessions", "export", first, "--format", "sql"]}.items():
            with self.subTest(name):
                self.compare(name, self.ask(*arguments).replace("\r\n", "\n"))

    def test_json_has_the_records_of_the_log(self):
        shown = [json.loads(line) for line in self.ask("sessions", "show", self.sessions()[0], "--json").splitlines()]
        of_log = [json.loads(line) for line in self.records]
        self.assertEqual([one["record"] for one in shown], [of_log[one["number"]] for one in shown])
        found = [json.loads(line) for line in self.ask("audit", "search", "--json", "--limit", "0").splitlines()]
        self.assertEqual({one["number"] for one in found} | {one["outcome_number"] for one in found if "outcome" in one},
                         set(range(len(self.records))))
        for one in found:
            if "outcome" in one:
                self.assertEqual((one["outcome"]["session"], one["outcome"]["of"]), (one["record"]["session"], one["record"]["seq"]))

    def test_pages_are_what_all_of_it_is(self):
        everything = self.ask("audit", "search", "--json", "--limit", "0").splitlines()
        for order in ([], ["--newest-first"]):
            pages, begin = [], []
            while True:
                done = run("audit", "search", "--dir", str(self.log), "--json", "--limit", "3", *order, *begin)
                pages += done.stdout.decode().splitlines()
                more = re.search(r"--from (\d+)", done.stderr.decode())
                if not more:
                    break
                begin = ["--from", more[1]]
            self.assertEqual(pages, everything[::-1] if order else everything)

    def test_wrong_usage_and_failures(self):
        for arguments in (["sessions", "list"], ["sessions", "show"], ["audit", "search", "--dir", "x", "--since", "nonsense"],
                          ["sessions", "replay", "x", "--dir", str(self.log), "--speed", "0"],
                          ["sessions", "export", "--dir", str(self.log), "--format", "xml"],
                          ["sessions", "export", "--dir", str(self.log), "--format", "sql", "--status", "ok"],
                          ["sessions", "export", "--dir", str(self.log), self.sessions()[0], "--format", "sql", "--since", "2h"],
                          ["sessions", "export", "--dir", str(self.log), "--split", "/tmp"]):
            with self.subTest(arguments):
                self.assertEqual(run(*arguments).returncode, 2)
        for arguments in (["sessions", "list", "--dir", str(self.log / "none")], ["sessions", "show", "nobody", "--dir", str(self.log)]):
            with self.subTest(arguments):
                done = run(*arguments)
                self.assertEqual((done.returncode, done.stdout), (1, b""))
                self.assertIn(b"sallyport: ", done.stderr)

    def test_a_damaged_segment_is_a_failure_that_names_it(self):
        (self.log / OPEN).unlink()
        (self.log / (OPEN + ".zst")).write_bytes(b"\x28\xb5\x2f\xfd rubbish")
        done = run("audit", "search", "--dir", str(self.log))
        self.assertEqual(done.returncode, 1)
        self.assertIn(OPEN.encode() + b".zst", done.stderr)

    def test_nothing_recorded_acts_on_the_terminal(self):
        nasty = "\x1b]0;title\x07\x1b[2J\x9b31m\u202etxt.exe\u2066\u200b\r\nDROP\x00\x7f"
        time_text = "2026-01-31T12:00:00.000000000Z"
        members = {"time": time_text, "session": "5" * 32}
        client = {"account": nasty, "client": nasty, "connection": nasty, "role": nasty, "user": nasty, "listener": nasty, "auth_plugin": nasty,
                  "tls": {"version": nasty, "cipher": nasty}, "client_attributes": [{"name": nasty, "value": nasty}],
                  "principal": {"issuer": nasty, "subject": nasty, "client_id": nasty, "token_id": nasty, "expires_at": nasty}}
        records = [
            {**members, **client, "type": "login_accepted", "seq": 1},
            {**members, "type": "session_start", "seq": 2, "account": nasty, "subject": nasty, "connection": nasty, "schema": nasty,
             "server_version": nasty, "database_login": nasty, "database_role": nasty, "server": nasty},
            {**members, "type": "command", "command": nasty, "kind": nasty, "schema": nasty, "text": nasty, "sent": nasty, "digest": nasty, "seq": 3,
             "objects": [{"type": nasty, "schema": nasty, "name": nasty, "access": [nasty]}], "rule": nasty,
             "parameters": [{"name": nasty, "type": 253, "value": nasty}], "query_attributes": [{"name": nasty, "type": 253, "value": nasty}]},
            {**members, "type": "outcome", "of": 3, "seq": 4, "status": nasty, "reason": nasty, "error": nasty, "error_code": 1, "sql_state": nasty, "rows": 0},
            {**members, "type": "command", "command": "query", "text": nasty, "seq": 5},
            {**members, "type": "outcome", "of": 5, "seq": 6, "status": "denied", "reason": nasty, "rows": 0, "bytes": 9},
            {**members, "type": "kill", "of": 5, "reason": nasty, "text": nasty, "seq": 7},
            {**members, "type": nasty, "detail": nasty, "seq": 8},
            {**members, "type": "session_end", "account": nasty, "reason": nasty, "detail": nasty, "seq": 9},
            {"time": time_text, "type": "login_refused", "session": nasty, "seq": 1, "reason": nasty, "detail": nasty, "client": nasty}]
        self.write([json.dumps(dict(sorted(one.items())), ensure_ascii=False, separators=(",", ":")) for one in records])
        for arguments in (["sessions", "list"], ["sessions", "list", "--json"], ["sessions", "show", "555"], ["sessions", "show", "555", "--json"],
                          ["sessions", "replay", "555", "--speed", "max"], ["audit", "search"], ["audit", "search", "--json"],
                          ["sessions", "export", "--format", "csv"], ["sessions", "export", "--format", "json"]):
            with self.subTest(arguments):
                text = self.ask(*arguments).replace("\r\n", "\n")
                self.assertIn("title", text)
                self.assertIsNone(HARMFUL.search(text), repr(text))
        done = run("sessions", "show", nasty.replace("\x00", ""), "--dir", str(self.log))
        self.assertIsNone(HARMFUL.search(done.stderr.decode()))

    def test_tail_follows_over_the_closing_of_a_segment(self):
        half = len(self.records) // 2
        self.write(self.records[:half])
        with subprocess.Popen([BINARY, "sessions", "tail", "--dir", str(self.log), "--json", "--last", "0"], stdout=subprocess.PIPE) as tail:
            try:
                time.sleep(0.5)
                with open(self.log / OPEN, "a", encoding="utf-8") as file:
                    file.write("".join(line + "\n" for line in self.records[half:-1]))
                (self.log / f"records-{len(self.records) - 1:020}.jsonl").write_text(self.records[-1] + "\n", encoding="utf-8")
                last = json.loads(self.records[-1])
                seen = []
                while not seen or seen[-1]["record"] != last:
                    line = tail.stdout.readline()
                    self.assertTrue(line, "the tail ended")
                    seen.append(json.loads(line))
                self.assertEqual(seen[-1]["number"], len(self.records) - 1)
                # Statements that began before the tail did have no outcome here.
                begun = {(one["session"], one["seq"]) for one in map(json.loads, self.records[half:]) if one["type"] == "command"}
                self.assertEqual({(one["record"]["session"], one["record"]["seq"]) for one in seen if one["record"]["type"] == "command"}, begun)
            finally:
                tail.kill()

    def test_tail_shows_the_outcomes_of_statements_that_were_under_way_when_it_began(self):
        command = next(i for i, line in enumerate(self.records) if json.loads(line)["type"] == "command")
        self.assertEqual(json.loads(self.records[command + 1])["of"], json.loads(self.records[command])["seq"])
        for arguments in (["--last", "0"], ["--last", "10"], ["--last", "0", "--status", "*"]):
            with self.subTest(arguments):
                self.write(self.records[:command + 1])
                with subprocess.Popen([BINARY, "sessions", "tail", "--dir", str(self.log), "--json", "--type", "command", *arguments],
                                      stdout=subprocess.PIPE) as tail:
                    try:
                        time.sleep(0.5)
                        self.write(self.records)
                        seen = json.loads(tail.stdout.readline())
                        self.assertEqual((seen["number"], seen.get("outcome_number")), (command, command + 1))
                        self.assertNotEqual(json.loads(tail.stdout.readline())["number"], command)
                    finally:
                        tail.kill()


if __name__ == "__main__":
    unittest.main()
