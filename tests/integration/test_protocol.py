"""Each row of docs/protocol.md on real servers: what the tables say is what a client finds.

A row that is handled, forwarded or offered has a test marked @covers("row"), a refused or not offered one is tried by its row.
"""

import os
import re
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from compressed_wire import frame
from forge import claims, token
from laboratory import REPOSITORY, local_files_on
from mysql_wire import (CLIENT_COMPRESS, CLIENT_SSL, CLIENT_ZSTD, CLIENT_DEPRECATE_EOF, CLIENT_FOUND_ROWS, CLIENT_IGNORE_SPACE, CLIENT_LOCAL_FILES, CLIENT_MULTI_STATEMENTS,
                        CLIENT_OPTIONAL_RESULTSET_METADATA, CLIENT_PS_MULTI_RESULTS, CLIENT_QUERY_ATTRIBUTES, CLIENT_SESSION_TRACK, FIELD_LIST,
                        INIT_DB, MARIADB_BULK_OPERATIONS, MARIADB_BULK_UNIT_RESULTS, MARIADB_CACHE_METADATA, PING, QUERY, QUIT, RESET, SET_OPTION,
                        STATISTICS, STMT_CLOSE, STMT_EXECUTE, STMT_FETCH, STMT_PREPARE, STMT_RESET, STMT_SEND_LONG_DATA, USUAL, Client,
                        Closed, ServerError, lenenc)

COVERED = set()


def covers(*rows):
    COVERED.update(rows)
    return lambda test: test


def rows_of(heading):
    page = (REPOSITORY / "docs" / "protocol.md").read_text()
    section = page[page.index(f"## {heading}"):].split("\n## ")[0]
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", section, re.M)[2:]]


COMMANDS = rows_of("Commands")
CAPABILITIES = rows_of("Capabilities")


def test_each_row_has_a_test():
    due = {name for _, name, happens, _ in COMMANDS if happens != "refused"}
    due |= {name for _, name, offer, _, _ in CAPABILITIES if offer != "not offered"}
    assert due == COVERED


@covers("COMPRESS", "ZSTD_COMPRESSION_ALGORITHM")
def test_a_client_that_asks_for_compression_gets_it(lab):
    """With zstd a frame that is too short to be compressed; test_compression.py has the rest."""
    for flag in (CLIENT_COMPRESS, CLIENT_ZSTD):
        if flag == CLIENT_ZSTD and lab.kind == "mariadb":
            continue
        mark = lab.audit_mark()
        with Client(lab.port) as client:
            client.capabilities = USUAL | flag
            client.read_greeting()
            client.start_tls(lab.ca, client.capabilities)
            level = b"\3" if flag == CLIENT_ZSTD else b""
            client.send(client.handshake_response("shop", b"\1" * 32, capabilities=client.capabilities | CLIENT_SSL) + level)
            client.finish_authentication(lab.token("reporter"))
            client.send_raw(frame(0, b"\1\0\0\0\x0e", stored=True))
            header = client.receive_raw(7)
            assert header[3:] == b"\1\0\0\0" and client.receive_raw(header[0])[4:5] == b"\0"
        wanted = "zstd" if flag == CLIENT_ZSTD else "zlib"
        assert lab.wait_for_record(mark, type="session_start")["client_compression"] == wanted


def usable(session):
    assert session.query("SELECT 'usable'") == [[b"usable"]]


# Refused, not offered


@pytest.mark.parametrize("opcode, name", [(row[0], row[1]) for row in COMMANDS if row[2] == "refused"])
def test_a_refused_command_leaves_the_connection_as_it_is(lab, opcode, name):
    known = {int(row[0], 16) for row in COMMANDS if row[0] != "other"}
    opcodes = [byte for byte in range(256) if byte not in known] if opcode == "other" else [int(opcode, 16)]
    mark = lab.audit_mark()
    with lab.login() as session:
        session.query("SET @kept = 'kept'")
        session.query("START TRANSACTION")
        for byte in opcodes:
            with pytest.raises(ServerError) as refusal:
                session.command(byte, b"\1\0\0\0" + b"\0" * 8)
                session.receive_ok()
            assert refusal.value.code == 1047 and "[command_not_supported]" in str(refusal.value)
        assert session.query("SELECT @kept") == [[b"kept"]]
    record = lab.wait_for_record(mark, type="command", command=name)
    assert lab.wait_for_record(mark, type="outcome", of=record["seq"])["reason"] == "command_not_supported"


@pytest.mark.parametrize("bit, name, offer", [(int(row[0]), row[1], row[2]) for row in CAPABILITIES])
def test_the_greeting_offers_what_the_table_says(lab, kind, bit, name, offer):
    due = offer == "offered" or offer == f"offered, `flavor: {kind}"  # the cell's last quote was stripped
    with Client(lab.port) as client:
        assert bool(client.read_greeting().capabilities >> bit & 1) == due, name


@pytest.mark.parametrize("bit", [int(row[0]) for row in CAPABILITIES if row[2] == "not offered" and int(row[0]) < 32])
def test_a_client_that_sets_what_is_not_offered_does_not_get_it(lab, bit):
    """Compression, above all: the packets behind the login are plain."""
    with lab.login(capabilities=USUAL | 1 << bit) as session:
        usable(session)


# Commands


@covers("query")
def test_query(lab):
    mark = lab.audit_mark()
    with lab.login() as session:
        assert session.query("SELECT 1 + 1, NULL") == [[b"2", None]]
        with pytest.raises(ServerError) as error:
            session.query("SELECT nothing_of_that_name")
        assert error.value.code == 1054
        usable(session)
    assert lab.wait_for_record(mark, type="command", text="SELECT 1 + 1, NULL")["command"] == "query"


@covers("quit")
def test_quit(lab):
    mark = lab.audit_mark()
    with lab.login() as session:
        session.command(QUIT)
        with pytest.raises(Closed):
            session.receive()
    begun = lab.wait_for_record(mark, type="session_start")
    assert lab.wait_for_record(mark, type="session_end", session=begun["session"])["reason"] == "client_quit"


@covers("init_db")
def test_init_db(lab):
    with lab.login() as session:
        session.command(INIT_DB, b"information_schema")
        session.receive_ok()
        assert session.query("SELECT DATABASE()") == [[b"information_schema"]]
        with pytest.raises(ServerError):
            session.command(INIT_DB, b"no_such_schema")
            session.receive_ok()
        usable(session)


@covers("field_list")
def test_field_list(lab):
    """MySQL and MariaDB still answer it, deprecated as it is."""
    with lab.login() as session:
        session.command(FIELD_LIST, b"customers\0%")
        names = 0
        while not session.ends(payload := session.receive_ok()):
            names += payload.startswith(b"\x03def")
        assert names > 1
        usable(session)


@covers("statistics")
def test_statistics(lab):
    with lab.login() as session:
        session.command(STATISTICS)
        assert session.receive_ok().startswith(b"Uptime: ")
        usable(session)


@covers("ping")
def test_ping_says_what_the_server_says(lab):
    with lab.login() as session:
        session.query("START TRANSACTION")
        session.command(PING)
        ok = session.receive_ok()
        assert struct.unpack_from("<H", ok, 3)[0] & 1, "the server's status flags say that a transaction is open"


@covers("process_kill")
def test_process_kill(lab):
    """test_kill.py has more of it."""
    with lab.login() as victim, lab.login() as session:
        session.command(12, struct.pack("<I", victim.greeting.connection_id))
        assert session.receive_ok()[:1] == b"\x00"
        usable(session)


@covers("set_option", "MULTI_STATEMENTS", "MULTI_RESULTS")
def test_set_option(lab):
    with lab.login() as session:
        for option, several in ((0, True), (1, False)):
            session.command(SET_OPTION, struct.pack("<H", option))
            session.receive_ok()
            if several:
                session.command(QUERY, b"SELECT 1; SELECT 2")
                assert [session.read_result(), session.read_result()] == [[[b"1"]], [[b"2"]]]
            else:
                with pytest.raises(ServerError) as error:
                    session.query("SELECT 1; SELECT 2")
                assert error.value.code == 1064
        with pytest.raises(ServerError):
            session.command(SET_OPTION, struct.pack("<H", 7))
            session.receive_ok()
        usable(session)
    with lab.login(capabilities=USUAL | CLIENT_MULTI_STATEMENTS) as session:
        session.command(QUERY, b"SELECT 'a'; SELECT 'b'")
        assert [session.read_result(), session.read_result()] == [[[b"a"]], [[b"b"]]]


@covers("reset_connection")
def test_reset_connection(lab):
    with lab.login() as session:
        session.query("SET @gone = 1")
        statement, _, _ = session.prepare("SELECT 1")
        session.command(RESET)
        session.receive_ok()
        assert session.query("SELECT @gone") == [[None]]
        with pytest.raises(ServerError) as error:
            session.execute(statement)
        assert error.value.code == 1243


@covers("stmt_prepare", "stmt_execute", "stmt_reset", "stmt_close")
def test_prepared_statements(lab):
    with lab.login() as session:
        statement, parameters, columns = session.prepare("SELECT CAST(? AS CHAR)")
        assert (parameters, columns) == (1, 1)
        assert session.execute(statement, [b"one"]) == [b"\0\0\x03one"]
        session.command(STMT_RESET, struct.pack("<I", statement))
        session.receive_ok()
        assert session.execute(statement, [b"two"]) == [b"\0\0\x03two"]
        session.command(STMT_CLOSE, struct.pack("<I", statement))
        with pytest.raises(ServerError) as error:
            session.execute(statement, [b"three"])
        assert error.value.code == 1243
        usable(session)


@covers("stmt_send_long_data")
def test_long_data(lab):
    with lab.login() as session:
        statement, _, _ = session.prepare("SELECT LENGTH(?), LENGTH(?)")
        for index in (0, 1):
            for _ in range(3):
                session.command(STMT_SEND_LONG_DATA, struct.pack("<IH", statement, index) + b"x" * 400_000)
        rows = session.execute(statement, [None, None], long_data={0, 1})
        assert struct.pack("<I", 1_200_000) in rows[0]


@covers("stmt_fetch")
@pytest.mark.parametrize("capabilities", [USUAL, USUAL | CLIENT_DEPRECATE_EOF], ids=["eof", "deprecate_eof"])
def test_a_cursor_is_fetched_in_parts(lab, capabilities):
    """Flags: cursor_exists behind the definitions, last_row_sent behind the rows; the cursor is then closed."""
    with lab.login(capabilities=capabilities) as session:
        statement, _, _ = session.prepare("SELECT table_name FROM information_schema.tables LIMIT 5")
        flags = session.execute_with_cursor(statement)
        assert flags & 0x40, "no cursor was opened"
        fetched, rounds = 0, 0
        while rounds < 9:
            rounds += 1
            session.command(STMT_FETCH, struct.pack("<II", statement, 2))
            rows, flags = session.read_rows()
            fetched += len(rows)
            if flags & 0x80:
                break
        assert fetched == 5 and 3 <= rounds <= 4
        usable(session)
        with pytest.raises(ServerError):
            session.command(STMT_FETCH, struct.pack("<II", statement, 2))
            session.receive_ok()
        session.execute_with_cursor(statement)  # a cursor that is never read to its end
        usable(session)


# Capabilities


@covers("FOUND_ROWS")
def test_found_rows(lab):
    """The rows that a condition finds count, not only those that change."""
    for capabilities, affected in ((USUAL, 0), (USUAL | CLIENT_FOUND_ROWS, 1)):
        with lab.login("writer", capabilities=capabilities) as session:
            session.query("CREATE TEMPORARY TABLE found (a INT)")
            session.query("INSERT INTO found VALUES (1)")
            session.command(QUERY, b"UPDATE found SET a = 1")
            assert session.receive_ok()[1] == affected


@covers("IGNORE_SPACE")
def test_ignore_space(lab):
    for capabilities, found in ((USUAL, False), (USUAL | CLIENT_IGNORE_SPACE, True)):
        with lab.login(capabilities=capabilities) as session:
            assert ("IGNORE_SPACE" in session.query("SELECT @@sql_mode")[0][0].decode()) == found


@covers("CONNECT_WITH_DB")
def test_a_schema_named_in_the_login_is_chosen(lab):
    with lab.login(schema="information_schema") as session:
        assert session.query("SELECT DATABASE()") == [[b"information_schema"]]


@covers("PS_MULTI_RESULTS")
def test_out_parameters_of_an_execution(lab):
    """A procedure's results, the row of its OUT parameters, and the OK, each told apart by the flags."""
    lab.ask_root("DROP PROCEDURE IF EXISTS shop.several")
    lab.ask_root("CREATE PROCEDURE shop.several(IN a INT, OUT b INT, INOUT c INT) SQL SECURITY INVOKER "
                 "BEGIN SELECT a; SELECT a, a; SET b = a + 1, c = c + a; END")
    try:
        for capabilities in (USUAL | CLIENT_PS_MULTI_RESULTS, USUAL | CLIENT_PS_MULTI_RESULTS | CLIENT_DEPRECATE_EOF):
            with lab.login(capabilities=capabilities) as session:
                statement, parameters, _ = session.prepare("CALL several(?, ?, ?)")
                assert parameters == 3
                results = session.execute_several(statement, [b"3", b"0", b"4"])
                assert [len(rows) for rows, _ in results[:3]] == [1, 1, 1]
                assert results[2][1] & 0x1000, "the flags say that the third result is the OUT parameters'"
                assert results[2][0] == [b"\0\0" + struct.pack("<ii", 4, 7)]
                assert results[3] == ([], results[3][1]) and len(results) == 4
                usable(session)
    finally:
        lab.ask_root("DROP PROCEDURE shop.several")


@covers("LOCAL_FILES")
def test_load_data_local(lab):
    """test_local_files.py has more of it."""
    with local_files_on(lab), lab.login("writer", capabilities=USUAL | CLIENT_LOCAL_FILES) as session:
        session.query("CREATE TEMPORARY TABLE loaded (a INT)")
        assert session.load("LOAD DATA LOCAL INFILE 'f.csv' INTO TABLE loaded", [b"1\n2", b"3\n"]) == ("f.csv", 2)
        assert session.query("SELECT a FROM loaded ORDER BY a") == [[b"1"], [b"23"]]


@covers("DEPRECATE_EOF")
def test_deprecate_eof(lab):
    for capabilities in (USUAL, USUAL | CLIENT_DEPRECATE_EOF):
        with lab.login(capabilities=capabilities) as session:
            assert session.query("SELECT 1 UNION SELECT 2") == [[b"1"], [b"2"]]
            assert session.query("SELECT 1 FROM DUAL WHERE 1 = 0") == []
            usable(session)


@covers("SESSION_TRACK")
def test_session_tracking_is_told_to_clients_that_have_it(lab):
    for capabilities, told in ((USUAL, False), (USUAL | CLIENT_SESSION_TRACK, True)):
        with lab.login(capabilities=capabilities) as session:
            session.command(QUERY, b"USE information_schema")
            ok = session.receive_ok()
            assert (b"information_schema" in ok) == told
            session.command(QUERY, b"SET sql_mode = ''")
            assert b"sql_mode" not in session.receive_ok(), "servers don't tell it by default"
            session.command(QUERY, b"SET time_zone = '+01:00'")
            assert (b"time_zone" in session.receive_ok()) == told


@covers("QUERY_ATTRIBUTES")
def test_query_attributes(lab, kind):
    if kind == "mariadb":
        return
    mark = lab.audit_mark()
    with lab.login(capabilities=USUAL | CLIENT_QUERY_ATTRIBUTES) as session:
        session.command(QUERY, b"\1\1\0\1" + struct.pack("<H", 253) + lenenc(b"trace") + lenenc(b"abc") + b"SELECT 'attributes'")
        assert session.read_result() == [[b"attributes"]]
    record = lab.wait_for_record(mark, type="command", text="SELECT 'attributes'")
    assert record["query_attributes"] == [{"name": "trace", "type": 253, "value": "abc"}]


@covers("OPTIONAL_RESULTSET_METADATA")
def test_results_without_column_definitions(lab, kind):
    if kind == "mariadb":
        return
    capabilities = USUAL | CLIENT_OPTIONAL_RESULTSET_METADATA
    for more in (0, CLIENT_DEPRECATE_EOF):
        with lab.login(capabilities=capabilities | more) as session:
            assert session.query("SELECT 'with', 1") == [[b"with", b"1"]] and session.definitions_follow
            session.query("SET resultset_metadata = NONE")
            assert session.query("SELECT 'without', 1") == [[b"without", b"1"]] and not session.definitions_follow
            assert session.query("SELECT 1 FROM DUAL WHERE 1 = 0") == [] and not session.definitions_follow
            statement, parameters, columns = session.prepare("SELECT CAST(? AS CHAR)")
            assert (parameters, columns) == (1, 1) and not session.definitions_follow
            assert session.execute(statement, [b"one"]) == [b"\0\0\x03one"] and not session.definitions_follow
            statement, _, _ = session.prepare("SELECT 7")
            assert session.execute_with_cursor(statement) & 0x40 and not session.definitions_follow
            session.command(STMT_FETCH, struct.pack("<II", statement, 2))
            assert len(session.read_rows()[0]) == 1
        with lab.login(capabilities=capabilities | more) as next_session:  # on the same server connection, as a rule
            assert next_session.query("SELECT @@resultset_metadata") == [[b"FULL"]] and next_session.definitions_follow
    with lab.login() as session, pytest.raises(ServerError) as error:
        session.query("SET resultset_metadata = NONE")
    assert error.value.code == 3640, "the server's own answer to a client without the capability"


@covers("stmt_bulk_execute", "MARIADB STMT_BULK_OPERATIONS")
def test_bulk_execution(lab, kind):
    """test_connectors.py has more of it."""
    if kind == "mysql":
        return
    mark = lab.audit_mark()
    with lab.login("writer", capabilities=(USUAL & ~1) | MARIADB_BULK_OPERATIONS) as session:
        session.query("CREATE TEMPORARY TABLE bulk (id INT AUTO_INCREMENT PRIMARY KEY, a VARCHAR(9) DEFAULT 'preset', b BLOB)")
        statement, _, _ = session.prepare("INSERT INTO bulk (a, b) VALUES (?, ?)")
        ok = session.bulk_execute(statement, [[b"one", None], ["default", b"two"], ["ignore", b"\xff"]])
        assert ok[:2] == b"\0\3"
        assert session.bulk_execute(0xFFFFFFFF, [[b"four", b"4"]], flags=0)[:2] == b"\0\1"
        assert session.query("SELECT a FROM bulk ORDER BY id") == [[b"one"], [b"preset"], [b"preset"], [b"four"]]
        collides, _, _ = session.prepare("INSERT INTO bulk (id, a) VALUES (?, ?)")
        with pytest.raises(ServerError) as error:
            session.bulk_execute(collides, [[b"90", b"x"], [b"1", b"y"], [b"91", b"z"]])
        assert error.value.code == 1062
        for flags, rows, code in ((64 | 128, [[b"5", b"5"]], 1047), (1 | 128, [[b"5", b"5"]], 1835), (128, [[b"5"]], 1835)):
            with pytest.raises(ServerError) as refusal:
                session.bulk_execute(statement, rows, flags, types=[253, 253])
            assert refusal.value.code == code and "Sallyport" in str(refusal.value)
        unprepared, _, _ = session.prepare("DO ?")
        with pytest.raises(ServerError) as error:
            session.bulk_execute(unprepared, [[b"1"]])
        assert error.value.code == 1295, "the server's"
        usable(session)
    record = lab.wait_for_record(mark, type="command", command="stmt_bulk_execute")
    assert record["parameter_types"] == [253, 253] and record["text"].startswith("INSERT INTO bulk")
    assert record["parameter_rows"] == [["one", None], [{"default": True}, "two"], [{"ignore": True}, {"value_base64": "/w=="}]]
    assert lab.wait_for_record(mark, type="outcome", of=record["seq"])["affected_rows"] == 3


def test_a_bulk_execution_of_more_than_one_frame(lab, kind):
    if kind == "mysql":
        return
    before = lab.ask_root("SELECT @@GLOBAL.max_allowed_packet")[0][0]
    lab.ask_root("SET GLOBAL max_allowed_packet = 67108864")
    try:
        with lab.login("writer", user="shop.writer", capabilities=(USUAL & ~1) | MARIADB_BULK_OPERATIONS) as session:
            session.query("CREATE TEMPORARY TABLE bulk (a MEDIUMTEXT)")
            statement, _, _ = session.prepare("INSERT INTO bulk VALUES (?)")
            ok = session.bulk_execute(statement, [[b"x" * 3_000_000]] * 7)
            assert ok[:2] == b"\0\7"
            assert session.query("SELECT COUNT(*), SUM(LENGTH(a)) FROM bulk") == [[b"7", b"21000000"]]
    finally:
        lab.ask_root(f"SET GLOBAL max_allowed_packet = {before}")


def test_bulk_executions_are_bounded(lab, kind):
    if kind == "mysql":
        return
    with lab.login("writer", capabilities=(USUAL & ~1) | MARIADB_BULK_OPERATIONS) as session:
        statement, _, _ = session.prepare("INSERT INTO customers (name, email) VALUES (?, ?)")
        with pytest.raises(ServerError) as refusal:
            session.command(0xFA, struct.pack("<IHHH", statement, 128, 253, 253) + b"\1" * (2 * (1 << 21) + 2))
            session.receive_ok()
        assert "[bulk_too_large]" in str(refusal.value)
        usable(session)


@covers("MARIADB BULK_UNIT_RESULTS")
def test_unit_results_are_offered_by_the_version_that_a_listener_greets_with(lab, kind):
    """A server of the version behind it is due: the one here is older."""
    if kind == "mysql":
        return
    with Client(lab.port) as client:
        assert not client.read_greeting().capabilities & MARIADB_BULK_UNIT_RESULTS
    with Client(lab.listener_port("openid")) as client:
        client.login("shop", lab.token("reporter"), lab.ca, capabilities=(USUAL & ~1) | MARIADB_BULK_OPERATIONS)
        assert client.greeting.capabilities & MARIADB_BULK_UNIT_RESULTS
        usable(client)
    with Client(lab.listener_port("openid")) as client, pytest.raises(ServerError) as refusal:
        client.login("shop", lab.token("reporter"), lab.ca,
                     capabilities=(USUAL & ~1) | MARIADB_BULK_OPERATIONS | MARIADB_BULK_UNIT_RESULTS)
    assert "[backend_incompatible]" in str(refusal.value)


@covers("MARIADB CACHE_METADATA")
def test_definitions_that_a_client_knows_are_left_out(lab, kind):
    if kind == "mysql":
        return
    for more in (0, CLIENT_DEPRECATE_EOF):
        mark = lab.audit_mark()
        with lab.login("writer", capabilities=(USUAL & ~1) | MARIADB_CACHE_METADATA | CLIENT_PS_MULTI_RESULTS | more) as session:
            session.query("CREATE TEMPORARY TABLE cached (a INT, b VARCHAR(20))")
            session.query("INSERT INTO cached VALUES (1, 'x')")
            statement, _, columns = session.prepare("SELECT b FROM cached")
            row = [b"\0\0\1x"]
            followed = []
            for change in ("DO 1", "ALTER TABLE cached MODIFY b VARCHAR(30)", "DO 1", "ALTER TABLE cached DROP a", "DO 1"):
                assert session.execute(statement) == row
                followed.append(session.definitions_follow)
                session.query(change)
            assert followed == [False, False, True, False, False]
            assert session.execute_with_cursor(statement) & 0x40 and not session.definitions_follow
            session.command(STMT_FETCH, struct.pack("<II", statement, 9))
            assert session.read_rows()[0] == row
            assert session.query("SELECT b FROM cached") == [[b"x"]] and session.definitions_follow
        records = lab.audit(mark)
        number = next(one["session"] for one in records if one.get("text") == "SELECT b FROM cached")
        outcomes = [one["bytes"] for one in records
                    if one["type"] == "outcome" and one["session"] == number and one["rows"] == 1]
        assert outcomes[0] < outcomes[2]


@covers("QUERY_ATTRIBUTES")
def test_query_attributes_hold_for_each_statement_of_a_text(lab, kind):
    """As MySQL itself has it: measured there, each of several statements sees them."""
    if kind == "mariadb":
        return
    lab.ask_root("INSTALL COMPONENT 'file://component_query_attributes'")
    try:
        mark = lab.audit_mark()
        with lab.login(capabilities=USUAL | CLIENT_QUERY_ATTRIBUTES | CLIENT_MULTI_STATEMENTS) as session:
            head = b"\1\1\0\1" + struct.pack("<H", 253) + lenenc(b"trace") + lenenc(b"abc")
            ask = "SELECT mysql_query_attribute_string('trace')"
            session.command(QUERY, head + f"{ask}; SELECT 'between'; {ask}".encode())
            assert [session.read_result() for _ in range(3)] == [[[b"abc"]], [[b"between"]], [[b"abc"]]]
            session.command(QUERY, b"\0\1" + f"{ask}; {ask}".encode())
            assert [session.read_result() for _ in range(2)] == [[[None]], [[None]]]
        parts = [one for one in lab.audit(mark) if one["type"] == "command" and "part" in one]
        assert [len(one.get("query_attributes", [])) for one in parts] == [1, 1, 1, 0, 0]
    finally:
        lab.ask_root("UNINSTALL COMPONENT 'file://component_query_attributes'")


@covers("MARIADB EXTENDED_METADATA")
def test_extended_metadata(lab, kind):
    if kind == "mysql":
        return
    lab.ask_root("CREATE OR REPLACE TABLE shop.extended (j JSON)")
    try:
        with lab.login(capabilities=(USUAL & ~1) | 1 << 35) as session:
            session.command(QUERY, b"SELECT j FROM extended")
            session.receive_ok()
            assert b"json" in session.receive_ok()
    finally:
        lab.ask_root("DROP TABLE shop.extended")


MARIADB_PROGRESS = 1 << 32


@pytest.fixture
def slow_to_alter(lab, kind):
    """Copying this table takes some seconds; the server reports each second."""
    if kind == "mysql":
        pytest.skip("MariaDB's")
    before = lab.ask_root("SELECT @@GLOBAL.progress_report_time")[0][0]
    lab.ask_root("CREATE OR REPLACE TABLE shop.slow (id INT PRIMARY KEY)")
    lab.ask_root("INSERT INTO shop.slow (id) SELECT seq FROM shop.seq_1000_to_1999")
    lab.ask_root("GRANT ALL PRIVILEGES ON shop.slow TO shop_writer")
    lab.ask_root("SET GLOBAL progress_report_time = 1")
    yield "ALTER TABLE slow ADD digest CHAR(128) AS (SHA2(REPEAT(id, 400000), 512)) STORED, ALGORITHM=COPY"
    lab.ask_root(f"SET GLOBAL progress_report_time = {before}")
    lab.ask_root("REVOKE ALL PRIVILEGES ON shop.slow FROM shop_writer")
    lab.ask_root("DROP TABLE shop.slow")


@covers("MARIADB PROGRESS")
def test_progress_is_reported_to_a_client_that_asks(lab, slow_to_alter):
    with lab.login("writer", capabilities=(USUAL & ~1) | MARIADB_PROGRESS) as session:
        session.command(QUERY, slow_to_alter.encode())
        reports = []
        packet = session.receive()
        while packet[:3] == b"\xff\xff\xff":
            reports.append(packet)
            packet = session.receive()
        assert packet[:1] == b"\0", packet
        assert session.sequence == len(reports) + 2
        assert reports
        for texts, stage, stages in (report[3:6] for report in reports):
            assert texts == 1 and 1 <= stage <= stages
        positions = [(report[4], int.from_bytes(report[6:9], "little")) for report in reports]
        assert positions == sorted(positions)
        assert all(report[10:] and len(report) == 10 + report[9] for report in reports)
        usable(session)


@covers("MARIADB PROGRESS")
def test_progress_amid_a_text_of_several_statements_keeps_the_packets_in_order(lab, slow_to_alter):
    """Each statement is sent by itself, and a report is no end of one: what stands behind is answered after it."""
    capabilities = (USUAL & ~1) | MARIADB_PROGRESS | CLIENT_MULTI_STATEMENTS
    mark = lab.audit_mark()
    with lab.login("writer", capabilities=capabilities) as session:
        session.command(QUERY, f"{slow_to_alter}; DELETE FROM no_such_table; SELECT 1".encode())
        packets = [session.receive()]
        while packets[-1][:3] == b"\xff\xff\xff":
            packets.append(session.receive())
        assert len(packets) > 1 and packets[-1][:1] == b"\0"
        error = session.receive()
        assert error[:1] == b"\xff" and int.from_bytes(error[1:3], "little") in (1142, 1146), error
        assert session.sequence == len(packets) + 2
        usable(session)
    parts = [one["part"] for one in lab.audit(mark) if one["type"] == "command" and "part" in one]
    assert parts == [1, 2], "what stands behind the error is not sent"


def test_no_progress_is_reported_to_a_client_that_does_not_ask(lab, slow_to_alter):
    with lab.login("writer", capabilities=USUAL & ~1) as session:
        session.command(QUERY, slow_to_alter.encode())
        assert session.receive()[:1] == b"\0" and session.sequence == 2
        usable(session)


@covers("CONNECT_ATTRS")
def test_connection_attributes_are_on_record_and_the_server_gets_the_gateways(lab):
    mark = lab.audit_mark()
    with Client(lab.port) as session:
        session.read_greeting()
        session.start_tls(lab.ca)
        attributes = lenenc(b"program_name") + lenenc(b"an agent's")
        session.send(session.handshake_response("shop", b"\1" * 32, capabilities=USUAL | 1 << 11 | 1 << 20) + lenenc(attributes))
        session.finish_authentication(lab.token("reporter"))
        usable(session)
    record = lab.wait_for_record(mark, type="login_accepted")
    assert {"name": "program_name", "value": "an agent's"} in record["client_attributes"]


@covers("LONG_PASSWORD", "LONG_FLAG", "NO_SCHEMA", "ODBC", "PROTOCOL_41", "INTERACTIVE", "IGNORE_SIGPIPE", "TRANSACTIONS",
        "SECURE_CONNECTION")
@pytest.mark.parametrize("bit", [0, 2, 4, 6, 10, 12, 13])
def test_flags_without_an_effect_of_the_gateways_pass(lab, bit):
    with lab.login(capabilities=USUAL | 1 << bit) as session:
        usable(session)


@covers("SSL", "PLUGIN_AUTH", "PLUGIN_AUTH_LENENC_CLIENT_DATA")
def test_flags_that_a_login_needs(lab):
    for without, said in ((1 << 11, "tls_required"), (1 << 19, "driver_too_old")):
        with Client(lab.port) as session:
            session.read_greeting()
            if without == 1 << 11:
                session.send(session.handshake_response("shop", b"\1" * 32))
            else:
                session.start_tls(lab.ca)
                session.send(session.handshake_response("shop", b"\1" * 32, capabilities=(USUAL | 1 << 11) & ~without))
            with pytest.raises(ServerError) as refusal:
                session.receive_ok()
            assert said in str(refusal.value)


# Pipelines


def test_commands_sent_before_the_answer_of_the_last_are_answered_in_order(lab):
    with lab.login() as session:
        for number in range(50):
            session.command(QUERY, f"SELECT {number}".encode())
        for number in range(50):
            assert session.read_result() == [[str(number).encode()]]


# COM_CHANGE_USER


@covers("change_user")
def test_change_user_is_a_login_as_the_first(lab):
    mark = lab.audit_mark()
    with lab.login("reporter") as session:
        session.query("SET @kept = 1")
        first = session.query("SELECT CONNECTION_ID()")
        session.change_user("shop", lab.token("writer"))
        assert session.query("SELECT @kept, CURRENT_USER() LIKE '%shared%', DATABASE()") == [[None, b"1", b"shop"]]
        second = session.query("SELECT CONNECTION_ID()")
        assert first != second
        session.change_user("shop", lab.token("reporter"), schema="information_schema")
        assert session.query("SELECT DATABASE()") == [[b"information_schema"]]
    begun = [record for record in lab.audit(mark) if record["type"] == "session_start"]
    assert [record["account"] for record in begun] == ["reporter", "writer", "reporter"]
    assert len({record["session"] for record in begun}) == 3
    lab.wait_for_record(mark, type="session_end", session=begun[2]["session"])
    for before, after in zip(begun, begun[1:]):
        assert lab.wait_for_record(mark, type="session_end", session=before["session"])["reason"] == "user_changed"
        assert lab.wait_for_record(mark, type="login_accepted", session=after["session"])["previous_session"] == before["session"]


@pytest.mark.parametrize("given, code", [
    (lambda lab: token(lab.keys["es-1"], claims(iat=int(time.time()) - 900, exp=int(time.time()) - 600)), "token_expired"),
    (lambda lab: lab.token("reporter")[:-8] + "AAAAAAAA", "token_signature_invalid"),
    (lambda lab: "no token at all", "token_malformed")], ids=["expired", "forged", "none"])
def test_a_change_of_user_without_a_good_token_ends_the_connection(lab, given, code):
    mark = lab.audit_mark()
    with lab.login("reporter") as session:
        with lab.server_logins() as logins:
            with pytest.raises(ServerError) as refusal:
                session.change_user("shop", given(lab))
            assert refusal.value.code == 1045 and code in str(refusal.value)
            with pytest.raises(Closed):
                session.receive()
            assert lab.wait_for_record(mark, type="login_refused", reason=code)
        assert not logins
    assert [one["type"] for one in lab.audit(mark)].count("session_start") == 1, "a session began without a good token"


def test_a_login_at_the_server_does_not_go_unnoticed_by_these_tests(lab):
    """Also one that the server refuses: the connection has a wrong password."""
    with lab.server_logins() as logins, pytest.raises(ServerError):
        lab.login("reporter", user="wrong_password")
    assert any("sallyport_reporter" in one for one in logins)


def test_a_change_of_user_to_what_is_not_granted_ends_the_connection(lab):
    with lab.login("reporter") as session:
        with pytest.raises(ServerError) as refusal:
            session.change_user("nowhere", lab.token("reporter"))
        assert "connection_not_granted" in str(refusal.value)
        assert session.wait_for_end() is None


def test_a_change_of_user_rolls_back_and_drops_statements(lab):
    lab.ask_root("DROP TABLE IF EXISTS shop.changing")
    lab.ask_root("CREATE TABLE shop.changing (a INT)")
    try:
        with lab.login("writer") as session:
            session.query("CREATE TEMPORARY TABLE passing (a INT)")
            statement, _, _ = session.prepare("SELECT 1")
            session.query("START TRANSACTION")
            session.query("INSERT INTO changing VALUES (1)")
            session.change_user("shop", lab.token("writer"))
            assert session.query("SELECT COUNT(*) FROM changing") == [[b"0"]]
            for gone in (lambda: session.query("SELECT * FROM passing"), lambda: session.execute(statement)):
                with pytest.raises(ServerError):
                    gone()
            usable(session)
    finally:
        lab.ask_root("DROP TABLE shop.changing")


NODE_CHANGES_USER = """
  const mysql = require('mysql2/promise'); const fs = require('fs');
  (async () => {
    const [port, ca, first, second] = process.argv.slice(2);
    const connection = await mysql.createConnection({host: '127.0.0.1', port: Number(port), user: 'shop', password: first,
                                                     ssl: {ca: fs.readFileSync(ca)}});
    await connection.changeUser({user: 'shop', password: second});
    const [rows] = await connection.query('SELECT CURRENT_USER() AS who');
    console.log(rows[0].who);
    await connection.end();
  })().catch(error => { console.log('failed: ' + error.message); process.exit(1); });
"""
PHP_CHANGES_USER = """<?php
  [, $port, $ca, $first, $second] = $argv;
  mysqli_report(MYSQLI_REPORT_ERROR | MYSQLI_REPORT_STRICT);
  $mysqli = mysqli_init();
  $mysqli->ssl_set(null, null, $ca, null, null);
  $mysqli->real_connect('127.0.0.1', 'shop', $first, null, (int)$port, null, MYSQLI_CLIENT_SSL);
  $mysqli->change_user('shop', $second, 'shop');
  echo $mysqli->query('SELECT CURRENT_USER()')->fetch_row()[0];
"""
PYTHON_CHANGES_USER = """
import sys, MySQLdb
port, ca, first, second = sys.argv[1:]
connection = MySQLdb.connect(host="127.0.0.1", port=int(port), user="shop", password=first, ssl={"ca": ca})
connection.change_user("shop", second, "shop")
cursor = connection.cursor()
cursor.execute("SELECT CURRENT_USER()")
print(cursor.fetchone()[0])
"""


@pytest.mark.parametrize("program, script", [(["node", "-"], NODE_CHANGES_USER), (["php", "--"], PHP_CHANGES_USER),
                                             ([sys.executable, "-B", "-"], PYTHON_CHANGES_USER)],
                         ids=["node mysql2", "php mysqli", "mysqlclient"])
def test_drivers_change_users_in_their_own_way(lab, program, script):
    """They send an answer to a question of their own, or none, and are switched."""
    packages = Path(os.environ.get("SALLYPORT_CACHE", REPOSITORY / ".cache")) / "node" / "node_modules"
    done = subprocess.run([*program, str(lab.port), lab.ca, lab.token("reporter"), lab.token("writer")], input=script, capture_output=True,
                          text=True, check=False, timeout=60, env=os.environ | {"NODE_PATH": str(packages)})
    assert "sallyport_shared" in done.stdout, done.stdout + done.stderr
