"""Statements out of the .test and .inc files of the servers' regression suites, by the rules of the suites' test program.

Not followed: variables, conditions, loops and `source`; a statement that needs a variable is left out. What a session has
set of sql_mode and character set is followed as far as the texts say it.

The language: "mysqltest Language Reference" and "mysqltest Input Conventions", MySQL's test framework manual.
"""

import re
from dataclasses import dataclass

from agreement.session_state import SessionState

# Commands of the test program whose argument is a statement, and those whose argument is one when it names no variable.
STATEMENT_COMMANDS = {"query", "query_vertical", "query_horizontal", "send", "query_sorted"}
EVALUATED_COMMANDS = {"eval", "send_eval", "evalp"}
BLOCK_COMMANDS = {"perl", "write_file", "append_file"}
OTHER_COMMANDS = set("""
all append assert break cat_file change_user character_set chmod connect connection copy_file copy_files_wildcard dec delimiter
die diff_files dirty_close disable_abort_on_error disable_async_client disable_column_names disable_connect_log
disable_cursor_protocol disable_info disable_metadata disable_non_blocking_api disable_parsing disable_prepare_warnings
disable_ps2_protocol disable_ps_protocol disable_query_log disable_reconnect disable_result_log disable_rpl_parse
disable_service_connection disable_session_track_info disable_testcase disable_view_protocol disable_warnings disconnect echo
enable_abort_on_error enable_async_client enable_column_names enable_connect_log enable_cursor_protocol enable_info
enable_metadata enable_non_blocking_api enable_parsing enable_prepare_warnings enable_ps2_protocol enable_ps_protocol
enable_query_log enable_reconnect enable_result_log enable_rpl_parse enable_service_connection enable_session_track_info
enable_testcase enable_view_protocol enable_warnings end end_timer error exec exec_in_background execw exit expr file_exists
force-cpdir force-rmdir horizontal_results if inc let list_files list_files_append_file list_files_write_file lowercase_result
mkdir move_file optimizer_trace output partially_sorted_result ping ps_close ps_execute ps_prepare query_attributes
query_get_value real_sleep reap remove_file remove_files_wildcard replace_column replace_numeric_round replace_regex
replace_result require reset_connection result result_format rmdir rpl_probe run save_master_pos send_quit send_shutdown
shutdown_server skip skip_if_hypergraph sleep sorted_result source start_timer sync_slave_with_master sync_with_master system
vertical_results wait_for_slave_to_stop while
""".split())
COMMANDS = STATEMENT_COMMANDS | EVALUATED_COMMANDS | BLOCK_COMMANDS | OTHER_COMMANDS

BLANKS = re.compile(r"\s*")
WORD = re.compile(r"[A-Za-z_][\w-]*")
OPENS_BLOCK = re.compile(r"(?:if|while)\b", re.IGNORECASE)
TWO_BYTES = r"[\x81-\xfe][\x40-\xfe]"  # of a character whose second byte may be a quote or a backslash
WIDE_CHARSETS = {"sjis", "cp932", "gbk", "gb2312", "big5", "gb18030"}


@dataclass(frozen=True)
class Found:
    line: int
    sql: bytes
    sql_mode: str | None  # as it was set; None: the server's default
    charset: str | None


def quoted_patterns(wide):
    """By quote: what follows it, up to and with its end."""
    character = f"{TWO_BYTES}|" if wide else ""
    return {quote: re.compile(rf"(?:{character}\\.|[^\\{quote}])*{quote}", re.DOTALL) for quote in "'\"`"}


QUOTED = {False: quoted_patterns(False), True: quoted_patterns(True)}


class TestFile:
    def __init__(self, content):
        self.text = content.decode("latin-1").replace("\r\n", "\n")
        self.at = self.counted = 0
        self.line = 1
        self.delimiter = ";"
        self.parses = True
        self.wide = False
        self.sessions = {"default": SessionState()}
        self.session = self.sessions["default"]

    def statements(self):
        while (command := self.next_command()) is not None:
            begin, text = command
            statement = self.interpret(text.strip())
            if statement and self.parses:
                sql = statement.encode("latin-1")
                yield Found(self.line_of(begin), sql, self.session.sql_mode, self.session.charset)
                self.session.follow(statement)

    def line_of(self, at):
        """Of places in rising order."""
        self.line += self.text.count("\n", self.counted, at)
        self.counted = at
        return self.line

    def next_command(self):
        """Where the next command begins, and its text; None at the end of the file, and where a quote is never closed."""
        text = self.text
        while True:
            self.at = BLANKS.match(text, self.at).end()
            if self.at >= len(text):
                return None
            if text[self.at] == "}":
                self.at += 1
            elif text.startswith(self.delimiter, self.at):
                self.at += len(self.delimiter)
            else:
                break
        begin = self.at
        if text[begin] in "#-":
            end = text.find("\n", begin)
            self.at = len(text) if end < 0 else end + 1
            return begin, text[begin:self.at]
        return self.delimited(begin)

    def delimited(self, begin):
        text, opens_block = self.text, OPENS_BLOCK.match(self.text, begin)
        plain = re.compile(rf"(?:{TWO_BYTES}|\\.|[^\\'\"`{{{re.escape(self.delimiter[0])}])+" if self.wide else
                           rf"(?:\\.|[^\\'\"`{{{re.escape(self.delimiter[0])}])+", re.DOTALL)
        at = begin
        while at < len(text):
            if match := plain.match(text, at):
                at = match.end()
            elif text.startswith(self.delimiter, at):
                self.at = at + len(self.delimiter)
                return begin, text[begin:at]
            elif text[at] == "{" and opens_block:
                self.at = at + 1
                return begin, text[begin:at]
            elif text[at] in "'\"`":
                match = QUOTED[self.wide][text[at]].match(text, at + 1)
                if not match:
                    return None
                at = match.end()
            else:
                at += 1
        return None

    def interpret(self, command):
        """The statement that a command is, or None. Commands that matter for those to come are followed."""
        if command.startswith("#"):
            return None
        is_marked = command.startswith("-")
        text = command.lstrip("-").strip() if is_marked else command
        match = WORD.match(text)
        word = match[0].lower() if match else ""
        if word not in COMMANDS:
            return None if is_marked or command.startswith("$") else command
        argument = text[match.end():].strip()
        if word in STATEMENT_COMMANDS:
            return argument or None
        if word in EVALUATED_COMMANDS:
            return argument if argument and "$" not in argument else None
        if word in BLOCK_COMMANDS:
            self.skip_block(argument)
        elif word == "delimiter":
            self.delimiter = argument.split()[0] if argument else self.delimiter
        elif word in ("disable_parsing", "enable_parsing"):
            self.parses = word == "enable_parsing"
        elif word == "character_set":
            self.wide = argument.lower().strip("; ") in WIDE_CHARSETS
        elif word in ("connect", "connection"):
            self.change_session(word, argument)
        return None

    def skip_block(self, argument):
        """A file or program in the test stands between its command and a line with EOF, or with another word."""
        words = argument.split()
        end = words[-1] if words and re.fullmatch(r"[A-Z_]+\d*", words[-1]) else "EOF"
        match = re.compile(rf"^[ \t]*{re.escape(end)}\b.*$", re.MULTILINE).search(self.text, self.at)
        self.at = match.end() if match else len(self.text)

    def change_session(self, word, argument):
        name = re.split(r"[,\s]", argument.strip("( "), maxsplit=1)[0].strip(";")
        if word == "connect":
            self.sessions[name] = SessionState()
        self.session = self.sessions.setdefault(name, SessionState())


def statements_of(content):
    """The statements of a file's bytes, in order."""
    return TestFile(content).statements()
