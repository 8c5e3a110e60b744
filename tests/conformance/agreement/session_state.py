"""What a session has set of what its server's lexer looks at, as far as the SET statements say it."""

import re

SET = re.compile(r"\s*set\s", re.IGNORECASE)
SQL_MODE = re.compile(r"(?P<before>global[\s.]+|persist(?:_only)?[\s.]+|@|\w)?(?:@@)?(?:(?:session|local)[\s.]+)?\bsql_mode\s*:?=\s*"
                      r"(?P<value>concat\s*\([^)]*\)|'[^']*'|\"[^\"]*\"|[^,;\s]+)", re.IGNORECASE)
NAMES = re.compile(r"\b(?:names|character\s+set|charset|character_set_client\s*:?=)\s*['\"]?(?P<value>\w+)", re.IGNORECASE)
QUOTED = re.compile(r"['\"]([^'\"]*)['\"]")

# The modes that change how a text is read; others stand for several.
READING_MODES = ("ANSI_QUOTES", "NO_BACKSLASH_ESCAPES", "IGNORE_SPACE", "PIPES_AS_CONCAT", "HIGH_NOT_PRECEDENCE", "ORACLE", "MSSQL")
ANSI = {"ANSI_QUOTES", "IGNORE_SPACE", "PIPES_AS_CONCAT"}
COMBINED = {name: ANSI for name in ("ANSI", "DB2", "MAXDB", "POSTGRESQL")} | {name: ANSI | {name} for name in ("ORACLE", "MSSQL")}
OF_MARIADB_ALONE = {"ORACLE", "MSSQL"}
CLIENT_CHARSETS = {"utf8mb4", "utf8mb3", "utf8", "latin1", "ascii", "binary", "sjis", "cp932", "gbk", "gb18030", "big5", "ujis",
                   "eucjpms", "euckr", "gb2312", "koi8r", "koi8u", "cp1251", "cp1250", "cp1256", "cp1257", "latin2", "latin5",
                   "latin7", "greek", "hebrew", "tis620", "swe7", "dec8", "hp8", "cp850", "cp852", "cp866", "keybcs2", "macce",
                   "macroman", "geostd8", "armscii8"}
OF_MYSQL_ALONE = {"gb18030"}


class SessionState:
    def __init__(self):
        self.sql_mode = self.charset = None

    def follow(self, statement):
        if not SET.match(statement):
            return
        for match in SQL_MODE.finditer(statement):
            if match["before"] is None:
                self.sql_mode = self.mode_of(match["value"])
        if (match := NAMES.search(statement)) and match["value"].lower() in CLIENT_CHARSETS | {"default"}:
            self.charset = None if match["value"].lower() == "default" else match["value"].lower()

    def mode_of(self, value):
        """None, the default's, for what is not said: a variable, an expression."""
        texts = QUOTED.findall(value)
        if value.lower().startswith("concat"):
            return ",".join(filter(None, [self.sql_mode if "@@" in value else None, *texts]))
        if texts:
            return texts[0]
        return value if re.fullmatch(r"[A-Za-z_]+", value) and value.lower() != "default" else None


def reading_modes(sql_mode, kind):
    """Of a value of sql_mode those that change the reading on a server, in a settled order."""
    names = set()
    for name in filter(None, (one.strip().upper() for one in (sql_mode or "").split(","))):
        if kind == "mysql" and name in OF_MARIADB_ALONE:
            continue
        names |= COMBINED.get(name, {name})
    return ",".join(name for name in READING_MODES if name in names)


def reading_charset(charset, text, kind):
    """The character set that a session has set; else the usual one, or where the text is not of that, one that takes any byte."""
    if charset in CLIENT_CHARSETS and not (kind == "mariadb" and charset in OF_MYSQL_ALONE):
        return charset
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return "latin1"
    return "utf8mb4"
