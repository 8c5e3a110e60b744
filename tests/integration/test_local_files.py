"""LOAD DATA LOCAL: a large file through both command line clients, and every way in which no file is handed out."""

import contextlib
import subprocess
import time

import pytest

from faulty_server import FaultyServer, answer_until, packet, read_packet
from laboratory import local_files_on, wait_until
from mysql_wire import CLIENT_LOCAL_FILES, CLIENT_MULTI_STATEMENTS, QUERY, USUAL, Closed, ServerError
from test_drivers import mysql_client

LOCAL = USUAL | CLIENT_LOCAL_FILES
LARGE_BYTES = 100 << 20
FLAT_BYTES = 24 << 20


def clients(lab):
    return {"mariadb": ["mariadb", "--no-defaults", "--ssl-verify-server-cert"],
            "mysql": [mysql_client()["MYSQL"], "--no-defaults", "--ssl-mode=VERIFY_IDENTITY"]}


@pytest.mark.parametrize("program", ["mariadb", "mysql"])
def test_a_large_file_is_loaded_by_a_command_line_client(lab, program, tmp_path):
    file, line = tmp_path / "large.csv", b"x" * 1023 + b"\n"
    with open(file, "wb") as out:
        for _ in range(LARGE_BYTES // (1 << 20)):
            out.write(line * 1024)
    mark = lab.audit_mark()
    lab.ask_root("DROP TABLE IF EXISTS shop.loaded")
    lab.ask_root("CREATE TABLE shop.loaded (a VARCHAR(1100)) ENGINE=" + ("Aria" if lab.kind == "mariadb" else "MyISAM"))
    try:
        with local_files_on(lab):
            before = lab.resident_bytes()
            client = subprocess.Popen([*clients(lab)[program], "--local-infile=1", "--host=127.0.0.1", f"--port={lab.port}", "--protocol=tcp",
                                       "--user=shop", f"--password={lab.token('writer')}", f"--ssl-ca={lab.ca}",
                                       f"--execute=LOAD DATA LOCAL INFILE '{file}' INTO TABLE shop.loaded"],
                                      stderr=subprocess.PIPE, text=True)
            most = before
            while client.poll() is None:
                most = max(most, lab.resident_bytes())
                time.sleep(0.02)
        assert client.returncode == 0, client.stderr.read()
        assert lab.ask_root("SELECT COUNT(*) FROM shop.loaded")[0][0] == LARGE_BYTES // 1024
        assert most - before < FLAT_BYTES, f"the gateway grew by {(most - before) >> 20} MiB"
    finally:
        lab.ask_root("DROP TABLE shop.loaded")
    assert lab.wait_for_record(mark, type="outcome", uploaded_bytes=LARGE_BYTES)["status"] == "ok"


def test_without_the_grant_the_server_refuses_it(lab):
    with local_files_on(lab), lab.login("reporter", capabilities=LOCAL) as session:
        with pytest.raises(ServerError) as refusal:
            session.load("LOAD DATA LOCAL INFILE 'f.csv' INTO TABLE customers", [])
        assert refusal.value.code in (1148, 3948, 4166)
        assert session.query("SELECT 1") == [[b"1"]]


@pytest.mark.parametrize("text", ["/*!50000 LOAD DATA LOCAL INFILE 'f.csv' INTO TABLE loaded */",
                                  "LOAD DATA LOCAL INFILE 'f''.csv' INTO TABLE loaded",
                                  "LOAD /*! DATA */ LOCAL INFILE 'f.csv' INTO TABLE loaded",
                                  'LOAD DATA LOCAL INFILE "f.csv" INTO TABLE loaded',
                                  "LOAD DATA LOCAL INFILE 'f\\0.csv' INTO TABLE loaded"])
def test_in_doubt_no_file_is_handed_out_and_the_session_goes_on(lab, text):
    mark = lab.audit_mark()
    with local_files_on(lab), lab.login("writer", capabilities=LOCAL) as session:
        session.query("CREATE TEMPORARY TABLE loaded (a INT)")
        with pytest.raises(ServerError) as refusal:
            session.command(QUERY, text.encode())
            session.receive_ok()
        assert "[local_file_refused]" in str(refusal.value)
        assert session.query("SELECT COUNT(*) FROM loaded") == [[b"0"]]
    assert lab.wait_for_record(mark, type="outcome", reason="local_file_refused")


@contextlib.contextmanager
def table_to_load(lab):
    """Gives the number of its rows, when the server has left the statement that loaded them."""
    lab.ask_root("DROP TABLE IF EXISTS shop.loaded")
    lab.ask_root("CREATE TABLE shop.loaded (a VARCHAR(1100)) ENGINE=InnoDB")

    def rows():
        loads = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'LOAD DATA%'"
        wait_until(lambda: lab.ask_root(loads)[0][0] == 0, what="the end of the statement")
        return lab.ask_root("SELECT COUNT(*) FROM shop.loaded")[0][0]
    try:
        with local_files_on(lab):
            yield rows
    finally:
        lab.ask_root("DROP TABLE shop.loaded")


def begin_load(session):
    session.command(QUERY, b"LOAD DATA LOCAL INFILE 'f.csv' INTO TABLE shop.loaded")
    assert session.receive_ok() == b"\xfbf.csv"


def is_ended_by_the_limit(lab, size):
    lab.ask_root("DELETE FROM shop.loaded")
    with lab.login("writer", capabilities=LOCAL) as session:
        begin_load(session)
        try:
            for _ in range(size // 1024):
                session.send(b"x" * 1023 + b"\n")
            session.send(b"")
            session.receive_ok()
            return False
        except (Closed, OSError):
            return True


def test_a_client_that_sends_without_end_is_ended_and_nothing_is_loaded(lab):
    mark = lab.audit_mark()
    with table_to_load(lab) as rows:
        before = lab.reload(lambda text: text.replace("{packet_bytes_max: 64MiB", "{packet_bytes_max: 64MiB, local_file_bytes_max: 1MiB"))
        try:
            wait_until(lambda: is_ended_by_the_limit(lab, 4 << 20), what="the new limit")
        finally:
            lab.reload(lambda _: before)
        assert lab.wait_for_record(mark, type="session_end", reason="local_file_too_large")
        assert rows() == 0


ENDS = {"a command": lambda session: session.command(QUERY, b"SELECT 1"),
        "the client's close": lambda session: session.close(),
        "a packet cut short": lambda session: (session.send_raw(b"\xff\x00\x00" + bytes([session.sequence]) + b"1\n"), session.close())}


@pytest.mark.parametrize("end", ENDS)
def test_a_file_that_breaks_off_is_not_loaded(lab, end):
    mark = lab.audit_mark()
    with table_to_load(lab) as rows:
        with lab.login("writer", capabilities=LOCAL) as session:
            begin_load(session)
            session.send(b"1\n" * 1000)
            ENDS[end](session)
            if end == "a command":
                assert session.wait_for_end() is None
        ended = lab.wait_for_record(mark, type="session_end", account="writer")
        assert ended["reason"] == ("client_violation" if end == "a command" else "client_closed")
        assert lab.wait_for_record(mark, type="outcome", status="aborted")["uploaded_bytes"] >= 2000
        assert rows() == 0


def test_a_text_of_several_statements_hands_out_no_file_but_those_it_names(lab):
    text = b"SELECT 1; LOAD DATA LOCAL INFILE 'f.csv' INTO TABLE shop.loaded"
    with table_to_load(lab) as rows, lab.login("writer", capabilities=LOCAL | CLIENT_MULTI_STATEMENTS) as session:
        session.command(QUERY, text)
        packets = [session.receive()]
        while packets[-1][:1] not in (b"\xff", b"\xfb"):
            packets.append(session.receive())
        if packets[-1][:1] == b"\xff":
            assert b"[local_file_refused]" in packets[-1]
            assert session.query("SELECT 1") == [[b"1"]]
            assert rows() == 0
        else:
            assert packets[-1] == b"\xfbf.csv"


def ask_for(file):
    return lambda connection: connection.sendall(packet(1, b"\xfb" + file))


@pytest.mark.parametrize("text, file", [("SELECT 'wanted'", b"/etc/passwd"), ("LOAD DATA LOCAL INFILE 'wanted' INTO TABLE t", b"/etc/passwd"),
                                        ("LOAD DATA LOCAL INFILE 'wanted' INTO TABLE t", b"wanted\0/etc/passwd")])
def test_a_rogue_server_gets_no_other_file(lab, text, file):
    mark = lab.audit_mark()
    with FaultyServer(int(lab.values["LAB_SPARE_PORT_7"]), lambda connection: answer_until(connection, b"wanted", ask_for(file))):
        with lab.login(user="faulty", capabilities=LOCAL) as session:
            session.command(QUERY, text.encode())
            with pytest.raises(ServerError) as ended:
                session.receive_ok()
            assert ended.value.code == 1152
    assert lab.wait_for_record(mark, type="session_end", reason="backend_violation")


def test_a_rogue_server_that_has_a_file_gets_no_second(lab):
    got = []

    def ask_twice(connection):
        ask_for(b"wanted")(connection)
        sequence, _ = read_packet(connection)
        sequence, _ = read_packet(connection)
        connection.sendall(packet(sequence + 1, b"\xfbwanted"))
        with contextlib.suppress(OSError):
            got.append(read_packet(connection))
    mark = lab.audit_mark()
    with FaultyServer(int(lab.values["LAB_SPARE_PORT_7"]), lambda connection: answer_until(connection, b"wanted", ask_twice)):
        with lab.login(user="faulty", capabilities=LOCAL) as session:
            with pytest.raises(ServerError) as ended:
                assert session.load("LOAD DATA LOCAL INFILE 'wanted' INTO TABLE t", [b"1"])
            assert ended.value.code == 1152
    assert lab.wait_for_record(mark, type="session_end", reason="backend_violation")
    assert not got


def test_a_server_may_not_ask_for_a_file_at_the_execution_of_a_statement(lab):
    """MariaDB can prepare LOAD DATA: the text that was decided about is then another command's."""
    if lab.kind == "mysql":
        return
    with local_files_on(lab), lab.login("writer", capabilities=LOCAL) as session:
        session.query("CREATE TEMPORARY TABLE loaded (a INT)")
        statement, _, _ = session.prepare("LOAD DATA LOCAL INFILE 'f.csv' INTO TABLE loaded")
        with pytest.raises(ServerError) as refusal:
            session.send_execute(statement)
            session.receive_ok()
        assert "[local_file_refused]" in str(refusal.value)
        assert session.query("SELECT COUNT(*) FROM loaded") == [[b"0"]]
