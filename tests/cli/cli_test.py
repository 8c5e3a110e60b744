#!/usr/bin/env python3
"""Tests of the program's command line, run as a user runs it. SALLYPORT_BINARY names the program."""

import base64
import json
import os
import pathlib
import re
import stat
import subprocess
import tempfile
import time
import unittest

BINARY = os.environ.get("SALLYPORT_BINARY", "build/dev/bin/sallyport")
REPOSITORY = pathlib.Path(__file__).resolve().parent.parent.parent
LEAVES = (["serve"], ["check-config"], ["dev", "issuer", "init"], ["dev", "token", "mint"], ["sql", "analyze"], ["version"],
          ["audit", "verify"], ["audit", "prove"], ["audit", "check-proof"], ["audit", "stats"], ["audit", "sinks"], ["audit", "search"], ["audit", "prune"],
          ["sessions", "list"], ["sessions", "show"], ["sessions", "replay"], ["sessions", "export"], ["sessions", "tail"])

CONFIGURATION = """
listeners: [{name: main, address: 127.0.0.1, port: 0}]
issuers:
  - {name: dev, issuer: "https://dev.sallyport.invalid", audiences: [sallyport], keys: {jwks_file: jwks.json}}
connections: [{name: shop, host: db, logins: [{user: app, password: {env: SALLYPORT_TEST_PASSWORD}}]}]
service_accounts:
  - {name: one, match: [{issuer: dev, claims: {sub: x}}], grants: [{connection: shop}]}
"""


def run(*arguments, **options):
    environment = {**os.environ, "SALLYPORT_TEST_PASSWORD": "not to be printed"}
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, env=environment, check=False,
                          **options)


def decode(part):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Cli(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.directory = pathlib.Path(directory.name)
        self.issuer = self.directory / "issuer"

    def init(self, *more):
        return run("dev", "issuer", "init", "--directory", str(self.issuer), *more)

    def mint(self, *more):
        return run("dev", "token", "mint", "--directory", str(self.issuer), "--account", "agent-reporter", *more)

    def configuration(self, text=CONFIGURATION):
        self.assertEqual(self.init().returncode, 0)
        file = self.issuer / "sallyport.yaml"
        file.write_text(text, encoding="utf-8")
        return str(file)

    def analyze(self, *lines, schema=None, arguments=()):
        more = []
        if schema is not None:
            (self.directory / "schema.sql").write_text(schema, encoding="utf-8")
            more = ["--schema", str(self.directory / "schema.sql"), "--database", "d"]
        return run("sql", "analyze", *more, *arguments, input="".join(line + "\n" for line in lines))

    def test_statements_are_analysed_line_by_line(self):
        hidden = base64.b64encode(b"SELECT /*!50000 ssn */ AS x FROM p").decode()
        done = self.analyze('{"sql": "SELECT 1; DELETE FROM p WHERE 1 = 1"}', "no JSON", '{"sql": "SELECT FROM"}',
                            json.dumps({"sql_base64": hidden}), '{"other": 1}', json.dumps({"sql": "SELECT '\ufffd"}),
                            schema="CREATE TABLE p (id INT PRIMARY KEY, ssn TEXT);")
        self.assertEqual(done.returncode, 0, done.stderr)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([answer["ok"] for answer in answers], [True, False, False, True, False, False])
        self.assertEqual([one["kind"] for one in answers[0]["statements"]], ["select", "delete"])
        self.assertEqual((answers[0]["statements"][1]["has_where"], answers[0]["statements"][1]["where_restricts"]), (True, False))
        self.assertEqual([answers[i]["error"]["code"] for i in (1, 2, 4, 5)], ["not_json", "syntax", "no_sql", "lexical"])
        self.assertEqual(answers[2]["error"]["offset"], 7)
        output = answers[3]["statements"][0]["output"]
        self.assertEqual([(one["name"], one["copied"], one["certain"]) for one in output], [("x", ["d.p.ssn"], True)])

    def test_an_analysis_is_of_the_server_that_it_is_told(self):
        statement = '{"sql": "DELETE FROM p RETURNING id"}'
        self.assertIn('"ok":false', self.analyze(statement, arguments=["--server", "mysql-8.4"]).stdout)
        self.assertIn('"ok":true', self.analyze(statement, arguments=["--server", "mariadb-10.11"]).stdout)
        self.assertEqual(self.analyze(arguments=["--server", "oracle"]).returncode, 2)
        self.assertEqual(self.analyze(arguments=["--charset", "ucs2"]).returncode, 2)
        self.assertIn("column_reference", self.analyze('{"sql": "SELECT a"}', arguments=["--pretty"]).stdout)

    def test_what_is_sent_is_told_where_it_differs_and_in_base64_where_it_is_no_utf8(self):
        hidden = base64.b64encode(b"SELECT /* \xff */ '\xe9'").decode()
        done = self.analyze('{"sql": "select 1"}', '{"sql": "select /*!50000 1 */ -- x"}',
                            json.dumps({"sql_base64": hidden, "charset": "latin1"}))
        first, second, third = [json.loads(line)["statements"][0] for line in done.stdout.splitlines()]
        self.assertNotIn("emitted", first)
        self.assertEqual((second["emitted"].split(), second["canonical"]), (["select", "1"], "SELECT 1"))
        self.assertEqual(base64.b64decode(third["canonical_base64"]), b"SELECT '\xe9'")
        self.assertEqual(base64.b64decode(third["emitted_base64"]), b"SELECT  '\xe9'")

    def test_a_line_may_have_a_session_of_its_own(self):
        quoted = {"sql": 'SELECT "a" FROM p'}
        done = self.analyze(json.dumps(quoted), json.dumps(quoted | {"sql_mode": "ANSI_QUOTES"}),
                            json.dumps(quoted | {"charset": "ucs2"}), json.dumps(quoted | {"sql_mode": 4}),
                            json.dumps(quoted | {"sql_mode": "ANSI_QUOTE"}))
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(answers[0]["statements"][0]["output"][0]["copied"], [])
        self.assertFalse(answers[1]["statements"][0]["certain"], "p is no table that is known")
        self.assertEqual([answers[i]["error"]["code"] for i in (2, 3, 4)], ["bad_setting"] * 3)
        done = self.analyze(json.dumps(quoted), arguments=["--sql-mode", "STRICT_ALL_TABLES,ANSI_QUOTE"])
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("no server has an sql_mode ANSI_QUOTE;", done.stderr)

    def test_the_schema_is_read_without_the_sessions_settings(self):
        done = self.analyze(json.dumps({"sql": "SELECT ssn || NULL FROM p"}), schema="CREATE TABLE p (id INT, ssn TEXT COMMENT \"it's\");",
                            arguments=["--server", "mariadb-10.11", "--sql-mode", "ORACLE"])
        self.assertEqual(json.loads(done.stdout)["statements"][0]["output"][0]["derived"], ["d.p.ssn"], done.stderr)

    def test_a_schema_that_is_not_understood_is_named_with_its_line(self):
        done = self.analyze(schema="CREATE TABLE p (id INT);\nCREATE TABLE (")
        self.assertEqual(done.returncode, 1)
        self.assertIn("schema.sql:2: not understood", done.stderr)

    def test_every_subcommand_has_help_with_examples_and_exit_codes(self):
        for leaf in ([], ["dev"], ["dev", "issuer"], ["dev", "token"], ["sql"], ["audit"], *LEAVES):
            with self.subTest(leaf):
                outcome = run(*leaf, "--help")
                self.assertEqual(outcome.returncode, 0)
                self.assertIn("Examples:\n  sallyport ", outcome.stdout)
                self.assertIn("Exit status: 0 success, 1 failed at run time, 2 wrong usage, 3 configuration invalid",
                              outcome.stdout)

    def test_the_documentation_has_every_subcommand_and_option(self):
        text = (REPOSITORY / "docs/cli.md").read_text(encoding="utf-8")
        for leaf in LEAVES:
            section = text.split(f"## sallyport {' '.join(leaf)}\n")
            self.assertEqual(len(section), 2, leaf)
            described = section[1].split("\n## ")[0]
            if leaf[0] == "sessions" or "the options and filters of `sallyport sessions`" in described:
                described += text.split("## sallyport sessions\n")[1].split("\n## ")[0]
            for option in set(re.findall(r"--[a-z-]+", run(*leaf, "--help").stdout.split("Examples:")[0])) - {"--help"}:
                self.assertIn(f"`{option}", described, leaf)

    def test_wrong_usage_ends_with_2_and_says_so_on_standard_error(self):
        for arguments in ([], ["nonsense"], ["dev"], ["serve"], ["serve", "--confg", "x"], ["check-config"],
                          ["check-config", "--json"], ["dev", "token", "mint"], ["version", "more"]):
            with self.subTest(arguments):
                outcome = run(*arguments)
                self.assertEqual(outcome.returncode, 2)
                self.assertEqual(outcome.stdout, "")
                self.assertNotEqual(outcome.stderr, "")

    def test_version(self):
        self.assertRegex(run("version").stdout, r"^sallyport \d+\.\d+\.\d+\n$")
        document = json.loads(run("version", "--json").stdout)
        self.assertEqual(document["name"], "sallyport")
        self.assertRegex(document["version"], r"^\d+\.\d+\.\d+$")

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            outcome = subprocess.run([BINARY, "version"], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
        self.assertEqual(outcome.returncode, 1)

    def test_a_valid_configuration(self):
        file = self.configuration()
        outcome = run("check-config", file)
        self.assertEqual((outcome.returncode, outcome.stdout), (0, f"{file}: valid\n"), outcome.stderr)
        document = json.loads(run("check-config", "--json", file).stdout)
        self.assertEqual(document, {"file": file, "valid": True, "mistakes": []})

    def test_an_invalid_configuration_ends_with_3_and_every_mistake(self):
        file = self.configuration(CONFIGURATION.replace("port: 0", "port: x").replace("sub: x", "sub: 1") + "colour: blue\n")
        outcome = run("check-config", file)
        self.assertEqual(outcome.returncode, 3)
        lines = outcome.stderr.splitlines()
        self.assertEqual(len(lines), 4)
        self.assertTrue(lines[0].startswith(f"{file}:2:52: listeners[0].port: "), lines[0])
        self.assertEqual(lines[-1], "3 mistakes")
        outcome = run("check-config", file, "--json")
        self.assertEqual(outcome.returncode, 3)
        document = json.loads(outcome.stdout)
        self.assertFalse(document["valid"])
        self.assertEqual([mistake["line"] for mistake in document["mistakes"]], [2, 7, 8])
        self.assertEqual(set(document["mistakes"][0]), {"file", "line", "column", "path", "message", "mend"})

    def test_serve_refuses_an_invalid_configuration_with_3(self):
        outcome = run("serve", "--config", str(self.directory / "missing.yaml"))
        self.assertEqual(outcome.returncode, 3)
        self.assertIn("can't be read", outcome.stderr)

    def test_the_schema_is_that_of_the_documentation(self):
        outcome = run("check-config", "--print-schema")
        self.assertEqual(outcome.returncode, 0)
        json.loads(outcome.stdout)
        self.assertEqual(outcome.stdout, (REPOSITORY / "docs/configuration.schema.json").read_text(encoding="utf-8"))

    def test_an_issuer_is_made_with_a_key_that_only_its_owner_reads(self):
        outcome = self.init("--json")
        self.assertEqual(outcome.returncode, 0, outcome.stderr)
        paths = json.loads(outcome.stdout)
        self.assertEqual(stat.S_IMODE(os.stat(paths["key_file"]).st_mode), 0o600)
        self.assertEqual(json.loads(pathlib.Path(paths["jwks_file"]).read_text(encoding="utf-8"))["keys"][0]["alg"], "ES256")
        self.assertIn(paths["jwks_file"], pathlib.Path(paths["configuration"]).read_text(encoding="utf-8"))

    def test_the_fragment_of_configuration_is_valid(self):
        rest = "\n".join(CONFIGURATION.splitlines()[1:2] + CONFIGURATION.splitlines()[4:]) + "\n"
        file = self.configuration()
        pathlib.Path(file).write_text((self.issuer / "issuer.yaml").read_text(encoding="utf-8") + rest, encoding="utf-8")
        outcome = run("check-config", file)
        self.assertEqual(outcome.returncode, 0, outcome.stderr)

    def test_an_issuer_that_is_there_is_replaced_only_by_force(self):
        self.assertEqual(self.init().returncode, 0)
        key = (self.issuer / "key.pem").read_bytes()
        outcome = self.init()
        self.assertEqual(outcome.returncode, 1)
        self.assertIn("--force", outcome.stderr)
        self.assertEqual((self.issuer / "key.pem").read_bytes(), key)
        self.assertEqual(self.init("--force").returncode, 0)
        self.assertNotEqual((self.issuer / "key.pem").read_bytes(), key)
        self.assertEqual(sorted(path.name for path in self.issuer.iterdir()), ["issuer.yaml", "jwks.json", "key.pem"])

    def test_a_token_is_all_that_is_printed_and_says_what_was_asked_for(self):
        self.init()
        outcome = self.mint("--ttl", "5m", "--group", "reporters", "--group", "staff", "--claim", 'tenant="42"', "--claim",
                            "level=7", "--claim", "note=plain words", "--claim", "sub=somebody")
        self.assertEqual((outcome.returncode, outcome.stderr), (0, ""))
        header, payload, signature = outcome.stdout.rstrip("\n").split(".")
        key = json.loads((self.issuer / "jwks.json").read_text(encoding="utf-8"))["keys"][0]
        self.assertEqual(decode(header), {"alg": "ES256", "typ": "at+jwt", "kid": key["kid"]})
        self.assertEqual(len(base64.urlsafe_b64decode(signature + "==")), 64)
        claims = decode(payload)
        self.assertEqual(claims["iss"], "https://dev.sallyport.invalid")
        self.assertEqual(claims["aud"], "sallyport")
        self.assertEqual(claims["client_id"], "agent-reporter")
        self.assertEqual(claims["sub"], "somebody")
        self.assertEqual(claims["groups"], ["reporters", "staff"])
        self.assertEqual((claims["tenant"], claims["level"], claims["note"]), ("42", 7, "plain words"))
        self.assertAlmostEqual(claims["exp"], time.time() + 300, delta=30)

    def test_a_negative_ttl_makes_an_expired_token(self):
        self.init()
        for arguments in (["--ttl", "-1m"], ["--ttl=-1m"]):
            claims = decode(self.mint(*arguments).stdout.split(".")[1])
            self.assertAlmostEqual(claims["exp"], time.time() - 60, delta=30)
            self.assertLess(claims["iat"], claims["exp"])

    def test_what_a_token_cannot_be_made_of_is_wrong_usage(self):
        self.init()
        for arguments in (["--ttl", "5"], ["--ttl", "5x"], ["--ttl", "1500ms"], ["--ttl", "367d"], ["--claim", "x"],
                          ["--claim", "=x"]):
            with self.subTest(arguments):
                self.assertEqual(self.mint(*arguments).returncode, 2)

    def test_a_missing_issuer_is_a_failure_that_says_how_to_make_one(self):
        outcome = self.mint()
        self.assertEqual((outcome.returncode, outcome.stdout), (1, ""))
        self.assertIn("sallyport dev issuer init", outcome.stderr)

    def test_a_key_that_is_none_is_a_failure(self):
        self.init()
        (self.issuer / "key.pem").write_text("no key", encoding="utf-8")
        self.assertEqual(self.mint().returncode, 1)


if __name__ == "__main__":
    unittest.main()
