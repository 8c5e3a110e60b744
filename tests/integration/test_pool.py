"""The pool of server connections: what one session leaves, the next must not find; bounds, order, ages, and dead ones."""

import struct
import threading
import time
from pathlib import Path

import pytest

from laboratory import wait_until
from mysql_wire import QUERY, QUIT, STMT_PREPARE, Closed, ServerError

SEND_LONG_DATA = 24

# Not state that one session leaves to the next: clocks, and numbers that the server gives to each connection.
OF_THE_CONNECTION = {"timestamp", "pseudo_thread_id", "rand_seed1", "rand_seed2", "statement_id", "last_gtid"}
CANDIDATES = ("1", "2", "7", "1000", "4096", "'latin1'", "'latin1_swedish_ci'", "'ANSI'", "'SERIALIZABLE'", "'+05:00'", "'MyISAM'",
              "'fr_FR'", "'x'", "'mrr=off'", "'index_merge=off'", "'enabled=on'", "'LOG'", "'STATEMENT'", "'de_DE'", "'MEMORY'")


@pytest.fixture(name="account", scope="module", autouse=True)
def fixture_account(lab):
    """The login of the pooled connections: it may do everything, so that it can leave everything behind."""
    password = (Path(lab.values["LAB_SECRETS_DIR"]) / "sallyport_shared").read_text().strip()
    for user in ("sallyport_pool", "sallyport_narrow"):
        lab.ask_root(f"DROP USER IF EXISTS {user}@'%'")
        lab.ask_root(f"CREATE USER {user}@'%' IDENTIFIED BY '{password}'")
        lab.ask_root(f"GRANT ALL ON *.* TO {user}@'%'")
    lab.ask_root("CREATE DATABASE IF NOT EXISTS pool_tests")
    lab.ask_root("CREATE TABLE IF NOT EXISTS pool_tests.numbers (id INT PRIMARY KEY AUTO_INCREMENT, value INT)")
    lab.ask_root("CREATE ROLE IF NOT EXISTS pool_writer")
    lab.ask_root("GRANT pool_writer TO sallyport_pool@'%'")
    if lab.kind == "mariadb":
        lab.ask_root("CREATE SEQUENCE IF NOT EXISTS pool_tests.counter")
    elif not lab.ask_root("SELECT 1 FROM information_schema.RESOURCE_GROUPS WHERE RESOURCE_GROUP_NAME='pool_group'"):
        lab.ask_root("CREATE RESOURCE GROUP pool_group TYPE=USER")
    yield
    lab.ask_root("DROP DATABASE pool_tests")


def start_of(lab, mark, position=-1):
    """The session_start record of the newest session after the mark."""
    return wait_until(lambda: [one for one in lab.audit(mark) if one["type"] == "session_start"], 5, "a session_start")[position]


def metric(lab, name):
    text = lab.admin("/metrics")[1]
    return next(float(line.split()[-1]) for line in text.splitlines() if line.startswith("sallyport_" + name + " "))


def settled(lab):
    """Every server connection of a session that ended is reset or closed."""
    wait_until(lambda: metric(lab, "backend_connections_open") == metric(lab, "backend_connections_idle") +
               metric(lab, "backend_connections_in_use"), 10, "the end of all resets")


def quit_session(lab, session):
    session.command(QUIT)
    session.wait_for_end()
    session.close()
    settled(lab)


def in_turn(lab, leave, look, connection="single"):
    """Lets one principal leave something, then another look, on the same server connection. Loops have connections of
    their own, so a login may need another try before it gets the one that was left."""
    for _ in range(40):
        mark = lab.audit_mark()
        first = lab.login("writer", user=connection)
        left = leave(first)
        if not left:
            quit_session(lab, first)
        settled(lab)
        before = wait_until(lambda: [one for one in lab.audit(mark) if one["type"] == "session_start"], 5, "a start")[0]
        mark = lab.audit_mark()
        with lab.login("reporter", user=connection) as second:
            start = start_of(lab, mark)
            seen = look(second)
            quit_session(lab, second)
        if start["server_connection"] == "reused" and start["server_connection_id"] == before["server_connection_id"]:
            return seen
    raise AssertionError("no login got the connection that was left")


def answer(session, sql):
    try:
        return session.query(sql)
    except ServerError as error:
        return str(error)


def variables(session):
    return {name.decode(): value for name, value in session.query("SHOW SESSION VARIABLES")}


def literal(value):
    return (value or b"").decode(errors="replace")


def change_every_variable(session):
    """Sets each session variable to something else, as far as the server lets it. Returns how many."""
    before, changed = variables(session), set()
    for name, old in before.items():
        # The session's own ways to talk last, or nothing more could be said.
        if name.startswith(("character_set", "collation")) or name in ("autocommit", "sql_select_limit", "max_statement_time"):
            continue
        changed |= {name} if change(session, name, old) else set()
    for name in ("collation_connection", "autocommit", "sql_select_limit"):
        changed |= {name} if change(session, name, before[name]) else set()
    return changed


def change(session, name, old):
    text = literal(old)
    flipped = {"ON": "OFF", "OFF": "ON", "YES": "NO", "NO": "YES"}.get(text)
    values = [flipped] if flipped else []
    if text.isdigit():
        values += [str(int(text) + 1), str(int(text) // 2), str(int(text) * 2)]
    for value in [*values, *CANDIDATES]:
        try:
            session.query(f"SET SESSION {name} = {value}")
            now = session.query(f"SELECT @@SESSION.{name}")[0][0]
        except ServerError as error:
            if error.code in (1238, 1229, 1193, 1227):  # read only, global, unknown, not permitted
                return False
            continue
        if literal(now) not in (text, {"ON": "1", "OFF": "0"}.get(text, text)):
            return True
    return False


def test_every_session_variable_is_as_new(lab):
    changed = set()

    def leave(session):
        changed.update(change_every_variable(session))
        return False

    mark = lab.audit_mark()
    with lab.login("reporter", user="unpooled") as fresh:
        expected = variables(fresh)
        assert start_of(lab, mark)["server_connection"] == "fresh"
    seen = in_turn(lab, leave, variables)
    differing = {name: (expected.get(name), seen.get(name)) for name in expected.keys() | seen.keys()
                 if expected.get(name) != seen.get(name)}
    assert set(differing) <= OF_THE_CONNECTION, differing
    print(f"{lab.kind}: {len(changed)} of {len(expected)} variables were set to something else")
    assert len(changed) > 100, sorted(changed)


LEAVES = ["SET @left = 7", "USE pool_tests", "INSERT INTO numbers (value) VALUES (1), (2)",
          "CREATE TEMPORARY TABLE left_table (a INT)", "INSERT INTO left_table VALUES (1), (2), (3)", "SELECT GET_LOCK('left', 0)",
          "PREPARE left_statement FROM 'SELECT 1'", "SET profiling = 1", "SELECT 'a statement of another'",
          "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET SESSION TRANSACTION READ ONLY",
          "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED", "SET NAMES latin1", "HANDLER numbers OPEN AS left_handler",
          "SET rand_seed1 = 1, rand_seed2 = 2", "SET SESSION net_read_timeout = 1", "SET autocommit = 0",
          "SET SESSION TRANSACTION READ WRITE", "INSERT INTO numbers (value) VALUES (3)", "SAVEPOINT left_savepoint",
          "SELECT SQL_CALC_FOUND_ROWS 'x' FROM numbers LIMIT 1", "SELECT CAST('left' AS SIGNED)"]
LEAVES_MARIADB = ["SELECT NEXTVAL(counter)", "SET optimizer_trace = 'enabled=on'", "SELECT 'traced' FROM numbers LIMIT 1"]
LEAVES_MYSQL = ["SET RESOURCE GROUP pool_group", "SET optimizer_trace = 'enabled=on'", "SELECT 'traced' FROM numbers LIMIT 1"]
VIEWS = ["SELECT LAST_INSERT_ID()", "SELECT FOUND_ROWS()", "SELECT ROW_COUNT()", "SHOW WARNINGS", "SHOW ERRORS", "SHOW PROFILES",
         "SELECT @left", "SELECT DATABASE()", "SELECT CURRENT_ROLE()", "SELECT CURRENT_USER()", "SHOW CREATE TABLE pool_tests.left_table",
         "SELECT IS_USED_LOCK('left')", "EXECUTE left_statement", "HANDLER left_handler READ FIRST", "ROLLBACK TO left_savepoint",
         "SELECT * FROM information_schema.OPTIMIZER_TRACE", "SELECT * FROM information_schema.PROFILING", "SELECT @@warning_count",
         "SELECT @@insert_id, @@last_insert_id, @@identity", "SHOW SESSION STATUS LIKE 'Com_insert'",
         "SHOW SESSION STATUS LIKE 'Created_tmp_tables'", "SHOW SESSION STATUS LIKE 'Last_query_cost'",
         "SHOW SESSION STATUS LIKE 'Prepared_stmt_count'", "SELECT MAX(value) FROM pool_tests.numbers"]
VIEWS_MARIADB = ["SELECT LASTVAL(pool_tests.counter)", "SELECT @@in_transaction"]
VIEWS_MYSQL = ["SELECT RESOURCE_GROUP FROM performance_schema.threads WHERE PROCESSLIST_ID = CONNECTION_ID()"]
ATTRIBUTES = ("SELECT ATTR_NAME, ATTR_VALUE FROM performance_schema.session_account_connect_attrs "
              "WHERE PROCESSLIST_ID = CONNECTION_ID() ORDER BY 1")


def test_nothing_else_of_a_session_is_left(lab):
    mariadb = lab.kind == "mariadb"
    views = VIEWS + (VIEWS_MARIADB if mariadb else VIEWS_MYSQL)

    def leave(session):
        failures = {sql: result for sql in LEAVES + (LEAVES_MARIADB if mariadb else LEAVES_MYSQL)
                    if isinstance(result := answer(session, sql), str)}
        assert not failures
        return False

    def look(session):
        return {sql: answer(session, sql) for sql in views}

    lab.ask_root("DELETE FROM pool_tests.numbers")
    seen = in_turn(lab, leave, look)
    with lab.login("reporter", user="unpooled") as fresh:
        expected = look(fresh)
    assert seen == expected
    assert answer_of(lab, ATTRIBUTES) == ([[b"program_name", b"sallyport"]] if not mariadb else [])


def answer_of(lab, sql):
    return in_turn(lab, lambda session: False, lambda session: answer(session, sql))


@pytest.mark.parametrize("lock, elsewhere", [
    ("FLUSH TABLES WITH READ LOCK", "INSERT INTO pool_tests.numbers (value) VALUES (9)"),
    ("LOCK TABLES pool_tests.numbers WRITE", "SELECT COUNT(*) FROM pool_tests.numbers"),
    ("SELECT GET_LOCK('held', 0)", "SELECT GET_LOCK('held', 0)"),
    ("backup", "CREATE OR REPLACE VIEW pool_tests.view_1 AS SELECT 1")])
def test_locks_are_given_up_at_once(lab, lock, elsewhere):
    """Whatever the client held, others go on as soon as it is gone, with its socket closed in the middle."""
    if lock == "backup":
        lock = "BACKUP STAGE START" if lab.kind == "mariadb" else "LOCK INSTANCE FOR BACKUP"

    def leave(session):
        session.query(lock)
        session.close()
        return True

    in_turn(lab, leave, lambda session: session.query(elsewhere))
    lab.ask_root("SET SESSION lock_wait_timeout = 5")
    lab.ask_root(elsewhere)
    lab.ask_root("DO RELEASE_ALL_LOCKS()")


@pytest.mark.parametrize("ends", [True, False])
def test_an_xa_transaction_is_not_taken_over(lab, ends):
    mark = lab.audit_mark()
    first = lab.login("writer", user="single")
    first.query("XA START 'left'")
    first.query("INSERT INTO pool_tests.numbers (value) VALUES (99)")
    if ends:
        first.query("XA END 'left'")
    left = start_of(lab, mark)["server_connection_id"]
    quit_session(lab, first)
    for _ in range(3):
        mark = lab.audit_mark()
        with lab.login("reporter", user="single") as second:
            assert start_of(lab, mark)["server_connection_id"] != left
            assert answer(second, "XA PREPARE 'left'").startswith(("1397", "1399"))  # no such transaction here
            quit_session(lab, second)
    assert [int(row[0]) for row in lab.ask_root("SELECT COUNT(*) FROM pool_tests.numbers WHERE value=99")] == [0]


def test_a_prepared_transaction_is_left_to_who_resolves_it(lab):
    """COM_CHANGE_USER would leave it attached: every statement of the sessions that follow fails, and it is lost."""
    first = lab.login("writer", user="single")
    if lab.kind == "mysql":
        first.query("SET SESSION xa_detach_on_prepare=OFF")
    for text in ("XA START 'kept'", "INSERT INTO pool_tests.numbers (value) VALUES (4711)", "XA END 'kept'", "XA PREPARE 'kept'"):
        first.query(text)
    quit_session(lab, first)
    for _ in range(3):
        with lab.login("writer", user="single") as second:
            second.query("INSERT INTO pool_tests.numbers (value) VALUES (4712)")
            second.query("ROLLBACK")
            quit_session(lab, second)
    lab.ask_root("XA COMMIT 'kept'")
    assert [int(row[0]) for row in lab.ask_root("SELECT COUNT(*) FROM pool_tests.numbers WHERE value=4711")] == [1]
    assert not lab.ask_root("XA RECOVER")


def test_multi_statements_stay_as_negotiated(lab):
    """COM_SET_OPTION switches a capability, which outlasts COM_CHANGE_USER."""
    def leave(session):
        session.command(27, struct.pack("<H", 0))
        session.receive_ok()
        return False

    assert answer_of(lab, "DO 1; DO 1").startswith("1064")
    assert in_turn(lab, leave, lambda session: answer(session, "DO 1; DO 1")).startswith("1064")


def packet(payload, sequence=0):
    return struct.pack("<I", len(payload))[:3] + bytes([sequence]) + payload


def query_packet(sql):
    return packet(bytes([QUERY]) + sql.encode())


def half_read(session):
    session.command(QUERY, b"SELECT REPEAT('left', 1000) FROM information_schema.COLUMNS")
    session.receive()


def pipelined(session):
    session.send_raw(b"".join(query_packet(f"SELECT 'left {i}'") for i in range(5)))


def pipelined_with_quit(session):
    session.send_raw(query_packet("SELECT 'left'") + query_packet("SET @left = 1") + packet(bytes([QUIT])))


def long_data(session):
    session.command(STMT_PREPARE, b"SELECT ?")
    statement = struct.unpack_from("<I", session.receive_ok(), 1)[0]
    for _ in range(2):
        session.receive()
    session.send_raw(b"".join(packet(bytes([SEND_LONG_DATA]) + struct.pack("<IH", statement, 0) + b"left" * 1000) for _ in range(5)) +
                     packet(bytes([QUIT])))


def statements_closed_last(session):
    session.command(STMT_PREPARE, b"SELECT 'left'")
    statement = struct.unpack_from("<I", session.receive_ok(), 1)[0]
    for _ in range(2):
        session.receive()
    session.send_raw(packet(bytes([25]) + struct.pack("<I", statement)) + packet(bytes([QUIT])))


def procedure_results(session):
    session.query("DROP PROCEDURE IF EXISTS pool_tests.twice")
    session.query("CREATE PROCEDURE pool_tests.twice() BEGIN SELECT 'left 1'; SELECT 'left 2'; SELECT SLEEP(0.2); SELECT 'left 3'; END")
    session.command(QUERY, b"CALL pool_tests.twice()")
    session.receive()


def half_a_command(session):
    session.send_raw(query_packet("SELECT 'left'")[:-3])


@pytest.mark.parametrize("nasty", [half_read, pipelined, pipelined_with_quit, long_data, statements_closed_last, procedure_results,
                                   half_a_command])
def test_the_next_session_gets_its_own_answers_only(lab, nasty):
    for number in range(6):
        first = lab.login("writer", user="single")
        nasty(first)
        first.close()
        with lab.login("reporter", user="single") as second:
            for part in range(3):
                expected = f"mine {number} {part}".encode()
                assert second.query(f"SELECT '{expected.decode()}', @left") == [[expected, None]]
            second.command(STMT_PREPARE, b"SELECT 'prepared'")
            assert second.receive_ok()[:1] == b"\0"
            quit_session(lab, second)


def test_closing_statements_last_does_not_spoil_reuse(lab):
    def leave(session):
        statements_closed_last(session)
        session.wait_for_end()
        session.close()
        return True

    assert in_turn(lab, leave, lambda session: session.query("SELECT 'mine'")) == [[b"mine"]]


def test_init_connect_prevents_reuse(lab):
    """The server runs it at a login and not at COM_CHANGE_USER: a reset session would be another than a fresh one."""
    lab.ask_root("SET GLOBAL init_connect = 'SET @greeted = 1'")
    try:
        for number in range(4):
            mark = lab.audit_mark()
            with lab.login("reporter", user="single") as session:
                # The first may get one that was reset before.
                assert number == 0 or start_of(lab, mark)["server_connection"] == "fresh"
                quit_session(lab, session)
    finally:
        lab.ask_root("SET GLOBAL init_connect = ''")


def test_logins_beyond_the_bound_wait_in_order(lab):
    holder = lab.login("reporter", user="single")
    order, threads = [], []

    def waits(number):
        with lab.login("writer", user="single", token=token) as session:
            order.append(number)
            session.command(QUIT)
            session.wait_for_end()

    token = lab.token("writer")
    for number in range(3):
        threads.append(threading.Thread(target=waits, args=(number,)))
        threads[-1].start()
        wait_until(lambda n=number: metric(lab, "backend_logins_waiting") == n + 1, 5, "a waiting login")
    assert order == []
    quit_session_quietly(holder)
    for thread in threads:
        thread.join(20)
    assert order == [0, 1, 2]


def quit_session_quietly(session):
    session.command(QUIT)
    session.close()


def test_a_wait_ends_with_a_reason(lab):
    mark = lab.audit_mark()
    with lab.login("reporter", user="single") as holder:
        with pytest.raises(ServerError) as caught:
            lab.login("writer", user="single")
        assert caught.value.code == 1040 and "backend_pool_exhausted" in caught.value.message
        assert lab.wait_for_record(mark, type="login_refused", reason="backend_pool_exhausted")
        assert holder.query("SELECT 1") == [[b"1"]]
        quit_session(lab, holder)
    with lab.login("writer", user="single") as after:
        assert after.query("SELECT 1") == [[b"1"]]


def connections_of(lab, user="sallyport_pool"):
    return [row[0] for row in lab.ask_root(f"SELECT ID FROM information_schema.PROCESSLIST WHERE USER = '{user}'")]


def test_never_more_than_the_bound(lab):
    """Eight clients at a time for two connections, over both loops: idle ones of the other loop make room."""
    counts, served, stop = [], [], threading.Event()
    token = lab.token("writer")

    def comes_and_goes():
        while not stop.is_set():
            with lab.login("writer", user="narrow", token=token) as session:
                served.append(session.query("SELECT 1"))
                quit_session_quietly(session)

    threads = [threading.Thread(target=comes_and_goes) for _ in range(8)]
    for thread in threads:
        thread.start()

    def count():
        # One that was closed for another may be there for a moment yet: what is only seen once is no third one.
        counts.append(min(len(connections_of(lab, "sallyport_narrow")) for _ in range(3)))
        return len(served) >= 100

    wait_until(count, 60, "a hundred sessions")
    stop.set()
    for thread in threads:
        thread.join(30)
    assert max(counts) in (1, 2)
    assert metric(lab, "backend_logins_waiting") == 0


def test_an_idle_connection_that_was_killed_is_noticed(lab):
    with lab.login("reporter", user="single") as session:
        quit_session(lab, session)
    for number in connections_of(lab):
        lab.ask_root(f"KILL {number}")
    with lab.login("writer", user="single") as session:
        assert session.query("SELECT 1") == [[b"1"]]
        quit_session(lab, session)


def test_an_old_connection_is_not_used_again(lab):
    with lab.login("reporter", user="aging") as session:
        quit_session(lab, session)
    time.sleep(1.5)
    mark = lab.audit_mark()
    with lab.login("reporter", user="aging") as session:
        assert start_of(lab, mark)["server_connection"] == "fresh"
        quit_session(lab, session)


def test_a_minimum_is_kept_warm(lab):
    with lab.login("reporter", user="warm") as session:
        wait_until(lambda: len(connections_of(lab)) >= 3, 10, "three connections")
        assert session.query("SELECT 1") == [[b"1"]]


def test_dedicated_connections_are_closed(lab):
    for _ in range(3):
        mark = lab.audit_mark()
        with lab.login("reporter", user="unpooled") as session:
            assert start_of(lab, mark)["server_connection"] == "fresh"
            number = int(session.query("SELECT CONNECTION_ID()")[0][0])
            quit_session_quietly(session)
        wait_until(lambda n=number: n not in connections_of(lab), 10, "the end of the connection")


def test_a_server_that_is_down_is_not_hammered(lab):
    mark = lab.audit_mark()
    for _ in range(6):
        with pytest.raises(ServerError) as caught:
            lab.login("reporter", user="gone")
        assert caught.value.code == 1429
    details = [one["detail"] for one in lab.audit(mark) if one["type"] == "login_refused"]
    assert len(details) == 6 and any("not tried again so soon" in one for one in details)
