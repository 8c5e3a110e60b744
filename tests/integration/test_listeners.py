"""Ways to reach the gateway: a Unix socket, IPv6, a load balancer that speaks the PROXY protocol."""

import os
import signal
import struct
import subprocess
from ipaddress import ip_address
from pathlib import Path

import pytest

from laboratory import Laboratory, wait_until
from mysql_wire import QUERY, USUAL, Client, Closed, ServerError

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def header(source, destination="203.0.113.5", ports=(5000, 3307), command=1, more=b"", version=2):
    source, destination = ip_address(source), ip_address(destination)
    rest = source.packed + destination.packed + struct.pack(">HH", *ports) + more
    family = 0x11 if source.version == 4 else 0x21
    return SIGNATURE + bytes([version << 4 | command, family]) + struct.pack(">H", len(rest)) + rest


def refused(lab, reason):
    text = lab.admin("/metrics")[1]
    name = f'sallyport_connections_refused_total{{reason="{reason}"}}'
    return float(next(line.rsplit(" ", 1)[1] for line in text.splitlines() if line.startswith(name)))


def balanced(lab, source="127.0.0.2"):
    return Client(int(lab.values["LAB_SPARE_PORT_4"]), source=source)


def socket_path(lab):
    return Path(lab.values["LAB_STATE_DIR"]) / "gateway.sock"


def test_the_record_names_the_client_behind_a_load_balancer(lab):
    for client, expected in (("192.0.2.77", "192.0.2.77:5000"), ("2001:db8::77", "[2001:db8::77]:5000")):
        mark = lab.audit_mark()
        with balanced(lab) as session:
            destination = "203.0.113.5" if "." in client else "2001:db8::1"
            session.send_raw(header(client, destination, more=b"\x04\x00\x02ab"))
            session.login("shop", lab.token("reporter"), lab.ca)
            assert session.query("SELECT 1") == [[b"1"]]
        assert lab.wait_for_record(mark, type="login_accepted")["client"] == expected


def test_a_range_of_load_balancers_and_a_header_in_pieces(lab):
    mark = lab.audit_mark()
    with balanced(lab, "127.0.3.9") as session:
        for byte in header("192.0.2.78"):
            session.send_raw(bytes([byte]))
        session.login("shop", lab.token("reporter"), lab.ca)
    assert lab.wait_for_record(mark, type="login_accepted")["client"] == "192.0.2.78:5000"


def test_a_load_balancer_that_speaks_for_itself(lab):
    mark = lab.audit_mark()
    with balanced(lab) as session:
        session.send_raw(header("192.0.2.79", command=0))
        session.login("shop", lab.token("reporter"), lab.ca)
    assert lab.wait_for_record(mark, type="login_accepted")["client"].startswith("127.0.0.2:")


def test_a_client_that_is_no_load_balancer_speaks_for_itself_only(lab):
    mark = lab.audit_mark()
    with balanced(lab, "127.0.0.1") as session:
        session.login("shop", lab.token("reporter"), lab.ca)
    assert lab.wait_for_record(mark, type="login_accepted")["client"].startswith("127.0.0.1:")
    mark = lab.audit_mark()
    with balanced(lab, "127.0.0.1") as liar:
        liar.send_raw(header("192.0.2.80"))
        liar.read_greeting()
        error = liar.wait_for_end()
    assert error is not None and "[handshake_malformed]" in error.message
    record = lab.wait_for_record(mark, type="login_refused", reason="handshake_malformed")
    assert record["client"].startswith("127.0.0.1:")


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n",
                                  header("192.0.2.81", version=1), header("192.0.2.81", command=2),
                                  SIGNATURE + b"\x21\x11\xff\xff", SIGNATURE + b"\x21\x11\x00\x04abcd", b""])
def test_a_load_balancer_without_a_good_header_is_refused(lab, data):
    before = refused(lab, "proxy_header")
    with balanced(lab) as session:
        session.send_raw(data)
        with pytest.raises(Closed):
            session.receive_raw(1)
    assert refused(lab, "proxy_header") == before + 1
    wait_until(lambda: "load_balancer" in lab.gateway_log(), 5, "the log's line")


def test_a_unix_socket_without_tls(lab):
    mark = lab.audit_mark()
    with Client(path=socket_path(lab)) as session:
        session.read_greeting()
        session.send(session.handshake_response("shop", b"\x01" * 32, capabilities=USUAL))
        session.finish_authentication(lab.token("reporter"))
        assert session.query("SELECT 1") == [[b"1"]]
    client = lab.wait_for_record(mark, type="login_accepted")["client"]
    assert client == f"unix:pid={os.getpid()},uid={os.getuid()}"


def test_a_unix_socket_with_tls(lab):
    with Client(path=socket_path(lab)) as session:
        session.login("shop", lab.token("reporter"), lab.ca)
        assert session.query("SELECT 1") == [[b"1"]]


def test_a_bad_token_is_refused_on_a_unix_socket_too(lab):
    with Client(path=socket_path(lab)) as session:
        session.read_greeting()
        session.send(session.handshake_response("shop", b"\x01" * 32, capabilities=USUAL))
        with pytest.raises(ServerError) as error:
            session.finish_authentication("no token")
    assert "[token_malformed]" in error.value.message


def test_the_stock_client_over_a_unix_socket(lab):
    if lab.kind == "mysql":
        client = [lab.values["LAB_CLIENT"], "--no-defaults", "--ssl-mode=DISABLED"]
    else:
        client = [lab.values["LAB_CLIENT"], "--no-defaults", f"--ssl-ca={lab.ca}", "--ssl"]
    done = subprocess.run([*client, f"--socket={socket_path(lab)}", "--user=shop", "--batch", "--skip-column-names",
                           "--execute=SELECT 40 + 2"], env={**os.environ, "MYSQL_PWD": lab.token("reporter")},
                          capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "42", done.stderr


def test_ip_version_6(lab):
    if lab.loopback_6 != "::1":
        pytest.skip("this machine has no IPv6")
    mark = lab.audit_mark()
    with Client(int(lab.values["LAB_SPARE_PORT_5"]), host="::1") as session:
        session.login("shop", lab.token("reporter"), ca=None)
        assert session.query("SELECT 1") == [[b"1"]]
    assert lab.wait_for_record(mark, type="login_accepted")["client"].startswith("[::1]:")


def accepts(lab):
    try:
        balanced(lab).close()
    except ConnectionError:
        return False
    return True


@pytest.mark.ends_gateway
def test_a_header_that_comes_while_the_gateway_drains(kind, tmp_path):
    """Who was accepted before is turned away like those that come later, and holds up nothing."""
    lab = Laboratory(tmp_path / "lab", kind)
    try:
        session = lab.login("reporter")
        session.command(QUERY, b"SELECT SLEEP(5)")
        with balanced(lab) as late:
            whole = header("192.0.2.79")
            late.send_raw(whole[:20])
            os.kill(lab.pid, signal.SIGTERM)
            wait_until(lambda: not accepts(lab), what="the drain")
            before = refused(lab, "draining")
            late.send_raw(whole[20:])
            with pytest.raises(ServerError) as caught:
                late.login("shop", lab.token("reporter"), lab.ca)
            assert "[drained]" in caught.value.message
            assert refused(lab, "draining") == before + 1
        assert session.read_result() == [[b"0"]]
        session.close()
        wait_until(lambda: not lab.alive(), 10, "the gateway's end")
    finally:
        lab.close()
