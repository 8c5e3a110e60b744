"""KILL: a session may end or interrupt those of its own service account and database login, and no other."""

import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import time

import pytest

from laboratory import wait_until
from mysql_wire import CLIENT_MULTI_STATEMENTS, QUERY, STMT_PREPARE, USUAL, Closed, ServerError

PROCESS_KILL = 12


def refused(session, sql):
    with pytest.raises(ServerError) as error:
        session.query(sql)
    return error.value


def sleeps(lab):
    return int(lab.ask_root("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(5%)%'"
                            " AND info NOT LIKE '%processlist%'")[0][0])


def start_sleeping(lab, session):
    session.command(QUERY, b"SELECT SLEEP(50)")
    wait_until(lambda: sleeps(lab) > 0, what="the statement runs")


@pytest.mark.parametrize("numbering", ["gateway", "server"])
def test_a_query_of_the_same_account_is_interrupted(lab, numbering):
    mark = lab.audit_mark()
    with lab.login() as victim, lab.login() as killer:
        number = victim.greeting.connection_id if numbering == "gateway" else int(victim.query("SELECT CONNECTION_ID()")[0][0])
        assert (number >= 1 << 31) == (numbering == "gateway")
        start_sleeping(lab, victim)
        assert killer.query(f"KILL QUERY {number}") == []
        try:
            assert victim.read_result() == [[b"1"]]
        except ServerError as error:
            assert error.code == 1317
        assert victim.query("SELECT 5") == [[b"5"]]
        assert killer.query("SELECT 6") == [[b"6"]]
    records = lab.audit(mark)
    started = [record["session"] for record in records if record["type"] == "session_start"]
    kill, = [record for record in records if record["type"] == "command" and "KILL" in record.get("text", "")]
    assert {kill["target_session"], kill["session"]} == set(started)


@pytest.mark.parametrize("how", ["statement", "command", "several"])
def test_a_connection_of_the_same_account_is_ended(lab, how):
    with lab.login() as victim, lab.login(capabilities=USUAL | CLIENT_MULTI_STATEMENTS) as killer:
        number = victim.greeting.connection_id
        if how == "command":
            killer.command(PROCESS_KILL, struct.pack("<I", number))
            assert killer.receive_ok()[:1] == b"\x00"
        else:
            killer.query(f"KILL {number}" if how == "statement" else f"KILL {number}; DO 1")
            if how == "several":
                assert killer.receive_ok()[:1] == b"\x00"
        with pytest.raises((ServerError, Closed)):
            for _ in range(100):
                victim.query("SELECT 1")
                time.sleep(0.05)
        assert killer.query("SELECT 6") == [[b"6"]]


def test_a_session_ends_itself(lab):
    with lab.login() as session:
        with pytest.raises((ServerError, Closed)):
            session.query(f"KILL {session.greeting.connection_id}")
            session.query("SELECT 1")


def test_other_connections_are_out_of_reach(lab):
    """Those of another account, of nobody, and the server's own."""
    server_ids = [row[0] for row in lab.ask_root("SELECT id FROM information_schema.processlist")]
    with lab.login("writer") as other, lab.login() as killer:
        own = int(other.query("SELECT CONNECTION_ID()")[0][0])
        # A session's own connection, which it may have from the pool, is within its reach.
        killers_own = int(killer.query("SELECT CONNECTION_ID()")[0][0])
        server_ids = [number for number in server_ids if number != killers_own]
        for number in [other.greeting.connection_id, own, 0, 1, (1 << 31) + 12345678, 1 << 32, (1 << 64) - 1, *server_ids]:
            for form in ("KILL {}", "KILL QUERY {}", "/*!50000 KILL */ CONNECTION {}"):
                error = refused(killer, form.format(number))
                assert error.code == 1094 and "kill_target_unknown" in error.message, (form, number, str(error))
            if number < 1 << 32:
                killer.command(PROCESS_KILL, struct.pack("<I", number))
                with pytest.raises(ServerError) as answer:
                    killer.receive_ok()
                assert answer.value.code == 1094
        assert other.query("SELECT 5") == [[b"5"]]
        assert killer.query("SELECT 6") == [[b"6"]]


@pytest.mark.parametrize("form", [
    "KILL {0}+0", "KILL QUERY 1*{0}", "KILL '{0}'", "KILL 0x{0:x}", "KILL {0}.0", "KILL {0}e0", "KILL ({0})", "KILL @@pseudo_thread_id",
    "KILL QUERY ID {0}", "KILL USER root@localhost", "KILL CONNECTION_ID()", "KILL {0} {0}", "KILL {0}; KILL {0}",
    "BEGIN NOT ATOMIC KILL {0}; END", "IF 1 THEN KILL {0}; END IF", "SET STATEMENT max_statement_time = 1 FOR KILL {0}",
    "/*!50000 SELECT 1; */ KILL {0}", "/*M! KILL */ CONNECTION_ID()", "CREATE PROCEDURE shop.k() KILL {0}", "EXPLAIN KILL {0}", "KILL {0}\0\0",
    "SELECT 1, \0 KILL {0}", "-- x\nKILL HARD QUERY {0}-0"])
@pytest.mark.parametrize("several", [0, CLIENT_MULTI_STATEMENTS])
def test_no_other_form_reaches_the_server(lab, form, several):
    with lab.login() as victim, lab.login(capabilities=USUAL | several) as killer:
        number = int(victim.query("SELECT CONNECTION_ID()")[0][0])
        text = form.format(number)
        if several and form == "KILL {0}; KILL {0}":
            pytest.skip("two statements of the plain form")
        with pytest.raises(ServerError) as error:
            killer.query(text)
        if lab.kind == "mariadb" or not form.startswith("/*M!"):
            codes = ("kill_form_not_supported", "statements_not_separable", "statement_not_understood")
            assert any(code in error.value.message for code in codes), str(error.value)
        assert victim.query("SELECT 5") == [[b"5"]]
        assert killer.query("SELECT 6") == [[b"6"]]


@pytest.mark.parametrize("text", ["KILL ?", "KILL QUERY 1", "KILL QUERY ?", "/*! KILL */ 5"])
def test_kill_is_not_prepared(lab, text):
    with lab.login() as session:
        session.command(STMT_PREPARE, text.encode())
        with pytest.raises(ServerError) as error:
            session.receive_ok()
        assert error.value.code == 1235 and "kill_form_not_supported" in error.value.message
        assert session.query("SELECT 'kill', 1 AS `kill`") == [[b"kill", b"1"]]


def clients():
    return [name for name in ("mariadb", "mysql") if shutil.which(name)]


@pytest.mark.parametrize("name", clients())
def test_control_c_interrupts_a_statement_of_the_stock_clients(lab, name):
    program = lab.values["LAB_CLIENT"] if name == "mysql" and lab.kind == "mysql" else shutil.which(name)
    secure = [f"--ssl-ca={lab.ca}"] + (["--ssl-verify-server-cert"] if "mariadb" in os.path.realpath(program) else [])
    parent, child = pty.openpty()
    client = subprocess.Popen(
        [program, "--no-defaults", "--host=127.0.0.1", f"--port={lab.port}", "--user=shop", f"--password={lab.token('reporter')}",
         "--default-character-set=utf8mb4", *secure, "shop"],
        stdin=child, stdout=child, stderr=child, start_new_session=True, close_fds=True)
    os.close(child)
    seen = b""

    def read(until, seconds=20):
        nonlocal seen
        deadline = time.monotonic() + seconds
        while until not in seen:
            ready, _, _ = select.select([parent], [], [], max(0, deadline - time.monotonic()))
            assert ready, seen.decode(errors="replace")
            seen += os.read(parent, 4096)

    try:
        read(b"> ")
        seen = b""
        os.write(parent, b"SELECT SLEEP(55) AS slept;\n")
        wait_until(lambda: sleeps(lab) > 0, what="the statement runs")
        os.kill(client.pid, signal.SIGINT)
        wait_until(lambda: sleeps(lab) == 0, what="the statement is interrupted")
        seen = b""
        os.write(parent, b"SELECT CONCAT('still ', 'here');\nquit\n")
        read(b"still here")
        assert client.wait(20) == 0
    finally:
        client.kill()
        client.wait()
        os.close(parent)
