"""What the audit log says of answers and of secrets, beside what a client's own capture says."""

import hashlib
import json

import pytest

from laboratory import wait_until
from mysql_wire import (CLIENT_DEPRECATE_EOF, CLIENT_MULTI_STATEMENTS, CLIENT_SESSION_TRACK, QUERY, STMT_PREPARE, USUAL, ServerError)


class Capture:
    """All that a client reads, from now on."""

    def __init__(self, client):
        self.bytes = b""
        plain = client.receive_raw

        def receive_raw(size):
            data = plain(size)
            self.bytes += data
            return data
        client.receive_raw = receive_raw

    def take(self):
        taken, self.bytes = self.bytes, b""
        return taken


def outcomes_of(lab, mark, session, count):
    def found():
        records = [one for one in lab.audit(mark) if one.get("session") == session and one["type"] == "outcome"]
        return records if len(records) >= count else None
    return wait_until(found, 10, f"{count} outcomes")


def rest_of_rows(session):
    while not session.ends(session.receive_ok()):
        pass


@pytest.mark.parametrize("capabilities", [USUAL, USUAL | CLIENT_DEPRECATE_EOF | CLIENT_SESSION_TRACK], ids=["eof", "ok"])
def test_the_digest_of_an_answer_is_that_of_what_the_client_got(lab, capabilities):
    mark = lab.audit_mark()
    with lab.login("reporter", schema="shop", capabilities=capabilities) as session:
        capture = Capture(session)
        answers = []

        def answer(what):
            try:
                what()
            except ServerError:
                pass
            answers.append(capture.take())
        answer(lambda: session.query("SELECT 1, 'two', NULL"))
        answer(lambda: session.query("SELECT nothing FROM nowhere"))
        answer(lambda: session.query("SELECT REPEAT('x', 300000) UNION ALL SELECT REPEAT('y', 100000)"))
        answer(lambda: session.query("this is no statement"))
        answer(lambda: session.query("DO 1"))
        statement = []
        answer(lambda: statement.append(session.prepare("SELECT ? + 1")))
        answer(lambda: session.execute(statement[0][0], (b"41",)))
    begun = lab.wait_for_record(mark, type="session_start")
    outcomes = outcomes_of(lab, mark, begun["session"], len(answers))
    for outcome, got in zip(outcomes, answers):
        assert (outcome["bytes"], outcome["answer_sha256"]) == (len(got), hashlib.sha256(got).hexdigest()), outcome
    assert all(one["first_byte_us"] <= one["duration_us"] for one in outcomes[:len(answers)])
    assert all(0 <= one["forwarded_us"] <= one["first_byte_us"] for one in outcomes[:len(answers)] if one["status"] != "denied")
    end = lab.wait_for_record(mark, type="session_end", session=begun["session"])
    assert end["bytes"] == sum(one["bytes"] for one in outcomes_of(lab, mark, begun["session"], len(answers)))
    assert (end["commands_denied"], end["commands_failed"]) == (1, 1)


def test_each_statement_of_a_text_has_its_part_of_the_answer(lab):
    mark = lab.audit_mark()
    with lab.login("reporter", schema="shop", capabilities=USUAL | CLIENT_MULTI_STATEMENTS) as session:
        capture = Capture(session)
        assert session.query("SELECT 1; SELECT 2; SELECT 3") == [[b"1"]]
        assert [session.read_result(), session.read_result()] == [[[b"2"]], [[b"3"]]]
        got = capture.take()
    begun = lab.wait_for_record(mark, type="session_start")
    for outcome in outcomes_of(lab, mark, begun["session"], 3)[:3]:
        part, got = got[:outcome["bytes"]], got[outcome["bytes"]:]
        assert outcome["answer_sha256"] == hashlib.sha256(part).hexdigest()
    assert got == b""


def test_no_password_is_on_record(lab):
    """Each is refused by one of the servers at least, or by the gateway: its error quotes what it does not understand."""
    secret = "Hunter-2-of-the-test"
    mark = lab.audit_mark()
    texts = [f"CREATE USER x_of_test IDENTIFIED BY '{secret}'", f"ALTER USER x_of_test IDENTIFIED BY '{secret}'",
             f"SET PASSWORD FOR x_of_test = '{secret}'", f"SET PASSWORD FOR x_of_test = PASSWORD('{secret}')",
             f"GRANT SELECT ON shop.* TO x_of_test IDENTIFIED BY '{secret}'", f"CREATE USER x IDENTIFIED BY {secret}",
             f"CREATE USER x IDENTIFED BY '{secret}'", f"CHANGE MASTER TO MASTER_PASSWORD='{secret}'",
             f"CHANGE REPLICATION SOURCE TO SOURCE_PASSWORD='{secret}'",
             f"CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'u', PASSWORD '{secret}')",
             f"PREPARE s FROM 'CREATE USER x IDENTIFIED BY \"{secret}\"'", f"SET @s = 'CREATE USER x IDENTIFIED BY \"{secret}\"'"]
    with lab.login("reporter", schema="shop") as session:
        for text in texts:
            for opcode in (QUERY, STMT_PREPARE):
                session.command(opcode, text.encode())
                try:
                    session.receive_ok()
                except ServerError:
                    pass
        session.query("DO 'the last'")
    begun = lab.wait_for_record(mark, type="session_start")
    lab.wait_for_record(mark, type="session_end", session=begun["session"])
    records = [one for one in lab.audit(mark) if one.get("session") == begun["session"]]
    assert not [one for one in records if secret in json.dumps(one)]
    assert len([one for one in records if one.get("redacted")]) == 2 * len(texts)
    assert secret not in lab.gateway_log()


def test_a_reload_is_on_record(lab):
    mark = lab.audit_mark()
    before = lab.reload(lambda text: text + "\n# a comment\n")
    try:
        loaded = lab.wait_for_record(mark, type="configuration_loaded")
        assert loaded["previous"] == hashlib.sha256(before.encode()).hexdigest()
        assert loaded["configuration"] == hashlib.sha256((before + "\n# a comment\n").encode()).hexdigest()
        with lab.login("reporter", schema="shop") as session:
            session.query("DO 1")
        assert lab.wait_for_record(mark, type="login_accepted")["configuration"] == loaded["configuration"][:16]
        mark = lab.audit_mark()
        lab.reload(lambda text: text + "\nno_such_key: 1\n")
        assert "mistakes" in lab.wait_for_record(mark, type="configuration_refused")["error"]
    finally:
        mark = lab.audit_mark()
        lab.reload(lambda _: before)
        lab.wait_for_record(mark, type="configuration_loaded")
