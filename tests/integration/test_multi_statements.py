"""Texts of several statements: through the gateway a client gets the packets that it would get from the server."""

import re
import struct

import pytest

from laboratory import as_one_says
from mysql_wire import (CLIENT_DEPRECATE_EOF, CLIENT_MULTI_STATEMENTS, QUERY, USUAL, Client, ServerError, parse_error)

SET_OPTION = 27
CAPABILITIES = {
    "with EOF packets": USUAL | CLIENT_MULTI_STATEMENTS,
    "without EOF packets": USUAL | CLIENT_MULTI_STATEMENTS | CLIENT_DEPRECATE_EOF,
}

TEXTS = [
    "SELECT 1",
    "SELECT 1;",
    "SELECT 1;;  ; ",
    " \n\t SELECT 1 ; ",
    "SELECT 1; SELECT 2",
    "SELECT 1;SELECT 2;SELECT 3;",
    "SELECT 1; SELECT 2; -- the end",
    "SELECT 1; # the end",
    "SELECT 1; /* the end */",
    "SELECT 1; -- the end\n",
    "SELECT 1 --;",
    "SELECT 1 -- ; SELECT 2",
    "SELECT 1 -- a\n; SELECT 2",
    "SELECT 1; ; SELECT 2",
    "SELECT 1;; SELECT 2",
    "; SELECT 1",
    ";",
    "",
    "/* a */",
    "/* a */; SELECT 1",
    "-- a\n; SELECT 1",
    "/*!50000 SELECT 1 */; SELECT 2",
    "/*!50000 SELECT 1 */ ; /*!99999 SELECT 2 */ ; SELECT 3",
    "SELECT /* ; */ 1; SELECT ';', \";\"; SELECT 'a''; b', 'c\\'; d'",
    "SELECT 1 AS `a;b`; SELECT 2",
    "SELECT nothing; SELECT 2",
    "SELECT 1; SELECT nothing; SELECT 3",
    "SELECT 1; SELEC 2",
    "SELECT 1; SELECT 'open",
    "SELECT 1; SELECT `open",
    "SELECT 1; SELECT /* open",
    "DO 1; DO 2; DO 3",
    "SET @a = 1; SELECT @a; SET @a = @a + 1; SELECT @a",
    "SET @a = 'x;y'; SELECT @a",
    "BEGIN; SELECT 1; COMMIT",
    "BEGIN WORK; SELECT 1; ROLLBACK; SELECT 2",
    "START TRANSACTION; SELECT COUNT(*) FROM driver_rows; COMMIT",
    "SELECT CASE WHEN 1 THEN 2 END; SELECT IF(1, 2, 3); SELECT REPEAT('a', 3)",
    "SELECT 1 AS begin; SELECT 1 AS end; SELECT 2",
    "SET sql_mode = 'ANSI_QUOTES'; SELECT 1 AS \"a;b\"; SET sql_mode = ''; SELECT \"a;b\"; SELECT 2",
    "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; SELECT '\\'; SELECT 2; -- '",
    "SET sql_mode = ''; SELECT '\\'; SELECT 2; -- '",
    "SET sql_mode = CONCAT('ANSI', '_QUOTES'); SELECT 1 AS \"a;b\"; SELECT 2",
    "SET NAMES latin1; SELECT 'a'; SET NAMES utf8mb4; SELECT 'b'",
    "SET NAMES gbk; SELECT '\udcbf\\'; SELECT 2; -- '",
    "SET NAMES sjis; SELECT HEX('\udc95\\'); SELECT 2 -- '",
    "SELECT 1 WHERE 1 = 0; SELECT 2",
    "SELECT 1/0; SHOW WARNINGS; SELECT 2",
    "SELECT CAST('x' AS SIGNED); DO 1; SELECT 2",
    "SELECT 1 UNION SELECT 2; SELECT 3",
    "SELECT SQL_CALC_FOUND_ROWS 1 UNION SELECT 2 LIMIT 1; SELECT FOUND_ROWS()",
    "USE shop; SELECT DATABASE(); USE nowhere; SELECT 2",
    "SHOW STATUS LIKE 'nothing%'; SELECT 1",
    "EXPLAIN SELECT 1; SELECT 2",
    "PREPARE s FROM 'SELECT 1'; EXECUTE s; DEALLOCATE PREPARE s",
    "PREPARE s FROM 'SELECT 1; SELECT 2'; SELECT 3",
    "CREATE TEMPORARY TABLE part (a INT); INSERT INTO part VALUES (1), (2); SELECT * FROM part; DROP TEMPORARY TABLE part",
    "CALL driver_several(); SELECT 1",
    "SELECT 1; CALL driver_several(); SELECT 1",
    "CREATE TABLE denied_to_all.t (a INT); SELECT 1",
    "SELECT REPEAT('x', 70000); SELECT 2",
]
# What only MariaDB has.
COMPOUND = [
    "BEGIN NOT ATOMIC SELECT 1; SELECT 2; END; SELECT 3",
    "IF 1 THEN SELECT 1; ELSE SELECT 2; END IF; SELECT 3",
    "FOR i IN 1..2 DO SELECT i; END FOR; SELECT 3",
    "SET STATEMENT max_statement_time = 10 FOR SELECT 1; SELECT 2",
    "BEGIN NOT ATOMIC DECLARE x INT DEFAULT 0; l: WHILE x < 2 DO SET x = x + 1; END WHILE l; SELECT x; END; SELECT 3",
]


def read_answer(client):
    """All packets of the answer to a command, with their sequence ids, up to the one that says that none follows."""
    packets = []
    deprecate = client.deprecates_eof
    while True:
        packets.append(read(client))
        first = packets[-1][1]
        if first[:1] == b"\xff" or (first[:1] in (b"\x00", b"\xfe") and not more(first, is_eof=len(first) == 5)):
            return packets
        if first[:1] in (b"\x00", b"\xfe"):
            continue
        ends = 0
        while ends < (1 if deprecate else 2):
            packets.append(read(client))
            payload = packets[-1][1]
            if payload[:1] == b"\xff":
                return packets
            ends += 1 if payload[:1] == b"\xfe" and len(payload) < 100 else 0
        if not more(packets[-1][1], is_eof=not deprecate):
            return packets


def read(client):
    header = client.receive_raw(4)
    return header[3], client.receive_raw(int.from_bytes(header[:3], "little"))


def more(payload, is_eof):
    flags = struct.unpack_from("<H", payload, 3)[0]
    return flags & 8 != 0


def normalised(packets):
    """An error's message quotes what was sent on, which ends at the statement's own end there."""
    def of(payload):
        if payload[:1] == b"\xff":
            error = parse_error(payload)
            message = re.sub(r"near '.*' at line \d+", "near", as_one_says(error.message), flags=re.S)
            return error.code, error.state, re.sub(r"user '[^']*'@'[^']*'", "user", message)
        return payload

    return [(sequence, of(payload)) for sequence, payload in packets]


def run(client, text):
    client.command(QUERY, text.encode("utf-8", "surrogateescape"))
    return normalised(read_answer(client))


def direct(lab, capabilities):
    """A connection to the server itself, with the rights of the gateway's login."""
    client = Client(int(lab.values["LAB_SERVER_PORT"]))
    plugin = client.read_greeting().plugin
    client.send(client.handshake_response("straight", b"", "shop", plugin, capabilities))
    while (answer := client.receive_ok())[:1] != b"\x00":
        if answer[:1] == b"\xfe":
            client.send(b"")
    client.deprecates_eof = bool(capabilities & CLIENT_DEPRECATE_EOF)
    return client


def through(lab, capabilities):
    client = lab.login(capabilities=capabilities)
    client.deprecates_eof = bool(capabilities & CLIENT_DEPRECATE_EOF)
    return client


@pytest.fixture(scope="module")
def fixture(lab):
    lab.load_fixture()
    for statement in ("DROP PROCEDURE IF EXISTS shop.driver_several",
                      "CREATE PROCEDURE shop.driver_several() BEGIN SELECT 1; SELECT 2 WHERE 0; DO 3; END",
                      "CREATE USER IF NOT EXISTS straight@'%'",
                      "GRANT SELECT, SHOW VIEW, EXECUTE ON shop.* TO straight@'%'"):
        lab.ask_root(statement)


@pytest.mark.parametrize("name", CAPABILITIES)
def test_the_answer_is_the_servers(lab, fixture, name):
    del fixture
    capabilities = CAPABILITIES[name]
    for text in TEXTS + (COMPOUND if lab.kind == "mariadb" else []):
        with direct(lab, capabilities) as straight, through(lab, capabilities) as gateway:
            for client in (straight, gateway):
                run(client, "SET sql_mode = 'STRICT_TRANS_TABLES'")
            expected, got = run(straight, text), run(gateway, text)
            assert got == expected, f"{text!r}\n  server:  {expected}\n  gateway: {got}"
            assert run(gateway, "SELECT 5") == run(straight, "SELECT 5"), f"the session is usable after {text!r}"


BEHIND_THE_SEMICOLON = [
    "SELECT 1;", "SELECT 1; -- how many", "SELECT 1; -- how many\n", "SELECT 1; # how many\n/* a */ -- b",
    "SELECT 1 /* a */ ; /* b */", "SELECT 1;/* ; */", "SELECT 1; -- a\nSELECT 2", "SELECT 1; /* a */ SELECT 2",
    "SELECT 1; /* a */ ;", "SELECT 1; -- a\n;", "SELECT 1; /* open", "SELECT 1; --x", "SELECT 1; --", "SELECT 1; \"",
    "SELECT 1; /*!50000 SELECT 2 */", "SELECT 1; /*!50000 */", "SELECT 1; /*!99999 SELECT 2 */", "SELECT 1; /*+ a */",
    "SELECT 1; /*M!50000 SELECT 2 */", "/*!50000 SELECT 1; */", "/*!50000 SELECT 1; */ -- a", "/*!50000 SELECT 1; -- a */",
    "-- a\n;", "/* a */ ;", "; -- a", "DO 1; -- a", "INSERT INTO nowhere.t VALUES (1); -- a", "SELEC 1; -- a",
    "SET @a = 1; -- a", "SHOW WARNINGS; -- a", "BEGIN; -- a", "CALL driver_several(); -- a",
    "PREPARE s FROM 'SELECT 1; -- a'", "PREPARE s FROM 'SELECT 1; SELECT 2 -- a'", "EXPLAIN SELECT 1; -- a",
]


def test_of_a_client_that_sends_one_statement_a_text_comments_may_follow_it(lab, fixture):
    del fixture
    capabilities = USUAL | CLIENT_DEPRECATE_EOF
    for text in BEHIND_THE_SEMICOLON:
        with direct(lab, capabilities) as straight, through(lab, capabilities) as gateway:
            expected, got = run(straight, text), run(gateway, text)
            assert got == expected, f"{text!r}\n  server:  {expected}\n  gateway: {got}"
            assert run(gateway, "SELECT 5") == run(straight, "SELECT 5"), f"the session is usable after {text!r}"


def test_each_statement_has_its_records(lab, fixture):
    del fixture
    mark = lab.audit_mark()
    with through(lab, CAPABILITIES["with EOF packets"]) as session:
        run(session, "SELECT 'several 1'; SELECT nothing FROM driver_rows; SELECT 'several 3'")
    end = lab.wait_for_record(mark, type="session_end")
    assert end
    commands = [record for record in lab.audit(mark) if record["type"] == "command" and "part" in record]
    assert [(record["part"], record["text"]) for record in commands] == [
        (1, "SELECT 'several 1'"), (2, "SELECT nothing FROM driver_rows")]
    outcomes = {record["of"]: record["status"] for record in lab.audit(mark) if record["type"] == "outcome"}
    assert [outcomes[record["seq"]] for record in commands] == ["ok", "error"]


def test_the_server_never_gets_two_statements(lab, fixture):
    """What the gateway reads as one statement and the server as two is a syntax error there."""
    del fixture
    with lab.login() as session:
        with pytest.raises(ServerError) as refused:
            session.query("SELECT 1; SELECT 2")
        assert refused.value.code == 1064
        assert session.query("SELECT 3") == [[b"3"]]


def test_set_option_switches_several_statements_on_and_off(lab, fixture):
    del fixture
    with lab.login() as session:
        session.deprecates_eof = False
        for option, count in ((0, 2), (1, 0), (0, 2)):
            session.command(SET_OPTION, struct.pack("<H", option))
            assert session.receive_ok()[:1] == b"\xfe"
            answer = run(session, "DO 1; DO 2")
            assert len([1 for _, payload in answer if payload[:1] == b"\x00"]) == count, answer
        session.command(SET_OPTION, struct.pack("<H", 7))
        with pytest.raises(ServerError) as refused:
            session.receive_ok()
        assert refused.value.code == 1047


@pytest.mark.parametrize("text", ["/*!50000 SELECT 1; */ SELECT 2", "SELECT 1 --; SELECT 2", "SELECT 1,\0 2; SELECT 3"])
def test_what_can_not_be_separated_is_refused(lab, fixture, text):
    del fixture
    with through(lab, CAPABILITIES["with EOF packets"]) as session:
        (_, (code, _, message)), = run(session, text)
        assert code == 1235 and "statements_not_separable" in message
        assert session.query("SELECT 3") == [[b"3"]]
