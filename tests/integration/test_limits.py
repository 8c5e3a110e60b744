"""What a service account's limits do to its sessions, on real servers."""

import time

import pytest

from forge import claims, token
from laboratory import wait_until
from mysql_wire import CLIENT_MULTI_STATEMENTS, QUERY, STATISTICS, USUAL, Closed, ServerError


def token_of(lab, name):
    return token(lab.keys["es-1"], claims(sub=f"agent-{name}", client_id=f"agent-{name}"))


def login(lab, name):
    return lab.login(token=token_of(lab, name))


def metric(lab, name):
    text = lab.admin("/metrics")[1]
    return float(next(line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(name + " ")))


def test_an_account_has_at_most_as_many_sessions_as_it_may(lab):
    mark = lab.audit_mark()
    with login(lab, "limited") as first, login(lab, "limited") as second:
        with lab.server_logins() as logins, pytest.raises(ServerError) as refused:
            login(lab, "limited")
        assert refused.value.code == 1203 and "[too_many_account_sessions]" in refused.value.message
        assert not logins, "nothing is opened at the server for a login that is refused"
        assert lab.wait_for_record(mark, type="login_refused", reason="too_many_account_sessions")
        first.query("SELECT 1")
        second.query("SELECT 1")
        with lab.login("reporter") as other:
            other.query("SELECT 1")

    def free():
        try:
            login(lab, "limited").close()
            return True
        except ServerError:
            return False
    wait_until(free, 5, "the place of a session that ended")


def test_an_account_logs_in_no_faster_than_it_may(lab):
    def refused_at():
        for attempt in range(20):
            try:
                login(lab, "hasty").close()
            except ServerError as error:
                return attempt, error
        return None
    attempt, error = refused_at()
    assert attempt >= 2 and error.code == 1226 and "[account_login_rate]" in error.message

    def admitted():
        try:
            login(lab, "hasty").close()
            return True
        except ServerError:
            return False
    wait_until(admitted, 5, "another login")


def test_a_transaction_that_stays_open_too_long_is_rolled_back(lab):
    mark = lab.audit_mark()
    lab.ask_root("CREATE TABLE IF NOT EXISTS shop.limits_probe (id INT PRIMARY KEY)")
    lab.ask_root("DELETE FROM shop.limits_probe")
    try:
        with login(lab, "limited") as session:
            session.query("BEGIN")
            session.query("INSERT INTO limits_probe VALUES (1)")
            error = session.wait_for_end()
        assert error is not None and "[transaction_timeout]" in error.message
        assert lab.wait_for_record(mark, type="session_end", reason="transaction_timeout")
        # Also one that an error leaves, however busy the session is.
        mark = lab.audit_mark()
        with login(lab, "limited") as session:
            session.query("SET autocommit = 0")
            with pytest.raises(ServerError) as caught:
                session.query("INSERT INTO limits_probe VALUES (2), (2)")
            assert caught.value.code == 1062
            with pytest.raises((ServerError, Closed, OSError)):
                for _ in range(100):
                    session.command(STATISTICS)
                    session.receive_ok()
                    time.sleep(0.1)
        assert lab.wait_for_record(mark, type="session_end", reason="transaction_timeout")
        # Not before the server has rolled it back.
        lab.ask_root("INSERT INTO shop.limits_probe VALUES (1)")
        assert lab.ask_root("SELECT COUNT(*) FROM shop.limits_probe")[0][0] == 1
    finally:
        lab.ask_root("DROP TABLE shop.limits_probe")


def test_a_transaction_ends_in_time_within_a_text_of_several_statements(lab):
    mark = lab.audit_mark()
    lab.ask_root("CREATE TABLE IF NOT EXISTS shop.limits_probe (id INT PRIMARY KEY)")
    try:
        with lab.login(token=token_of(lab, "limited"), capabilities=USUAL | CLIENT_MULTI_STATEMENTS) as session:
            session.command(QUERY, b"BEGIN; INSERT INTO limits_probe VALUES (1); " + b"DO SLEEP(0.5); " * 8 + b"COMMIT")
            with pytest.raises(ServerError) as ended:
                for _ in range(11):
                    session.receive_ok()
        assert "[transaction_timeout]" in ended.value.message
        assert lab.wait_for_record(mark, type="session_end", reason="transaction_timeout")
        lab.ask_root("INSERT INTO shop.limits_probe VALUES (1)")
    finally:
        lab.ask_root("DROP TABLE shop.limits_probe")


def test_who_leaves_with_a_statement_running_has_not_left_room_for_another(lab):
    running = "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'DO SLEEP(33)%'"
    most, begun = 0, 0
    deadline = time.monotonic() + 30
    while begun < 12 and time.monotonic() < deadline:
        try:
            session = login(lab, "limited")
        except ServerError as error:
            assert "[too_many_account_sessions]" in error.message
            continue
        session.command(QUERY, b"DO SLEEP(33)")
        begun += 1
        wait_until(lambda: lab.ask_root(running)[0][0] > 0, what="the statement runs")
        most = max(most, lab.ask_root(running)[0][0])
        session.close()
        most = max(most, lab.ask_root(running)[0][0])
    assert begun == 12 and most <= 2
    wait_until(lambda: lab.ask_root(running)[0][0] == 0, what="the end of what was left running")
    with login(lab, "limited") as first, login(lab, "limited") as second:
        first.query("SELECT 1")
        second.query("SELECT 1")


def test_a_command_of_which_nothing_more_comes_ends_the_session(lab):
    before = lab.reload(lambda text: text.replace("write_timeout: 20s", "write_timeout: 20s, receive_timeout: 1s"))
    try:
        def ended_in_time():
            with lab.login() as session:
                session.send_raw(b"\x0c\x00\x00\x00\x03SEL")
                session.socket.settimeout(2)
                try:
                    return session.wait_for_end()
                except TimeoutError:
                    return None
        error = wait_until(ended_in_time, 10, "the reload")
        assert error.code == 4031 and "[receive_timeout]" in error.message
        with lab.login() as session:
            for piece in (b"\x09\x00\x00\x00\x03", b"SE", b"LEC", b"T 7"):
                session.send_raw(piece)
                time.sleep(0.6)
            assert session.receive_ok() == b"\x01", "one column: the command was whole in the end"
    finally:
        lab.reload(lambda _: before)


def test_no_transaction_is_prepared_that_would_outlive_its_time(lab):
    lab.ask_root("CREATE TABLE IF NOT EXISTS shop.limits_probe (id INT PRIMARY KEY)")
    try:
        with login(lab, "limited") as session:
            for statement in ("XA START 'limits'", "INSERT INTO limits_probe VALUES (7)", "XA END 'limits'"):
                session.query(statement)
            others = ["SET STATEMENT max_statement_time = 9 FOR XA PREPARE 'limits'", "EXECUTE IMMEDIATE 'XA PREPARE ''limits'''",
                      "BEGIN NOT ATOMIC XA PREPARE 'limits'; END"]
            for statement in ["XA PREPARE 'limits'", *(others if lab.kind == "mariadb" else [])]:
                with pytest.raises(ServerError) as refused:
                    session.query(statement)
                assert refused.value.code == 1235 and "[xa_prepare_refused]" in refused.value.message
            error = session.wait_for_end()
        assert error is not None and "[transaction_timeout]" in error.message
        assert not lab.ask_root("XA RECOVER")
        lab.ask_root("INSERT INTO shop.limits_probe VALUES (7)")
    finally:
        lab.ask_root("DROP TABLE shop.limits_probe")


@pytest.mark.parametrize("sql", ["SELECT a.id FROM driver_rows a, driver_rows b LIMIT 5000",
                                 "SELECT REPEAT('x', 100000) FROM driver_rows LIMIT 50"])
def test_a_result_that_is_too_large_ends_in_an_error_and_the_session_goes_on(lab, sql):
    lab.load_fixture()
    mark = lab.audit_mark()
    cut = metric(lab, "sallyport_results_cut_total")
    with login(lab, "limited") as session:
        with pytest.raises(ServerError) as error:
            session.query(sql)
        assert error.value.code == 1105 and "[result_too_large]" in error.value.message
        assert session.query("SELECT 1")
        session.query("SET @kept = 5")
        with pytest.raises(ServerError):
            session.query(sql)
        assert session.query("SELECT @kept")
    record = lab.wait_for_record(mark, type="outcome", reason="result_too_large")
    assert record["status"] == "error" and 0 < record["rows"] <= 1000
    assert metric(lab, "sallyport_results_cut_total") == cut + 2
