"""Comments put into statements: what the program makes of them must be what the server makes of them."""

import re

# A blank, or what is passed over: quoted texts, comments.
PIECE = re.compile(rb"'(?:\\.|[^\\'])*'|\"(?:\\.|[^\\\"])*\"|`[^`]*`|(?P<blank>[ \n\t]+)|/\*.*?\*/|[^'\"` \n\t/]+|/", re.DOTALL)
WORD = re.compile(rb"[A-Za-z_][A-Za-z_0-9]*|[0-9]+")
HAS_COMMENT = re.compile(rb"/\*|#|--")
PLACES = 3

FORMS = (b"/**/", b" /* c */ ", b"/* it's */", b" -- c'\n", b"#\"\n", b" /*!99999 , ssn */ ", b" /* /*! */")


# A name may be cut within quotes.
IN_NAME = re.compile(r"(?P<kept>'(?:\\.|[^\\'])*(?:'|$)|\"(?:\\.|[^\\\"])*(?:\"|$)|`[^`]*(?:`|$))|/\*.*?(?:\*/|$)|(?:#|--(?=\s))[^\n]*|\s+",
                     re.DOTALL)


def bare_name(name):
    """A column's name without comments and blanks. The servers name an expression by its text, with the comments in it that
    are no code; what is sent has none."""
    return IN_NAME.sub(lambda match: match["kept"] or "", name)


def has_comment(sql):
    return bool(HAS_COMMENT.search(sql))


def with_comments(sql, random):
    """The statement with comments in place of some of its blanks, and perhaps a word as an executable comment. None where
    it has comments already, or none of the places for one."""
    if has_comment(sql) or b"\\" in sql:
        return None
    blanks, words = [], []
    for match in PIECE.finditer(sql):
        if match["blank"]:
            blanks.append(match.span())
        elif word := WORD.fullmatch(match[0]):
            words.append(word.span() if match.start() == 0 else (match.start(), match.end()))
    if not blanks:
        return None
    changes = [(begin, end, random.choice(FORMS)) for begin, end in random.sample(blanks, min(PLACES, len(blanks)))]
    if words and random.random() < 0.5:
        begin, end = random.choice(words)
        version = random.choice((b"", b"40000", b"50000", b"050600"))
        changes.append((begin, end, b"/*!" + version + b" " + sql[begin:end] + b" */"))
    for begin, end, text in sorted(changes, reverse=True):
        sql = sql[:begin] + text + sql[end:]
    return sql
