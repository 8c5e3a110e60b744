#!/usr/bin/env python3
"""The extraction of statements from the regression suites' files, and comments put into statements."""

import random
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from agreement import comments  # noqa: E402
from agreement.session_state import reading_charset, reading_modes  # noqa: E402
from agreement.test_language import statements_of  # noqa: E402


def found(text):
    return [(one.line, one.sql.decode("latin-1")) for one in statements_of(text.encode("latin-1"))]


class Extraction(unittest.TestCase):
    def test_statements_end_with_the_delimiter_outside_of_quotes(self):
        self.assertEqual(found("SELECT ';', \"it's;\", `a;`;\nSELECT 2\n+ 3;\n"), [(1, "SELECT ';', \"it's;\", `a;`"), (2, "SELECT 2\n+ 3")])
        self.assertEqual(found("delimiter //;\nBEGIN; END//\ndelimiter ;//\nSELECT 1;"), [(2, "BEGIN; END"), (4, "SELECT 1")])
        self.assertEqual(found("--delimiter |\nSELECT 1; 2|\n"), [(2, "SELECT 1; 2")])
        self.assertEqual(found("SELECT 'never closed;"), [])

    def test_commands_of_the_test_program_are_none(self):
        text = ("# comment; SELECT 0;\n--echo SELECT 1;\n--error 1064\nSELEC 2;\nlet $a= SELECT 3;\neval SELECT 4;\neval SELECT $a;\n"
                "source include/x.inc;\nif ($a) {\n  SELECT 5;\n}\nwhile ($a)\n{\n  dec $a;\n}\nsend SELECT 6;\n--send SELECT 7\nreap;\n"
                "connect (c,localhost,root,,);\n--query_vertical SELECT 8\n")
        self.assertEqual([sql for _, sql in found(text)], ["SELEC 2", "SELECT 4", "SELECT 5", "SELECT 6", "SELECT 7", "SELECT 8"])

    def test_blocks_of_other_languages_are_passed_over(self):
        self.assertEqual(found("perl;\nSELECT 1;\nEOF\nSELECT 2;\n--write_file x END\nSELECT 3;\nEND\nSELECT 4;\n"),
                         [(4, "SELECT 2"), (8, "SELECT 4")])
        self.assertEqual(found("--disable_parsing\nSELECT 1;\n--enable_parsing\nSELECT 2;\n"), [(4, "SELECT 2")])

    def test_a_byte_of_a_wide_character_is_no_quote(self):
        self.assertEqual(found("--character_set sjis\nSELECT '\x95\x5c';SELECT 2;"), [(2, "SELECT '\x95\x5c'"), (2, "SELECT 2")])

    def test_what_a_session_sets_holds_for_its_statements(self):
        text = ("SET sql_mode='ANSI,NO_ZERO_DATE'; SET NAMES gbk; SELECT 1; connect (c,localhost,root,,); SELECT 2;"
                "connection default; SELECT 3; SET @@session.sql_mode=CONCAT(@@sql_mode, ',ORACLE'); SELECT 4;"
                "SET GLOBAL sql_mode='ORACLE'; SET sql_mode=DEFAULT; SELECT 5;")
        said = {one.sql: (one.sql_mode, one.charset) for one in statements_of(text.encode())}
        self.assertEqual(said[b"SELECT 1"], ("ANSI,NO_ZERO_DATE", "gbk"))
        self.assertEqual(said[b"SELECT 2"], (None, None))
        self.assertEqual(said[b"SELECT 3"], ("ANSI,NO_ZERO_DATE", "gbk"))
        self.assertEqual(said[b"SELECT 4"], ("ANSI,NO_ZERO_DATE,,ORACLE", "gbk"))
        self.assertEqual(said[b"SELECT 5"], (None, "gbk"))

    def test_modes_and_character_sets_are_those_that_change_the_reading(self):
        self.assertEqual(reading_modes("ansi,STRICT_ALL_TABLES", "mysql"), "ANSI_QUOTES,IGNORE_SPACE,PIPES_AS_CONCAT")
        self.assertEqual(reading_modes("ORACLE", "mysql"), "")
        self.assertEqual(reading_modes("ORACLE", "mariadb"), "ANSI_QUOTES,IGNORE_SPACE,PIPES_AS_CONCAT,ORACLE")
        self.assertEqual(reading_charset("gb18030", b"a", "mariadb"), "utf8mb4")
        self.assertEqual(reading_charset(None, b"\xff", "mysql"), "latin1")


class Comments(unittest.TestCase):
    def test_comments_come_in_place_of_blanks_and_never_into_quotes(self):
        text = b"SELECT 'a b', `c d`, 1 + 2 FROM t WHERE x = \"y z\""
        for seed in range(200):
            made = comments.with_comments(text, random.Random(seed))
            self.assertNotEqual(made, text)
            for quoted in (b"'a b'", b"`c d`", b'"y z"'):
                self.assertIn(quoted, made)
        self.assertIsNone(comments.with_comments(b"SELECT /* has one */ 1", random.Random(1)))

    def test_a_columns_name_is_bared_of_comments(self):
        self.assertEqual(comments.bare_name("-- c'\nCOUNT( /* x */ *)"), "COUNT(*)")
        self.assertEqual(comments.bare_name("' # ' + #x\n1--1 IS/**/NULL"), "' # '+1--1ISNULL")


if __name__ == "__main__":
    unittest.main()
