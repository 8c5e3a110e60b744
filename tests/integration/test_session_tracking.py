"""What clients set of session tracking is theirs: they are told what the server would tell them directly, and can't hide from
the gateway how the server reads the next statement."""

import struct

import pytest

from mysql_wire import (CLIENT_DEPRECATE_EOF, CLIENT_MULTI_STATEMENTS, CLIENT_SESSION_TRACK, INIT_DB, QUERY, RESET, STMT_EXECUTE, USUAL,
                        read_lenenc_number)
from test_multi_statements import direct, normalised, read_answer, run, through

CAPABILITIES = {
    "with EOF packets": USUAL | CLIENT_SESSION_TRACK,
    "without EOF packets": USUAL | CLIENT_SESSION_TRACK | CLIENT_DEPRECATE_EOF,
    "without tracking": USUAL | CLIENT_DEPRECATE_EOF,
}
STATE_CHANGED = 0x4000

STATEMENTS = [
    "SELECT @@session_track_system_variables, @@session_track_schema, @@session_track_state_change, @@session_track_transaction_info",
    "SET autocommit = 1, time_zone = '+01:00', sql_mode = 'ANSI_QUOTES'",
    "SET NAMES latin1",
    "SET session_track_system_variables = 'sql_mode,time_zone'",
    "SELECT @@session_track_system_variables",
    "SET sql_mode = '', time_zone = '+02:00', autocommit = 1",
    "SET NAMES utf8mb4",
    "SET session_track_system_variables = '*'",
    "SET sql_mode = 'ANSI_QUOTES', wait_timeout = 1000",
    "SELECT 1",
    "SELECT @@session_track_system_variables",
    "SET session_track_system_variables = ''",
    "SET sql_mode = '', time_zone = '+03:00'",
    "SET session_track_system_variables = 'session_track_system_variables'",
    "SET session_track_system_variables = NULL",
    "SET session_track_system_variables = 'no such,sql_mode'",
    "SET session_track_system_variables = DEFAULT",
    "SET time_zone = '+04:00'",
    "USE information_schema",
    "SET session_track_schema = 0",
    "USE shop",
    "SELECT DATABASE()",
    "SET session_track_schema = 1",
    "USE information_schema",
    "USE nowhere",
    "SET session_track_state_change = 1",
    "SET @a = 1",
    "SET time_zone = '+05:00'",
    "CREATE TEMPORARY TABLE shop.tracked (a INT)",
    "PREPARE s FROM 'SET time_zone = \"+06:00\", session_track_system_variables = \"time_zone,sql_mode\"'",
    "EXECUTE s",
    "SET sql_mode = ''",
    "SET session_track_state_change = 0",
    "SET session_track_transaction_info = 'CHARACTERISTICS'",
    "START TRANSACTION READ ONLY",
    "SELECT 1",
    "COMMIT",
    "SET session_track_transaction_info = 'OFF'",
    "SET session_track_system_variables = '*', session_track_state_change = 1",
    "CALL shop.tracking_is_hidden()",
    "SELECT @@session_track_system_variables",
    "SET session_track_gtids = 'OWN_GTID'",
    "SET STATEMENT session_track_system_variables = '' FOR SET sql_mode = 'ANSI_QUOTES'",
    "SET sql_mode = ''",
]

NO_ESCAPES = "SELECT '\\'; SELECT 2; -- '"
# Each changes how the next statement is read, or does not, and none of them has it reported.
HIDING = [
    "SET session_track_system_variables = ''; SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
    "SET session_track_state_change = 0, session_track_system_variables = '', sql_mode = 'NO_BACKSLASH_ESCAPES', "
    "session_track_system_variables = '*'",
    "SET session_track_system_variables = ''; SET sql_mode = CONCAT('NO_BACKSLASH', '_ESCAPES'); SET sql_mode = ''",
    "SET @a = CONCAT('SET sql_mode = \"NO_BACKSLASH', '_ESCAPES\"'); PREPARE s FROM @a; EXECUTE s",
    "SET sql_mode = 'NO_BACKSLASH_ESCAPES'; CALL shop.tracking_is_hidden()",
    "CALL shop.tracking_is_hidden()",
    "SELECT shop.tracking_hides()",
    "SET session_track_system_variables = ''; SET NAMES gbk; SELECT '\udcbf\\'; SELECT 3; -- '\nSELECT 4",
]
HIDING_ON_MARIADB = [
    "EXECUTE IMMEDIATE CONCAT('SET sql_mode = \"NO_BACKSLASH', '_ESCAPES\"')",
    "SET STATEMENT sql_mode = 'NO_BACKSLASH_ESCAPES' FOR SELECT 1",
    "SET STATEMENT session_track_system_variables = '' FOR SET sql_mode = 'NO_BACKSLASH_ESCAPES'",
    "BEGIN NOT ATOMIC SET NAMES gbk; SET sql_mode = 'NO_BACKSLASH_ESCAPES'; END",
]
# What a client reads of the statement before, which the gateway must not have asked anything in between.
DIAGNOSTICS = [
    "SELECT SQL_CALC_FOUND_ROWS 'it\\'s' UNION SELECT 2 LIMIT 1; SELECT FOUND_ROWS(), 'it\\'s'",
    "CREATE TEMPORARY TABLE shop.counted AS SELECT 1 AS a UNION SELECT 2; UPDATE shop.counted SET a = CONCAT('1', '\\'') + 5; SELECT ROW_COUNT(), 'it\\'s'",
    "SELECT CAST('it\\'s' AS SIGNED); SHOW WARNINGS; SELECT 'it\\'s'",
]


@pytest.fixture(scope="module")
def routines(lab):
    quietly = "SET session_track_state_change = 0; SET session_track_system_variables = ''; SET sql_mode = 'NO_BACKSLASH_ESCAPES';"
    for statement in ("DROP PROCEDURE IF EXISTS shop.tracking_is_hidden",
                      f"CREATE PROCEDURE shop.tracking_is_hidden() BEGIN {quietly} END",
                      "DROP FUNCTION IF EXISTS shop.tracking_hides",
                      f"CREATE FUNCTION shop.tracking_hides() RETURNS INT DETERMINISTIC BEGIN {quietly} RETURN 1; END",
                      "CREATE USER IF NOT EXISTS straight@'%'",
                      "GRANT SELECT, SHOW VIEW, EXECUTE, CREATE TEMPORARY TABLES ON shop.* TO straight@'%'",
                      "GRANT CREATE TEMPORARY TABLES ON shop.* TO sallyport_reporter@'%'"):
        lab.ask_root(statement)
    yield
    for login in ("straight", "sallyport_reporter"):
        lab.ask_root(f"REVOKE CREATE TEMPORARY TABLES ON shop.* FROM {login}@'%'")


def told(payload):
    """An OK by what it says: MySQL numbers the statements of the whole server."""
    if payload[:1] not in (b"\x00", b"\xfe") or len(payload) < 7:
        return payload
    _, at = read_lenenc_number(payload, 1)
    _, at = read_lenenc_number(payload, at)
    if not struct.unpack_from("<H", payload, at)[0] & STATE_CHANGED or at + 4 >= len(payload):
        return payload
    info, begin = read_lenenc_number(payload, at + 4)
    size, begin = read_lenenc_number(payload, begin + info)
    track, entries = payload[begin:begin + size], []
    while track:
        length, body = read_lenenc_number(track, 1)
        entry, track = track[:body + length], track[body + length:]
        entries.append(b"statement_id" if b"statement_id" in entry else entry)
    return payload[:at + 4], info, sorted(entries)


def asked(client, command, body):
    client.command(command, body)
    return [(sequence, told(payload) if isinstance(payload, bytes) else payload)
            for sequence, payload in normalised(read_answer(client))]


@pytest.mark.parametrize("name", CAPABILITIES)
def test_clients_are_told_what_the_server_tells_directly(lab, routines, name):
    del routines
    with direct(lab, CAPABILITIES[name]) as straight, through(lab, CAPABILITIES[name]) as gateway:
        for statement in STATEMENTS:
            expected, got = (asked(client, QUERY, statement.encode()) for client in (straight, gateway))
            assert got == expected, f"{statement}\n  server:  {expected}\n  gateway: {got}"
        for command, body in ((INIT_DB, b"information_schema"), (RESET, b""), (QUERY, b"SET time_zone = '+07:00', sql_mode = ''")):
            expected, got = (asked(client, command, body) for client in (straight, gateway))
            assert got == expected, (command, body)


def test_a_prepared_set_is_the_clients_as_well(lab, routines):
    del routines
    capabilities = CAPABILITIES["without EOF packets"]
    with direct(lab, capabilities) as straight, through(lab, capabilities) as gateway:
        answers = []
        for client in (straight, gateway):
            statement, _, _ = client.prepare("SET session_track_system_variables = 'sql_mode', sql_mode = 'ANSI_QUOTES'")
            answers.append((asked(client, STMT_EXECUTE, struct.pack("<IBI", statement, 0, 1)),
                            asked(client, QUERY, b"SET sql_mode = '', time_zone = '+01:00'")))
        assert answers[0] == answers[1]
        assert any(b"sql_mode" in b"".join(entry) for _, (_, _, entry) in answers[1][1])


def test_the_next_session_on_a_pooled_connection_is_told_the_default(lab):
    capabilities = CAPABILITIES["without EOF packets"]
    for _ in range(3):
        with through(lab, capabilities) as session:
            assert b"time_zone" in b"".join(asked(session, QUERY, b"SET time_zone = '+01:00'")[0][1][2])
            asked(session, QUERY, b"SET session_track_system_variables = '', session_track_schema = 0, sql_mode = 'NO_BACKSLASH_ESCAPES'")


@pytest.mark.parametrize("tracks", [0, CLIENT_SESSION_TRACK])
@pytest.mark.parametrize("ends", [0, CLIENT_DEPRECATE_EOF])
def test_no_client_hides_how_the_server_reads(lab, routines, tracks, ends):
    """If the gateway read the last two statements in another mode than the server it would send one text of both, or cut a string."""
    del routines
    capabilities = USUAL | CLIENT_MULTI_STATEMENTS | tracks | ends
    for hiding in HIDING + (HIDING_ON_MARIADB if lab.kind == "mariadb" else []):
        for texts in ([f"{hiding}; {NO_ESCAPES}"], [hiding, NO_ESCAPES], [NO_ESCAPES, hiding, NO_ESCAPES]):
            with direct(lab, capabilities) as straight, through(lab, capabilities) as gateway:
                for text in texts:
                    expected, got = run(straight, text), run(gateway, text)
                    assert [told_or_error(one) for one in got] == [told_or_error(one) for one in expected], (
                        f"{text!r}\n  server:  {expected}\n  gateway: {got}")


def told_or_error(packet):
    return packet[0], told(packet[1]) if isinstance(packet[1], bytes) else packet[1]


def test_what_the_gateway_asks_does_not_come_between_a_statement_and_its_diagnostics(lab, routines):
    del routines
    capabilities = USUAL | CLIENT_MULTI_STATEMENTS | CLIENT_DEPRECATE_EOF
    for text in DIAGNOSTICS:
        with direct(lab, capabilities) as straight, through(lab, capabilities) as gateway:
            assert run(gateway, text) == run(straight, text), text


def test_the_schema_is_on_record_also_where_its_tracking_is_off(lab):
    mark = lab.audit_mark()
    with lab.login(schema="shop") as session:
        session.query("SET session_track_schema = 0")
        session.query("USE information_schema")
        session.query("SELECT 'in the other schema'")
        session.command(INIT_DB, b"shop")
        session.receive_ok()
        session.query("SELECT 'in the first schema'")
    assert lab.wait_for_record(mark, type="command", text="SELECT 'in the other schema'")["schema"] == "information_schema"
    assert lab.wait_for_record(mark, type="command", text="SELECT 'in the first schema'")["schema"] == "shop"


def test_settings_that_change_every_answer_do_not_change_what_the_gateway_is_told(lab, routines):
    del routines
    capabilities = USUAL | CLIENT_MULTI_STATEMENTS
    texts = ("SET sql_select_limit = 0, character_set_results = ucs2, character_set_connection = ucs2, "
             "sql_mode = 'NO_BACKSLASH_ESCAPES'", "DO '\\'; DO 2; -- '", "XA START 'a'", "SET sql_mode = ''", "XA END 'a'",
             "DO '\\'; DO 2; -- '", "SET @a = '\\'; DO 2; -- '", "XA ROLLBACK 'a'", "DO '\\'; DO 2; -- '")
    with direct(lab, capabilities) as straight, through(lab, capabilities) as gateway:
        assert [run(gateway, text) for text in texts] == [run(straight, text) for text in texts]
