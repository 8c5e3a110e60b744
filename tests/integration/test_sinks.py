"""The audit log's sinks, with real receivers, killed amid the stream: what each has is the log, index by index and byte by
byte, or what is missing is on record."""

import contextlib
import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter

import pytest

from laboratory import audit_segments, segment_text, wait_until
from mysql_wire import Closed, ServerError
from sink_receivers import TOKEN, File, HttpServer, Kafka, Rsyslog, listens
from test_audit_crashes import BINARY, assert_verifies, gateway_of

LONG = "SALLYPORT_TEST_LONG" in os.environ
ROUNDS = 8 if LONG else 1
PAUSE = 0 if LONG else 0.004  # of a session between statements: what is compared takes longer than what is sent


@pytest.fixture(autouse=True)
def only_one_server(kind):
    """Sinks read the log; they know nothing of the server."""
    if kind != "mariadb" and "mariadb" in os.environ.get("SALLYPORT_TEST_SERVERS", "mariadb mysql"):
        pytest.skip("does not depend on the server")


def records_of(directory):
    """Index to bytes, of all that is in the log."""
    found = {}
    for first, path in audit_segments(directory):
        text = segment_text(path, 0)
        for number, line in enumerate(text[:text.rfind(b"\n") + 1].splitlines()):
            found[first + number] = line
    return found


def native(index, record):
    return b'{"index":%d,"record":%s}' % (index, record)


def certificates(lab):
    return {"ca": lab.ca, "certificate": lab.values["LAB_CERTIFICATE"], "key": lab.values["LAB_KEY"]}


def token_file(directory):
    path = directory / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


def http_settings(receiver, lab, token):
    return {"url": f"https://127.0.0.1:{receiver.port}/records", "tls": {"ca": lab.ca}, "bearer_token": {"file": str(token)}, "timeout": "5s"}


def with_sinks(sinks):
    """JSON is YAML."""
    def edit(text):
        assert "audit: {" in text
        return text.replace("audit: {", f"audit: {{sinks: {json.dumps(sinks)}, ", 1)
    return edit


def metric(lab, name, sink):
    return next((value for key, value in lab.metrics().items() if key.startswith(f"sallyport_sink_{name}{{") and f'sink="{sink}"' in key), None)


@contextlib.contextmanager
def sinks_of(lab, *sinks):
    """For the length of the block. The gateway is there before and behind."""
    reloads = lab.metrics()["sallyport_config_reloads_total"]
    before = lab.reload(with_sinks(sinks))
    wait_until(lambda: lab.metrics()["sallyport_config_reloads_total"] > reloads, 10, "a reload: " + lab.gateway_log()[-500:])
    try:
        yield
    finally:
        reloads = lab.metrics()["sallyport_config_reloads_total"]
        lab.reload(lambda _: before)
        wait_until(lambda: lab.metrics()["sallyport_config_reloads_total"] > reloads, 20, "a reload")


@contextlib.contextmanager
def load(lab, sessions=2):
    """Statements of sessions of their own, some long, some not ASCII, until the block ends. Yields a count of them."""
    token, stopped, done = lab.token("reporter"), threading.Event(), Counter()

    def work(number):
        chance = random.Random(number)
        with contextlib.suppress(Closed, OSError):
            while not stopped.is_set():
                with lab.login(token=token) as client:
                    for _ in range(chance.randrange(50, 200)):
                        with contextlib.suppress(ServerError):
                            client.query(f"DO '{'é😀' * chance.randrange(20)}{'x' * chance.choice((0, 0, 0, 0, 3000))}'")
                        done["statements"] += 1
                        time.sleep(PAUSE)
                        if stopped.is_set():
                            break
    threads = [threading.Thread(target=work, args=(number,)) for number in range(sessions)]
    for thread in threads:
        thread.start()
    try:
        yield done
    finally:
        stopped.set()
        for thread in threads:
            thread.join()


def end_of(lab):
    lab.wait_for_log()
    wait_until(lambda: lab.metrics()["sallyport_audit_waiting_bytes"] == 0, 10, "an empty journal")
    return max(records_of(lab.audit_directory())) + 1


def wait_for_sinks(lab, *names, seconds=60):
    end_of(lab)
    for name in names:
        wait_until(lambda name=name: metric(lab, "behind_records", name) == 0, seconds,
                   f"{name}, which has caught up: {lab.gateway_log()[-500:]}")


def assert_complete(lab, receiver, first, end, what):
    """Each record of the range, and each as it is in the log. A receiver may write a little later than it takes."""
    log = records_of(lab.audit_directory())
    expected = {index: native(index, log[index]) for index in range(first, end)}

    deadline = time.monotonic() + 15
    while True:
        messages = receiver.messages()
        missing = sorted(set(expected) - {index for index, _ in messages})
        if not missing or time.monotonic() > deadline:
            break
        time.sleep(0.2)
    assert not missing, f"{what} lacks {len(missing)} of {len(expected)}, from {missing[0]} on"
    for index, message in messages:
        assert message == expected.get(index, message), f"{what}: record {index} is another"


def test_receivers_are_killed_amid_the_stream(lab, tmp_path):
    """rsyslog by TCP and by TLS, an HTTP server, a Kafka broker, and a file that is renamed: nothing is lost."""
    files = certificates(lab)
    receivers = {"file": File(tmp_path / "file"), "tcp": Rsyslog(tmp_path / "tcp"), "tls": Rsyslog(tmp_path / "tls", files),
                 "http": HttpServer(tmp_path / "http", files), "kafka": Kafka(tmp_path / "kafka")}
    common = {"when_behind": "block", "batch_records_max": 100}
    syslog = {"message_bytes_max": "64KiB", **common}
    resend = 20_000 if LONG else 2000
    sinks = [
        {"name": "file", "file": {"path": str(receivers["file"].path)}, **common},
        {"name": "tcp", "syslog": {"transport": "tcp", "host": "127.0.0.1", "port": receivers["tcp"].port, "resend_records": resend}, **syslog},
        {"name": "tls", "syslog": {"host": "127.0.0.1", "port": receivers["tls"].port, "tls": {"ca": lab.ca}, "resend_records": resend},
         **syslog},
        {"name": "http", "http": http_settings(receivers["http"], lab, token_file(tmp_path)), **common},
        {"name": "kafka", "kafka": {"brokers": [f"127.0.0.1:{receivers['kafka'].port}"], "topic": Kafka.topic, "transport": "tcp",
                                    "timeout": "3s"}, **common},
        {"name": "ocsf", "file": {"path": str(tmp_path / "ocsf.jsonl")}, "format": "ocsf", "when_behind": "block"},
    ]
    try:
        for receiver in receivers.values():
            receiver.launch()
        for receiver in receivers.values():
            receiver.wait_until_ready()
        with sinks_of(lab, *sinks):
            first = end_of(lab)
            with load(lab) as done:
                for _ in range(ROUNDS):
                    for receiver in receivers.values():
                        time.sleep(0.3)
                        receiver.kill()
                        time.sleep(0.3)
                        receiver.launch()
                    for receiver in receivers.values():
                        receiver.wait_until_ready()
                    time.sleep(0.3)
            assert done["statements"] > 1000
            wait_for_sinks(lab, *receivers, "ocsf")
            end = end_of(lab)
            for name, receiver in receivers.items():
                assert_complete(lab, receiver, first, end, name)
                assert metric(lab, "dropped_records_total", name) == 0
            for name in ("tcp", "tls"):
                assert max(Counter(index for index, _ in receivers[name].messages()).values()) > 1, "the window is sent again"
            assert_sessions_are_in_order(receivers["kafka"])
            assert_ocsf(tmp_path / "ocsf.jsonl", first, end)
        assert TOKEN not in lab.gateway_log()
    finally:
        for receiver in receivers.values():
            receiver.kill()


def test_a_broker_that_wants_a_certificate_and_a_login(lab, tmp_path):
    """By each mechanism; a wrong password, no certificate and another authority are refused, and nothing is lost by it."""
    files = certificates(lab)
    receiver = Kafka(tmp_path / "kafka", files)
    password, wrong = tmp_path / "password", tmp_path / "wrong"
    for path, text in ((password, Kafka.PASSWORD), (wrong, "wrong-" + Kafka.PASSWORD)):
        path.write_text(text + "\n")
        path.chmod(0o600)
    foreign = tmp_path / "foreign.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=foreign",
                    "-keyout", tmp_path / "foreign.key", "-out", foreign], check=True, capture_output=True)

    def sink(mechanism, **changed):
        settings = {"brokers": [f"127.0.0.1:{receiver.secure_port}"], "topic": Kafka.topic, "timeout": "3s", "tls": dict(files),
                    "sasl": {"mechanism": mechanism, "user": Kafka.USER, "password": {"file": str(password)}}, **changed}
        return {"name": "secure", "kafka": settings, "when_behind": "block"}

    def refused(mechanism, reason, **changed):
        begin = len(lab.gateway_log())
        with sinks_of(lab, sink(mechanism, **changed)):
            with lab.login() as client:
                client.query("DO 1")
            wait_until(lambda: reason in lab.gateway_log()[begin:], 30, f"{reason}: {lab.gateway_log()[begin:]}")
            assert metric(lab, "behind_records", "secure") > 0

    try:
        receiver.start()
        wait_until(lambda: listens(receiver.secure_port), 30, "a listener with TLS")
        first = end_of(lab)
        for mechanism in Kafka.MECHANISMS:
            with sinks_of(lab, sink(mechanism)):
                with lab.login() as client:
                    client.query(f"DO '{mechanism}'")
                wait_for_sinks(lab, "secure")
            refused(mechanism, "uthentication", sasl=sink(mechanism)["kafka"]["sasl"] | {"password": {"file": str(wrong)}})
        refused("PLAIN", "certificate", tls={"ca": files["ca"]})
        refused("PLAIN", "certificate", tls=files | {"ca": str(foreign)})
        with sinks_of(lab, sink("SCRAM-SHA-512")):
            wait_for_sinks(lab, "secure")
            assert_complete(lab, receiver, first, end_of(lab), "secure")
            assert metric(lab, "dropped_records_total", "secure") == 0
        assert Kafka.PASSWORD not in lab.gateway_log()
    finally:
        receiver.kill()


def assert_sessions_are_in_order(kafka):
    """In its partition, but for what is there again; its key is the session."""
    newest = {}
    for message in kafka.read():
        record = json.loads(message.value)["record"]
        assert (message.key or b"").decode() == record.get("session", "")
        if message.key:
            partition, seq = newest.get(message.key, (message.partition, 0))
            assert partition == message.partition
            assert record["seq"] <= seq + 1
            newest[message.key] = partition, max(seq, record["seq"])
    assert newest


def assert_ocsf(path, first, end):
    """By the schema's own definitions."""
    from ocsf.v1_5_0 import events
    classes = {6005: events.DatastoreActivity, 3002: events.Authentication, 6002: events.ApplicationLifecycle}
    seen = Counter()
    with open(path, encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            known = classes[event["class_uid"]].model_validate(event)
            assert not known.model_extra, f"{known.model_extra} is not of the class"
            assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]
            seen[event["metadata"]["sequence"]] += 1
            if event["class_uid"] == 6005 and event["metadata"]["event_code"] == "command":
                assert event["actor"]["user"]["name"] == "reporter"
    assert set(range(first, end)) <= set(seen)
    assert max(seen.values()) == 1


def test_a_sink_that_blocks_has_statements_refused(lab, tmp_path):
    """Until its receiver is back and has caught up; then nothing is missing."""
    receiver = HttpServer(tmp_path / "http", certificates(lab))
    sink = {"name": "strict", "http": http_settings(receiver, lab, token_file(tmp_path)), "when_behind": "block", "behind_records_max": 200}
    try:
        with sinks_of(lab, sink):
            first = end_of(lab)
            with lab.login() as client:
                deadline = time.monotonic() + 20
                with pytest.raises(ServerError, match="audit_unavailable"):
                    while time.monotonic() < deadline:
                        client.query("DO 1")
                executed = lab.ask_root("SHOW GLOBAL STATUS LIKE 'Com_do'")
                for _ in range(20):
                    with pytest.raises(ServerError, match="audit_unavailable"):
                        client.query("DO 2")
                assert lab.ask_root("SHOW GLOBAL STATUS LIKE 'Com_do'") == executed
                assert lab.metrics()["sallyport_audit_failing"] == 1
                assert metric(lab, "failing", "strict") == 1
                assert metric(lab, "behind_bytes", "strict") > 0
                receiver.start()
                wait_until(lambda: lab.metrics()["sallyport_audit_failing"] == 0, 30, "statements that are taken again")
                client.query("DO 3")
            wait_for_sinks(lab, "strict")
            assert_complete(lab, receiver, first, end_of(lab), "the sink")
            assert not any(b'"audit_sink_dropped"' in record for index, record in records_of(lab.audit_directory()).items() if index >= first)
    finally:
        receiver.kill()


def test_a_sink_that_drops_says_on_record_what(lab, tmp_path):
    """And exactly that is missing; nobody is refused."""
    receiver = HttpServer(tmp_path / "http", certificates(lab))
    sink = {"name": "lossy", "http": http_settings(receiver, lab, token_file(tmp_path)), "when_behind": "drop", "behind_records_max": 200}
    try:
        with sinks_of(lab, sink):
            first = end_of(lab)
            with lab.login() as client:
                for _ in range(600):
                    client.query("DO 1")
                wait_until(lambda: metric(lab, "dropped_records_total", "lossy") > 0, 20, "a loss")
                receiver.start()
                for _ in range(20):
                    client.query("DO 2")
            wait_for_sinks(lab, "lossy")
            end = end_of(lab)
            log = records_of(lab.audit_directory())
            dropped = []
            for index in range(first, end):
                record = json.loads(log[index])
                if record["type"] == "audit_sink_dropped":
                    assert (record["sink"], record["reason"], record["count"]) == ("lossy", "behind", record["end"] - record["first"])
                    dropped += range(record["first"], record["end"])
            got = dict(receiver.messages())
            assert len(dropped) > 200
            began = min(first, dropped[0])  # it may have before `first` was asked for
            assert [index for index in range(began, end) if index not in got] == dropped
            assert metric(lab, "dropped_records_total", "lossy") == len(dropped)
            assert all(got[index] == native(index, log[index]) for index in got)
    finally:
        receiver.kill()


def test_a_receiver_that_says_no(lab, tmp_path):
    """It is asked again, and told of as what it is: a mistake of somebody's."""
    receiver = HttpServer(tmp_path / "http", certificates(lab))
    wrong = tmp_path / "wrong"
    wrong.write_text("another")
    wrong.chmod(0o600)
    receiver.start()
    try:
        with sinks_of(lab, {"name": "unwanted", "http": http_settings(receiver, lab, wrong), "when_behind": "block"}):
            first = end_of(lab)
            with lab.login() as client:
                client.query("DO 1")
            wait_until(lambda: metric(lab, "failures_total", "unwanted") > 0, 10, "a refusal")
            assert "status 401" in lab.gateway_log()
            assert metric(lab, "behind_records", "unwanted") > 0
            # A correction is taken up by a reload, and the sink goes on where it was.
            lab.reload(lambda text: text.replace(str(wrong), str(token_file(tmp_path))))
            wait_for_sinks(lab, "unwanted")
            assert_complete(lab, receiver, first, end_of(lab), "the sink")
    finally:
        receiver.kill()


@pytest.mark.ends_gateway
def test_the_gateway_is_killed_amid_the_stream(kind, tmp_path):
    """Sinks go on at their cursors: all of the log arrives, from its first record on."""
    file = File(tmp_path / "copy")
    sinks = [{"name": "copy", "file": {"path": str(file.path)}, "when_behind": "block", "from": "beginning"}]
    with gateway_of(kind, tmp_path / "lab", sinks=json.dumps(sinks), segment_bytes="64KiB", retention="{bytes: 1MiB}",
                    durability="normal") as (lab, gateway):
        for _ in range(ROUNDS + 2):
            gateway.start()
            with load(lab):
                time.sleep(1)
                gateway.kill()
        gateway.start()
        wait_for_sinks(lab, "copy")
        shown = subprocess.run([BINARY, "audit", "sinks", lab.values["LAB_AUDIT_DIR"]], capture_output=True, text=True, check=True).stdout
        assert shown.splitlines()[-1].split()[0] == "copy"
        assert gateway.kill(signal.SIGTERM) == 0
        log = records_of(lab.audit_directory())
        got = dict(file.messages())
        assert set(log) <= set(got)
        assert set(got) == set(range(max(log) + 1)), "what retention has deleted had been delivered"
        assert all(got[index] == native(index, record) for index, record in log.items())
        assert b'"audit_stop"' in got[max(got)], "the end of the gateway is delivered before its process ends"
        assert_verifies(lab)


