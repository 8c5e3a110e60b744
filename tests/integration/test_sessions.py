"""What ends a session that has begun: its token's expiry, its account's end; and what must not: rotation and reload."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from laboratory import REPOSITORY, Laboratory, wait_until
from mysql_wire import QUERY, Closed, ServerError

LIFETIME = 5
GRACE = 1.0
# 100 GB, in rows of 1 kB: more than there is time to read.
ENDLESS = "SELECT REPEAT('x', 1000) FROM driver_rows a, driver_rows b"


def short_lived(lab):
    """A session whose token expires in LIFETIME seconds, and the time by which that is."""
    text = lab.token("reporter", "--ttl", str(LIFETIME))
    expires = time.time() + LIFETIME
    return lab.login(token=text), expires


def assert_ended_in_time(expires):
    """Tokens hold whole seconds: expiry may be up to one second before what was reckoned here."""
    late = time.time() - expires
    assert -1.1 <= late <= GRACE, f"the session ended {late:.2f} s after its token"


def test_expiry_ends_an_idle_session(lab):
    mark = lab.audit_mark()
    session, expires = short_lived(lab)
    with session:
        session.query("SELECT 1")
        error = session.wait_for_end()
    assert_ended_in_time(expires)
    assert error is not None and "expired" in error.message
    assert lab.wait_for_record(mark, type="session_end", reason="token_expired")


def test_expiry_ends_a_waiting_statement(lab):
    mark = lab.audit_mark()
    session, expires = short_lived(lab)
    with session:
        session.command(QUERY, b"SELECT SLEEP(60)")
        error = session.wait_for_end()
    assert_ended_in_time(expires)
    assert error is not None and "expired" in error.message
    assert lab.wait_for_record(mark, type="session_end", reason="token_expired")


def test_expiry_ends_a_session_in_the_middle_of_a_result(lab):
    lab.load_fixture()
    mark = lab.audit_mark()
    session, expires = short_lived(lab)
    with session:
        session.command(QUERY, ENDLESS.encode())
        received = 0
        try:
            while True:
                payload = session.receive()
                received += len(payload)
                if payload[:1] == b"\xff":
                    assert "expired" in payload.decode(errors="replace")
        except Closed:
            pass
    assert_ended_in_time(expires)
    assert received > 1 << 20, "the result had not begun"
    assert lab.wait_for_record(mark, type="session_end", reason="token_expired")


def test_expiry_ends_a_session_whose_client_does_not_read(lab):
    """Back-pressure must not keep a session beyond its token."""
    lab.load_fixture()
    mark = lab.audit_mark()
    session, expires = short_lived(lab)
    with session:
        session.command(QUERY, ENDLESS.encode())
        record = wait_until(lambda: [one for one in lab.audit(mark) if one["type"] == "session_end" and one["reason"] == "token_expired"],
                            LIFETIME + 3, "the session's end")[0]
    assert_ended_in_time(expires)
    assert record["account"] == "reporter"


def test_a_token_may_be_used_again_until_it_expires(lab):
    text = lab.token("reporter", "--ttl", "60")
    for _ in range(3):
        lab.login(token=text).close()


def test_a_disabled_account_ends_its_sessions_and_no_others(lab):
    mark = lab.audit_mark()
    text = lab.token("revocable")
    with lab.login(token=text) as session, lab.login("reporter") as bystander:
        session.query("SELECT 1")
        before = lab.reload(lambda text: text.replace("disabled: false # of revocable", "disabled: true # of revocable"))
        try:
            error = session.wait_for_end()
            assert error is not None
            assert lab.wait_for_record(mark, type="session_end", account="revocable")["reason"] == "account_disabled"
            with lab.server_logins() as logins, pytest.raises(ServerError) as refusal:
                lab.login(token=text)
            assert refusal.value.code == 1045 and not logins
            assert bystander.query("SELECT 'undisturbed'") == [[b"undisturbed"]]
        finally:
            lab.reload(lambda _: before)
    wait_until(lambda: can_log_in(lab, "revocable"), 5, "the account's return")


def can_log_in(lab, account):
    try:
        lab.login(account).close()
        return True
    except ServerError:
        return False


def test_a_wrong_configuration_is_not_taken(lab):
    """Wrong in five places: all five are said, nothing changes, sessions go on."""
    with lab.login("reporter") as session:
        said = len(lab.gateway_log())
        changes = [("mode: disabled", "mode: maybe"), ("handshake_timeout: 3s", "handshake_timeout: soon"), ("kind: spiffe", "kind: magic"),
                   ("auth_method: dialog", "auth_method: guess"), ("audiences: [sallyport]", "audiences: []")]

        def spoil(text):
            for good, bad in changes:
                assert good in text
                text = text.replace(good, bad, 1)
            return text

        before = lab.reload(spoil)
        try:
            path = lab.values["LAB_CONFIG"]
            binary = os.environ.get("SALLYPORT_BINARY", REPOSITORY / "build" / "release" / "bin" / "sallyport")
            done = subprocess.run([str(binary), "check-config", path], capture_output=True, text=True, check=False)
            assert done.returncode == 3
            for _, bad in changes[:4]:
                assert bad.split(": ")[1] in done.stdout + done.stderr
            assert (done.stdout + done.stderr).count("gateway.yaml:") >= 5
            wait_until(lambda: len(lab.gateway_log()) > said, 5, "a line about the refused configuration")
            assert session.query("SELECT 'undisturbed'") == [[b"undisturbed"]]
            lab.login("reporter").close()
        finally:
            lab.reload(lambda _: before)
            time.sleep(0.3)


def test_rotation_under_load_loses_no_login(lab):
    """Agents log in with fresh tokens all the while, also during the moment in which a new key is not known yet."""
    failures, logins, stop = [], [], threading.Event()
    sys.path.insert(0, str(REPOSITORY / "tools" / "lab.d"))
    from lab import provider  # pylint: disable=import-outside-toplevel
    values = lab.values

    def agent():
        while not stop.is_set():
            try:
                text = provider.request_token(values["LAB_ISSUER_URL"], values["LAB_PROVIDER_SECRET"], "reporter")
                with lab.login(token=text) as session:
                    session.query("SELECT 1")
                logins.append(time.monotonic())
            except Exception as failure:  # pylint: disable=broad-exception-caught
                failures.append(failure)

    agents = [threading.Thread(target=agent) for _ in range(6)]
    for one in agents:
        one.start()
    for _ in range(3):
        time.sleep(1.5)
        lab.lab("rotate-keys")
    time.sleep(1.5)
    stop.set()
    for one in agents:
        one.join()
    assert not failures, f"{len(failures)} of {len(failures) + len(logins)} logins failed: {failures[:3]}"
    assert len(logins) > 50


def test_a_tls_session_is_resumed_on_every_loop(lab):
    with lab.login() as first:
        first.query("SELECT 1")  # the tickets have come with the answers by now
        assert not first.socket.session_reused
        # The gateway of these tests has a loop for each core; the kernel spreads connections over them.
        for _ in range(12):
            with lab.login(resumed=first.socket) as next_one:
                assert next_one.socket.session_reused
                assert next_one.query("SELECT 1")


def test_a_changed_certificate_is_taken(lab):
    import ssl
    from mysql_wire import Client
    path, key = Path(lab.values["LAB_CERTIFICATE"]), Path(lab.values["LAB_KEY"])
    before = path.read_bytes(), key.read_bytes()

    def serial():
        with Client(lab.port) as client:
            client.read_greeting()
            client.start_tls(lab.ca)
            return client.socket.getpeercert()["serialNumber"]

    first = serial()
    tls = path.parent
    try:
        # The server's certificate is of the same authority and for the same names.
        path.write_bytes((tls / "server.pem").read_bytes())
        key.write_bytes((tls / "server-key.pem").read_bytes())
        os.kill(lab.pid, signal.SIGHUP)
        wait_until(lambda: serial() != first, 10, "the new certificate")
        lab.login("reporter").close()
    except ssl.SSLError as error:
        raise AssertionError(f"certificate and key did not match on the way: {error}") from None
    finally:
        path.write_bytes(before[0])
        key.write_bytes(before[1])
        os.kill(lab.pid, signal.SIGHUP)
        wait_until(lambda: serial() == first, 10, "the first certificate again")


@pytest.mark.ends_gateway
def test_sigterm_drains(kind, tmp_path):
    """A running statement is finished, no new login is taken, then the process ends with status 0."""
    lab = Laboratory(tmp_path / "lab", kind)
    try:
        session = lab.login("reporter")
        session.command(QUERY, b"SELECT SLEEP(2)")
        time.sleep(0.3)
        os.kill(lab.pid, signal.SIGTERM)
        time.sleep(0.5)
        with pytest.raises((OSError, ServerError, Closed)):
            lab.login("reporter")
        assert session.read_result() == [[b"0"]]
        session.close()
        wait_until(lambda: not lab.alive(), 10, "the gateway's end")
        assert [one["type"] for one in lab.audit()[-2:]] == ["session_end", "audit_stop"]
    finally:
        lab.close()
