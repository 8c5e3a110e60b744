"""Side connections: what a session leaves running is ended, a statement that takes too long is stopped and its session goes on."""

import contextlib
import os
import signal
import struct
import subprocess
import sys
import threading
import time

import pytest

from faulty_server import answer_until, greeting, log_in, packet, read_packet
from forge import claims, token
from laboratory import Laboratory, local_files_on, wait_until
from mysql_wire import (CLIENT_DEPRECATE_EOF, CLIENT_LOCAL_FILES, CLIENT_MULTI_STATEMENTS, QUERY, USUAL, Closed, ServerError)
from test_bad_input import faulty

HEAVY = "SELECT COUNT(*) FROM information_schema.columns a, information_schema.columns b, information_schema.columns c"
LARGE = "SELECT REPEAT('x', 1000) FROM information_schema.columns a, information_schema.columns b"
SOON = 2.0


def impatient(lab, user="shop.writer", **options):
    """A session whose statements may take a second."""
    return lab.login(user=user, token=token(lab.keys["es-1"], claims(sub="agent-impatient", client_id="agent-impatient")), **options)


def running(lab, marker):
    return int(lab.ask_root("SELECT COUNT(*) FROM information_schema.processlist WHERE command <> 'Sleep' AND "
                            f"info LIKE '%{marker}%' AND id <> CONNECTION_ID()")[0][0])


def marked(statement):
    marker = f"marker {os.urandom(6).hex()}"
    if statement.startswith("DO "):
        return f"{statement}, '{marker}'", marker
    return f"{statement}{'' if ' FROM ' in statement else ' FROM DUAL'} WHERE '{marker}' > ''", marker


def begin(lab, session, statement):
    """Runs it, until the server does; returns its marker."""
    text, marker = marked(statement)
    session.command(QUERY, text.encode())
    wait_until(lambda: running(lab, marker) == 1, what="the statement runs")
    return marker


def gone(lab, marker):
    wait_until(lambda: running(lab, marker) == 0, SOON, "the statement's end at the server")


def settled(lab):
    def is_settled():
        metrics = lab.metrics()
        return metrics["sallyport_side_connections_open"] == 0 and metrics["sallyport_kills_waiting"] == 0
    wait_until(is_settled, 10, "the end of all side connections")
    return lab.metrics()


def stopped(session, statement):
    """Runs a statement that is stopped; returns how long it took."""
    began = time.monotonic()
    with pytest.raises(ServerError) as error:
        session.query(statement)
    assert error.value.code == 3024 and "[statement_timeout]" in error.value.message, str(error.value)
    return time.monotonic() - began


@pytest.mark.parametrize("statement", ["SELECT SLEEP(30)", HEAVY])
def test_what_a_killed_client_left_running_is_ended(lab, kind, statement):
    mark = lab.audit_mark()
    before = settled(lab)
    text, marker = marked(statement)
    program = ("import sys; sys.path[:0] = sys.argv[1:2]; from mysql_wire import Client; client = Client(int(sys.argv[2]), timeout=60);"
               "client.login('shop', sys.argv[3], sys.argv[4]); client.query(sys.argv[5])")
    client = subprocess.Popen([sys.executable, "-B", "-c", program, os.path.dirname(__file__), str(lab.port), lab.token("reporter"), lab.ca,
                               text])
    wait_until(lambda: running(lab, marker) == 1, what="the statement runs")
    client.send_signal(signal.SIGKILL)
    client.wait()
    gone(lab, marker)
    assert settled(lab)["sallyport_kills_total"] == before["sallyport_kills_total"] + 1
    kill = lab.wait_for_record(mark, type="kill", reason="client_closed")
    assert lab.wait_for_record(mark, type="kill_outcome", session=kill["session"], of=kill["seq"])["status"] == "done"
    assert ("KILL SOFT CONNECTION" if kind == "mariadb" else "KILL QUERY") in kill["text"]
    of_session = [record for record in lab.audit(mark) if record["session"] == kill["session"]]
    assert [record["seq"] for record in of_session] == list(range(1, len(of_session) + 1))


def test_what_runs_when_the_token_expires_is_ended(lab):
    session = lab.login(token=lab.token("reporter", "--ttl", "3"))
    marker = begin(lab, session, "SELECT SLEEP(30)")
    error = session.wait_for_end()
    assert "[token_expired]" in error.message
    gone(lab, marker)
    session.close()


def test_what_runs_when_the_account_is_disabled_is_ended(lab):
    session = lab.login(token=lab.token("revocable"))
    marker = begin(lab, session, HEAVY)
    before = lab.reload(lambda text: text.replace("disabled: false # of revocable", "disabled: true # of revocable"))
    try:
        assert "[account_disabled]" in session.wait_for_end().message
        gone(lab, marker)
    finally:
        lab.reload(lambda _: before)
        session.close()


@pytest.mark.ends_gateway
def test_what_runs_when_the_gateway_stops_is_ended(kind, tmp_path):
    lab = Laboratory(tmp_path / "lab", kind)
    try:
        sessions = [lab.login() for _ in range(3)]
        markers = [begin(lab, session, "SELECT SLEEP(50)") for session in sessions]
        os.kill(lab.pid, signal.SIGTERM)
        wait_until(lambda: "draining" in lab.gateway_log(), what="the drain")
        os.kill(lab.pid, signal.SIGTERM)  # at once, not after limits.drain_timeout
        wait_until(lambda: not lab.alive(), 10, "the gateway's end")
        for marker in markers:
            gone(lab, marker)
        for session in sessions:
            assert "[drained]" in session.wait_for_end().message
            session.close()
        kills = [record for record in lab.audit() if record["type"] == "kill_outcome"]
        assert [record["status"] for record in kills] == ["done"] * 3
    finally:
        lab.close()


def test_a_client_that_takes_nothing_of_a_large_result_leaves_nothing_running(lab):
    session = lab.login()
    marker = begin(lab, session, LARGE)
    session.close()
    gone(lab, marker)


@pytest.mark.parametrize("eof", [0, CLIENT_DEPRECATE_EOF])
@pytest.mark.parametrize("statement", ["SELECT SLEEP(30)", HEAVY, LARGE, "DO SLEEP(30)", "SELECT GET_LOCK('held', 30)"])
def test_a_statement_that_takes_too_long_is_stopped_and_the_session_goes_on(lab, statement, eof):
    lab.root.cursor().execute("SELECT GET_LOCK('held', 1)")
    mark = lab.audit_mark()
    try:
        with impatient(lab, capabilities=USUAL | eof) as session:
            prepared, _, _ = session.prepare("SELECT 41 + ?")
            session.query("SET @kept = 7")
            text, marker = marked(statement)
            assert 0.9 < stopped(session, text) < 1 + SOON
            gone(lab, marker)
            assert session.query("SELECT @kept") == [[b"7"]]
            assert session.execute(prepared, [b"1"])
            assert 0.9 < stopped(session, text) < 1 + SOON, "a second time"
            assert session.query("SELECT @kept") == [[b"7"]]
    finally:
        lab.root.cursor().execute("DO RELEASE_LOCK('held')")
    outcome = lab.wait_for_record(mark, type="outcome", reason="statement_timeout")
    assert outcome["status"] == "error" and outcome["error_code"] == 3024
    kill = lab.wait_for_record(mark, type="kill", of=outcome["of"], session=outcome["session"])
    assert lab.wait_for_record(mark, type="kill_outcome", of=kill["seq"], session=kill["session"])["status"] == "done"
    assert not [record for record in lab.audit(mark) if record["type"] == "session_end" and record["reason"] == "statement_not_stopped"]


def test_a_prepared_statement_is_stopped_and_can_be_used_again(lab):
    with impatient(lab) as session:
        statement, _, _ = session.prepare("SELECT SLEEP(?), 5")
        for _ in range(2):
            with pytest.raises(ServerError) as error:
                session.execute(statement, [b"30"])
            assert "[statement_timeout]" in error.value.message
            assert session.execute(statement, [b"0"])
        assert session.query("SELECT 6") == [[b"6"]]


def test_a_statement_is_stopped_over_a_unix_socket(lab):
    with impatient(lab, "by_socket") as session:
        text, marker = marked("SELECT SLEEP(30)")
        stopped(session, text)
        gone(lab, marker)
        assert session.query("SELECT 5") == [[b"5"]]


def test_a_transaction_outlasts_a_statement_that_is_stopped(lab):
    lab.ask_root("DROP TABLE IF EXISTS shop.stopped")
    lab.ask_root("CREATE TABLE shop.stopped (id INT PRIMARY KEY, v INT) ENGINE=InnoDB")
    lab.ask_root("INSERT INTO shop.stopped VALUES (1, 0), (2, 0)")
    lab.ask_root("SET SESSION innodb_lock_wait_timeout = 1")
    try:
        with impatient(lab) as session:
            session.query("BEGIN")
            session.query("UPDATE stopped SET v = 5 WHERE id = 1")
            stopped(session, "UPDATE stopped SET v = SLEEP(30) WHERE id = 2")
            with pytest.raises(Exception, match="1205"):
                lab.ask_root("UPDATE shop.stopped SET v = 6 WHERE id = 1")
            assert session.query("SELECT v FROM stopped ORDER BY id") in ([[b"5"], [b"0"]], [[b"5"], [b"1"]])
            session.query("COMMIT")
        assert lab.ask_root("SELECT v FROM shop.stopped WHERE id = 1")[0][0] == 5
    finally:
        lab.ask_root("DROP TABLE shop.stopped")


def test_a_wait_for_a_lock_is_stopped(lab):
    lab.ask_root("DROP TABLE IF EXISTS shop.stopped")
    lab.ask_root("CREATE TABLE shop.stopped (id INT PRIMARY KEY, v INT) ENGINE=InnoDB")
    lab.ask_root("INSERT INTO shop.stopped VALUES (1, 0)")
    try:
        lab.ask_root("BEGIN")
        lab.ask_root("UPDATE shop.stopped SET v = 1")
        with impatient(lab) as session:
            stopped(session, "UPDATE stopped SET v = 2")
            session.query("DO 1")  # which goes off when the KILL was answered
            lab.ask_root("COMMIT")
            assert session.query("SELECT v FROM stopped") == [[b"1"]]
    finally:
        lab.ask_root("COMMIT")
        lab.ask_root("DROP TABLE shop.stopped")


@pytest.mark.parametrize("body, ends", [
    ("SELECT COUNT(*) INTO @x FROM information_schema.columns a, information_schema.columns b", False), ("DO SLEEP(1)", True)])
def test_a_stored_procedure_is_stopped_or_its_session_ends(lab, body, ends):
    """DO SLEEP takes the KILL for its own end, on both servers, and the loop goes on: then the connection is ended."""
    lab.ask_root("DROP PROCEDURE IF EXISTS shop.endless")
    lab.ask_root(f"CREATE PROCEDURE shop.endless() SQL SECURITY INVOKER BEGIN WHILE 1 DO {body}; END WHILE; END")
    lab.ask_root("GRANT EXECUTE ON PROCEDURE shop.endless TO sallyport_shared@'%'")
    mark = lab.audit_mark()
    try:
        with impatient(lab) as session:
            number = int(session.query("SELECT CONNECTION_ID()")[0][0])
            stopped(session, "CALL endless()")
            if ends:
                error = session.wait_for_end()
                assert error is not None and "[statement_not_stopped]" in error.message
                kills = [record for record in lab.audit(mark) if record["type"] == "kill" and "QUERY" in record["text"]]
                assert len(kills) > 3, "it is tried again and again"
            else:
                assert session.query("SELECT 5") == [[b"5"]]
        wait_until(lambda: not lab.ask_root(f"SELECT 1 FROM information_schema.processlist WHERE id = {number}"), 5, "its end at the server")
    finally:
        lab.ask_root("DROP PROCEDURE shop.endless")


def test_a_procedure_that_runs_as_another_user_is_out_of_the_logins_reach(lab):
    """The server takes the thread for the definer's as long as it runs, and refuses the KILL: the session ends all the same."""
    lab.ask_root("DROP PROCEDURE IF EXISTS shop.defined")
    lab.ask_root("CREATE PROCEDURE shop.defined() DO SLEEP(60)")
    lab.ask_root("GRANT EXECUTE ON PROCEDURE shop.defined TO sallyport_shared@'%'")
    mark = lab.audit_mark()
    try:
        with impatient(lab) as session:
            number = int(session.query("SELECT CONNECTION_ID()")[0][0])
            session.command(QUERY, b"CALL defined()")
            assert "[statement_not_stopped]" in session.wait_for_end().message
        assert lab.wait_for_record(mark, type="kill_outcome", status="refused")["detail"].startswith("1095 ")
        lab.ask_root(f"KILL {number}")
    finally:
        lab.ask_root("DROP PROCEDURE shop.defined")


def test_of_several_statements_those_behind_the_stopped_one_are_not_run(lab):
    with impatient(lab, capabilities=USUAL | CLIENT_MULTI_STATEMENTS) as session:
        session.command(QUERY, b"SET @reached = 1; SELECT SLEEP(30); SET @reached = 2")
        assert session.receive_ok()[:1] == b"\x00"
        with pytest.raises(ServerError) as error:
            session.receive_ok()
        assert "[statement_timeout]" in error.value.message
        assert session.query("SELECT @reached") == [[b"1"]]
        session.query("SET @reached = 3; SET @reached = 4")
        session.receive_ok()
        assert session.query("SELECT @reached") == [[b"4"]]


def test_rows_that_were_read_stay_and_the_error_follows(lab):
    with impatient(lab) as session:
        text, marker = marked(LARGE)
        session.command(QUERY, text.encode())
        rows = 0
        with pytest.raises(ServerError) as error:
            session.receive_ok()
            session.read_definitions(1)
            while True:
                assert session.receive_ok()[-1000:] == b"x" * 1000
                rows += 1
        assert "[statement_timeout]" in error.value.message and rows > 100
        gone(lab, marker)
        assert session.query("SELECT 5") == [[b"5"]]


def test_a_file_that_is_loaded_for_too_long_is_stopped(lab):
    lab.ask_root("DROP TABLE IF EXISTS shop.loaded")
    lab.ask_root("CREATE TABLE shop.loaded (a VARCHAR(1100)) ENGINE=InnoDB")
    try:
        with local_files_on(lab), impatient(lab, capabilities=USUAL | CLIENT_LOCAL_FILES) as session:
            session.command(QUERY, b"LOAD DATA LOCAL INFILE 'f' INTO TABLE loaded")
            assert session.receive_ok()[:1] == b"\xfb"
            began = time.monotonic()
            while time.monotonic() - began < 2:
                session.send(b"x" * 1000 + b"\n")
                time.sleep(0.05)
            session.send(b"")
            with pytest.raises(ServerError) as error:
                session.receive_ok()
            assert "[statement_timeout]" in error.value.message
            assert session.query("SELECT COUNT(*) FROM loaded") == [[b"0"]]
    finally:
        lab.ask_root("DROP TABLE shop.loaded")


def test_a_statement_that_just_makes_it_is_not_met_and_nor_is_the_next(lab):
    """Around the limit: each answer is the statement's own or the error, and no next statement is ever met by the KILL."""
    with impatient(lab) as session:
        seen = {True: 0, False: 0}
        for round_number in range(24):
            delay = 0.99 + (round_number % 8) * 0.004
            try:
                assert session.query(f"SELECT SLEEP({delay}), {round_number}") == [[b"0", str(round_number).encode()]]
                seen[True] += 1
            except ServerError as error:
                assert "[statement_timeout]" in error.message
                seen[False] += 1
            for number in range(3):
                assert session.query(f"SELECT SLEEP(0), {number}") == [[b"0", str(number).encode()]]
        assert sum(seen.values()) == 24


def test_fifty_sessions_that_end_at_once_respect_the_bound(lab):
    """They wait for a lock of another's: on MariaDB all SLEEPs share a mutex, on which a KILL can spend two seconds."""
    holder = lab.login()
    assert holder.query("SELECT GET_LOCK('fifty', 5)") == [[b"1"]]
    before = settled(lab)
    sessions = [lab.login() for _ in range(50)]
    texts = [marked("SELECT GET_LOCK('fifty', 60)") for _ in sessions]
    for session, (text, _) in zip(sessions, texts):
        session.command(QUERY, text.encode())
    wait_until(lambda: running(lab, "SELECT GET_LOCK(") == 50, 20, "all statements run")
    most, done = [0.0], threading.Event()

    def watch():
        while not done.is_set():
            most[0] = max(most[0], lab.metrics()["sallyport_side_connections_open"])
    watcher = threading.Thread(target=watch)
    watcher.start()
    with contextlib.ExitStack() as stack:
        stack.callback(watcher.join)
        stack.callback(done.set)
        for session in sessions:
            session.close()
        with lab.login() as other:
            assert other.query("SELECT 5") == [[b"5"]], "another session waits for none of it"
        wait_until(lambda: running(lab, "SELECT GET_LOCK(") == 0, 10, "the end of all statements")
    after = settled(lab)
    assert after["sallyport_kills_total"] - before["sallyport_kills_total"] == 50
    assert after["sallyport_side_connections_total"] - before["sallyport_side_connections_total"] == 50
    assert most[0] <= 4
    holder.close()


def test_a_connection_that_was_aimed_at_is_not_reused(lab):
    with impatient(lab) as session:
        number = session.query("SELECT CONNECTION_ID()")
        stopped(session, "SELECT SLEEP(30)")
        assert session.query("SELECT CONNECTION_ID()") == number
    wait_until(lambda: not lab.ask_root(f"SELECT 1 FROM information_schema.processlist WHERE id = {int(number[0][0])}"), 5,
               "the connection's end")


def test_a_kill_of_ones_own_session_under_another_login(lab):
    mark = lab.audit_mark()
    with impatient(lab, "shop.writer") as victim, impatient(lab, "shop.reader") as killer, impatient(lab, "by_socket") as third:
        assert victim.query("SELECT CURRENT_USER()") != killer.query("SELECT CURRENT_USER()")
        own = int(victim.query("SELECT CONNECTION_ID()")[0][0])
        for one, number in ((killer, victim.greeting.connection_id), (killer, own), (third, victim.greeting.connection_id)):
            begin(lab, victim, "SELECT SLEEP(0.9)")
            assert one.query(f"KILL QUERY {number}") == []
            try:
                assert victim.read_result() == [[b"1"]]
            except ServerError as error:
                assert error.code == 1317
            assert one.query("SELECT 6") == [[b"6"]]
        with pytest.raises(ServerError) as error:
            third.query(f"KILL {own}")
        assert error.value.code == 1094, "the number of another connection's server"
        assert killer.query(f"KILL {own}") == []
        with pytest.raises((ServerError, Closed)):
            for _ in range(100):
                victim.query("SELECT 1")
                time.sleep(0.05)
    kill = [record for record in lab.audit(mark) if record["type"] == "command" and "KILL" in record.get("text", "")][0]
    assert lab.wait_for_record(mark, type="outcome", session=kill["session"], of=kill["seq"])["status"] == "ok"


def closes(_connection):
    return


def hangs(_connection):
    time.sleep(12)


def refuses_the_login(connection):
    connection.sendall(greeting())
    sequence, _ = read_packet(connection)
    connection.sendall(packet(sequence + 1, b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied"))
    time.sleep(1)


def answers_nothing(connection):
    log_in(connection)
    time.sleep(12)


def knows_no_such_thread(connection):
    log_in(connection)
    _, payload = read_packet(connection)
    assert b"KILL" in payload
    connection.sendall(packet(1, b"\xff" + struct.pack("<H", 1094) + b"#HY000Unknown thread id: 7"))
    time.sleep(1)


@pytest.mark.parametrize("fault, status, detail", [
    (closes, "failed", "closed"), (hangs, "failed", "not reached within"), (refuses_the_login, "failed", "Access denied"),
    (answers_nothing, "failed", "did not answer the KILL"), (knows_no_such_thread, "refused", "1094")])
def test_where_the_side_connection_fails_the_session_ends_in_time(lab, fault, status, detail):
    first = threading.Event()

    def behave(connection):
        if first.is_set():
            fault(connection)
        else:
            first.set()
            answer_until(connection, b"SELECT 'slow'", lambda _: time.sleep(12))
    mark = lab.audit_mark()
    with faulty(lab, behave), impatient(lab, user="faulty") as session, lab.login() as other:
        session.command(QUERY, b"SELECT 'slow'")
        began = time.monotonic()
        errors = [session.wait_for_end()]
        assert time.monotonic() - began < 10, "statement_timeout and kill_timeout"
        assert other.query("SELECT 5") == [[b"5"]]
    assert "[statement_not_stopped]" in errors[0].message
    record = lab.wait_for_record(mark, type="kill_outcome", status=status)
    assert detail in record["detail"]
    assert lab.wait_for_record(mark, type="session_end", reason="statement_not_stopped")["detail"] == record["detail"]
    settled(lab)
