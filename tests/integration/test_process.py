"""What the gateway's process meets: few open files, a log that nobody reads, files of certificates and sockets."""

import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest

from laboratory import Laboratory, wait_until
from mysql_wire import Client, Closed, ServerError
from test_audit_crashes import BINARY, Gateway

OPEN_FILES = 128


@pytest.fixture(name="site")
def fixture_site(kind, tmp_path):
    """A lab of the test's own, whose gateway is not started yet."""
    lab = Laboratory(tmp_path / "lab", kind)
    gateway = Gateway(lab, durability="normal")
    yield lab, gateway
    if gateway.process is not None and gateway.process.poll() is None:
        gateway.kill()
    lab.close()


def edit(lab, change):
    path = Path(lab.values["LAB_CONFIG"])
    path.write_text(change(path.read_text()))


def metric(lab, name):
    return lab.metrics()[name]


def test_connections_leave_files_for_all_else(site):
    lab, gateway = site
    gateway.start(preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES)))
    assert re.search(rf'too low for limits.connections_max.*"open_files":"{OPEN_FILES}"', lab.gateway_log())
    session = lab.login()
    flood = [socket.create_connection(("127.0.0.1", lab.port)) for _ in range(200)]
    try:
        wait_until(lambda: metric(lab, 'sallyport_connections_refused_total{reason="too_many_connections"}') > 100,
                   what="the refusal of connections")
        # The admin listener has files, and so has the log.
        for _ in range(20):
            assert session.query("SELECT 1") == [[b"1"]]
        assert metric(lab, "sallyport_audit_failures_total") == 0
    finally:
        for one in flood:
            one.close()
    wait_until(lambda: metric(lab, "sallyport_connections_open") == 1, what="the end of all others")
    lab.login().close()
    session.close()


def test_nobody_waits_for_what_reads_the_log(site):
    lab, gateway = site
    reading, writing = os.pipe()
    gateway.start(stderr=writing)
    os.close(writing)
    session = lab.login()

    def log_something():
        with pytest.raises((ServerError, Closed, OSError)), Client(int(lab.values["LAB_SPARE_PORT_4"]), source="127.0.0.2") as late:
            late.send_raw(b"GET / HTTP/1.1\r\n\r\n")
            late.read_greeting()
    for _ in range(2000):
        log_something()
        if metric(lab, "sallyport_log_lines_lost_total") > 10:
            break
    assert metric(lab, "sallyport_log_lines_lost_total") > 10
    assert session.query("SELECT 1") == [[b"1"]]
    assert len(os.read(reading, 1 << 20)) > 10_000
    lost = metric(lab, "sallyport_log_lines_lost_total")
    log_something()
    text = ""

    def said():
        nonlocal text
        text += os.read(reading, 1 << 20).decode()
        return "lines of this log were lost" in text
    os.set_blocking(reading, False)
    wait_until(lambda: quietly(said), what="a line that says so")
    assert f'"lines":"{lost:.0f}"' in text
    # Nor does it end with its reader.
    os.close(reading)
    log_something()
    assert session.query("SELECT 2") == [[b"2"]]
    session.close()
    assert gateway.kill(signal.SIGTERM) == 0


def quietly(what):
    try:
        return what()
    except BlockingIOError:
        return False


def shown_certificate(lab):
    with Client(lab.port) as client:
        client.read_greeting()
        client.start_tls(None)
        return client.socket.getpeercert(True)


def test_a_bad_certificate_keeps_no_other_listener_from_its_new_one(site):
    lab, gateway = site
    directory = Path(lab.directory)
    own = {name: (directory / f"{name}.pem", directory / f"{name}.key") for name in ("main", "clear")}
    for certificate, key in own.values():
        shutil.copy(lab.values["LAB_CERTIFICATE"], certificate)
        shutil.copy(lab.values["LAB_KEY"], key)
        key.chmod(0o600)

    def with_own_files(text):
        for name, (certificate, key) in own.items():
            head, tail = text.split(f"  - name: {name}\n", 1)
            tail = tail.replace(lab.values["LAB_CERTIFICATE"], str(certificate), 1).replace(lab.values["LAB_KEY"], str(key), 1)
            text = f"{head}  - name: {name}\n{tail}"
        return text
    edit(lab, with_own_files)
    gateway.start()
    before = shown_certificate(lab)
    own["clear"][0].write_text("no certificate")
    wait_until(lambda: "certificate not reloaded" in lab.gateway_log(), what="a line about the bad one")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", "/CN=another",
                    "-keyout", str(directory / "new.key"), "-out", str(directory / "new.pem")], check=True, capture_output=True)
    (directory / "new.key").chmod(0o644)
    (directory / "new.key").replace(own["main"][1])
    (directory / "new.pem").replace(own["main"][0])
    wait_until(lambda: "can be read or written by every user" in lab.gateway_log(), what="a line about the key's permissions")
    assert shown_certificate(lab) == before
    own["main"][1].chmod(0o600)
    os.utime(own["main"][1])
    wait_until(lambda: shown_certificate(lab) != before, what="the new certificate")


@pytest.mark.parametrize("served", [socket.SOCK_DGRAM, socket.SOCK_SEQPACKET, socket.SOCK_STREAM])
def test_a_socket_that_is_somebodys_stays(site, served):
    lab, gateway = site
    path = Path(lab.values["LAB_STATE_DIR"]) / "gateway.sock"
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, served) as other:
        other.bind(str(path))
        if served != socket.SOCK_DGRAM:
            other.listen()
        done = subprocess.run([BINARY, "serve", "--config", lab.values["LAB_CONFIG"]], capture_output=True, text=True,
                              timeout=30, check=False)
        assert done.returncode == 1 and "Address already in use" in done.stderr, done.stderr
        with socket.socket(socket.AF_UNIX, served) as client:
            client.connect(str(path))
    gateway.start()  # what is left of a process that has ended is in nobody's way
    with Client(path=str(path)) as client:
        assert client.read_greeting()


def test_a_silent_name_server_is_in_nobodys_way(site, tmp_path):
    """Names that can't be looked up quickly, in a resolver configuration that this machine's users can't change, are
    simulated by a library that is loaded before the system's."""
    source, library = tmp_path / "slow.c", tmp_path / "slow.so"
    source.write_text("""#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>
int getaddrinfo(const char* node, const char* service, const struct addrinfo* hints, struct addrinfo** found) {
  static int (*next)(const char*, const char*, const struct addrinfo*, struct addrinfo**);
  if (!next) *(void**)&next = dlsym(RTLD_NEXT, "getaddrinfo");
  if (node && !strcmp(node, "silent.example")) { sleep(20); return EAI_AGAIN; }
  return next(node && !strcmp(node, "quick.example") ? "127.0.0.1" : node, service, hints, found);
}
""")
    subprocess.run(["g++", "-shared", "-fPIC", "-x", "c", str(source), "-o", str(library), "-ldl"], check=True)
    lab, gateway = site

    def by_name(text):
        head, tail = text.split("  - name: shop\n", 1)
        tail = re.sub(r"host: \S+", "host: quick.example", tail, count=1).replace("mode: verify-full", "mode: verify-ca", 1)
        head_2, tail_2 = tail.split("  - name: faulty\n", 1)
        tail_2 = re.sub(r"host: \S+", "host: silent.example", tail_2, count=1)
        return f"{head}  - name: shop\n{head_2}  - name: faulty\n{tail_2}"
    edit(lab, by_name)
    gateway.start(env={**os.environ, "LD_PRELOAD": str(library)})
    failures = []

    def vainly():
        with pytest.raises((ServerError, Closed)) as failure:
            lab.login(user="faulty").close()
        failures.append(str(failure.value))
    waiting = [threading.Thread(target=vainly) for _ in range(3)]
    for one in waiting:
        one.start()
    wait_until(lambda: metric(lab, "sallyport_connections_open") == 3, what="the logins that wait")
    with lab.login() as session:
        assert session.query("SELECT 1") == [[b"1"]]
    assert not failures, "the name is still looked up"
    for one in waiting:
        one.join()
    assert len(failures) == 3 and all("backend_unavailable" in text for text in failures)
