"""Several servers of one connection: which one a session gets, and what happens when one of them dies, hangs or comes back.

The servers hold different data on purpose: a session knows by @@port where it is.
"""

import json
import os
import signal
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from laboratory import Laboratory, wait_until
from mysql_wire import QUERY, QUIT, Closed, ServerError
from victim import Victim


@pytest.fixture(name="several", scope="module")
def fixture_several(kind, tmp_path_factory):
    one = Laboratory(tmp_path_factory.mktemp("servers") / "lab", kind, template="servers.yaml")
    one.servers = [Victim(one, "one", 4), Victim(one, "two", 5)]
    password = (one.directory / "secrets" / "sallyport_shared").read_text().strip()
    one.ask_root(f"CREATE USER victim@'%' IDENTIFIED BY '{password}'")
    one.ports = {"one": int(one.values["LAB_SPARE_PORT_4"]), "two": int(one.values["LAB_SPARE_PORT_5"]),
                 "main": int(one.values["LAB_SERVER_PORT"])}
    yield one
    for server in one.servers:
        server.server.program.stop()
    one.close()


@pytest.fixture(name="lab")
def fixture_lab(several):
    """All servers are well, and the gateway knows it."""
    for server in several.servers:
        server.revive()
    wait_until(lambda: all(value == 1 for name, value in several.metrics().items()
                           if name.startswith("sallyport_backend_server_up") and "impostor" not in name), 40, "all servers to be up")
    return several


def place(session):
    return int(session.query("SELECT @@port")[0][0])


def visit(lab, user):
    """Where a session of the user gets; it ends again."""
    with lab.login("reporter", user=user) as session:
        found = place(session)
        session.command(QUIT)
        session.wait_for_end()
    return found


def is_up(lab, connection, server):
    return lab.metrics()[f'sallyport_backend_server_up{{connection="{connection}",server="{server}"}}'] == 1


def lines(lab, text, since=0):
    found = [json.loads(line) for line in lab.gateway_log()[since:].splitlines() if line.startswith("{")]
    return [line for line in found if text in line["event"]]


def test_grants_choose_by_role_and_replicas_share_the_sessions(lab):
    assert {visit(lab, "spread.writing") for _ in range(4)} == {lab.ports["main"]}
    assert {visit(lab, "pair") for _ in range(4)} == {lab.ports["one"]}
    for role in ("reading", "either"):
        sessions = [lab.login("reporter", user=f"spread.{role}") for _ in range(6)]
        places = [place(session) for session in sessions]
        assert sorted(places) == sorted([lab.ports["one"], lab.ports["two"]] * 3)
        for session in sessions:
            session.close()


def test_the_record_names_the_server(lab):
    mark = lab.audit_mark()
    assert visit(lab, "pair") == lab.ports["one"]
    assert lab.wait_for_record(mark, type="session_start", connection="pair")["server"] == "east"


@pytest.mark.parametrize("user", ["pair", "unpooled"])
def test_a_dead_primary_is_followed_by_the_next_and_used_again(lab, user):
    begin = len(lab.gateway_log())

    def told(text):
        return [line["server"] for line in lines(lab, text, begin) if line["connection"] == user]
    lab.servers[0].kill()
    assert {visit(lab, user) for _ in range(5)} == {lab.ports["main"]}
    # A connection that ended makes it doubtful; that it is down shows when it can't be reached.
    wait_until(lambda: not is_up(lab, user, "east") and told("can't be reached"), 10, "the first primary to be known as down")
    assert is_up(lab, user, "west")
    lab.servers[0].start()
    wait_until(lambda: is_up(lab, user, "east") and told("can be reached again"), 30, "the first primary")
    assert {visit(lab, user) for _ in range(3)} == {lab.ports["one"]}
    assert told("can't be reached") + told("can be reached again") == ["east", "east"], "one line for each change"


def test_idle_connections_of_a_dead_server_cost_nobody_a_login(lab):
    for _ in range(4):
        visit(lab, "pair")
    lab.servers[0].kill()
    assert {visit(lab, "pair") for _ in range(5)} == {lab.ports["main"]}


@pytest.mark.parametrize("user", ["pair", "unpooled"])
def test_a_hung_server_costs_one_login_a_moment(lab, user):
    failovers = "sallyport_backend_failovers_total"
    before = lab.metrics()[failovers]
    lab.servers[0].signal(signal.SIGSTOP)
    # A login that waited longer than limits.backend_login_timeout would be refused.
    assert {visit(lab, user) for _ in range(4)} == {lab.ports["main"]}
    assert lab.metrics()[failovers] - before <= 1, "nobody but the first tries it"
    assert not is_up(lab, user, "east")
    lab.servers[0].signal(signal.SIGCONT)
    wait_until(lambda: visit(lab, user) == lab.ports["one"], 40, "the first primary")


def test_a_replica_dies_under_load(lab):
    witness = {role: lab.login("reporter", user=f"spread.{role}") for role in ("writing", "reading")}
    while place(witness["reading"]) != lab.ports["two"]:
        witness["reading"].close()
        witness["reading"] = lab.login("reporter", user="spread.reading")
    stop, refused, places, token = threading.Event(), [], set(), lab.token("reporter")

    def work(_):
        while not stop.is_set():
            try:
                with lab.login("reporter", user="spread.either", token=token) as session:
                    try:
                        places.add(place(session))
                        session.command(QUIT)
                    except (Closed, ServerError, ConnectionError):
                        pass  # it was on the server that died
            except ServerError as error:
                refused.append(str(error))

    with ThreadPoolExecutor(4) as workers:
        running = [workers.submit(work, number) for number in range(4)]
        wait_until(lambda: len(places) == 2, 20, "both replicas")
        lab.servers[0].kill()
        places.clear()
        for _ in range(20):
            assert place(witness["writing"]) == lab.ports["main"]
            assert place(witness["reading"]) == lab.ports["two"]
            time.sleep(0.1)
        stop.set()
        for one in running:
            one.result(30)
    assert refused == []
    assert lab.ports["two"] in places
    for session in witness.values():
        session.close()


def test_without_replicas_only_those_go_on_that_may(lab):
    for server in lab.servers:
        server.kill()
    mark = lab.audit_mark()
    assert visit(lab, "spread.either") == lab.ports["main"]
    with pytest.raises(ServerError) as caught:
        lab.login("reporter", user="spread.reading")
    assert caught.value.code == 1429 and "backend_unavailable" in caught.value.message
    assert "copy-1" not in caught.value.message and "127.0.0.1" not in caught.value.message
    assert lab.wait_for_record(mark, type="login_refused", reason="backend_unavailable")["detail"]
    assert lab.admin("/readyz")[0] == 200, "the gateway itself is well"


def test_without_the_primary_readers_go_on(lab):
    """The primary is moved to where nothing listens."""
    before = lab.reload(lambda text: text.replace("{name: main, role: primary, host: 127.0.0.1, port: " + str(lab.ports["main"]),
                                                  "{name: main, role: primary, host: 127.0.0.1, port: 1"))
    try:
        wait_until(lambda: lines(lab, "configuration reloaded"), 10, "the reload")
        with pytest.raises(ServerError) as caught:
            wait_until(lambda: visit(lab, "spread.writing") != lab.ports["main"], 10, "a refusal")
        assert caught.value.code == 1429 and "backend_unavailable" in caught.value.message
        assert visit(lab, "spread.either") in (lab.ports["one"], lab.ports["two"])
        assert visit(lab, "spread.reading") in (lab.ports["one"], lab.ports["two"])
    finally:
        lab.reload(lambda text: before)
        wait_until(lambda: try_visit(lab, "spread.writing") == lab.ports["main"], 20, "the old configuration")


def test_a_login_that_waits_while_its_server_is_moved_leaves_no_connection_to_the_old_one(lab):
    """It goes on with the configuration that it began with, and its connection is not for those that come later."""
    first = lab.login("reporter", user="narrow")
    assert place(first) == lab.ports["one"]
    begin = len(lab.gateway_log())

    def move(text):
        return text.replace("{name: only, role: primary, host: 127.0.0.1, port: " + str(lab.ports["one"]),
                            "{name: only, role: primary, host: 127.0.0.1, port: " + str(lab.ports["main"]))
    with ThreadPoolExecutor(1) as workers:
        waiting = workers.submit(try_visit, lab, "narrow")
        wait_until(lambda: lab.metrics()["sallyport_backend_logins_waiting"] == 1, 10, "the second login to wait")
        before = lab.reload(move)
        try:
            wait_until(lambda: lines(lab, "configuration reloaded", begin), 10, "the reload")
            assert "[account_changed]" in first.wait_for_end().message
            assert waiting.result(20) is None, "it was to another server than the configuration names"
            assert {visit(lab, "narrow") for _ in range(6)} == {lab.ports["main"]}
        finally:
            lab.reload(lambda text: before)
            wait_until(lambda: try_visit(lab, "narrow") == lab.ports["one"], 20, "the old configuration")


def try_visit(lab, user):
    try:
        return visit(lab, user)
    except ServerError:
        return None


def test_a_certificate_is_verified_for_each_server(lab):
    mark = lab.audit_mark()
    assert visit(lab, "misnamed") == lab.ports["main"]
    assert lab.wait_for_record(mark, type="session_start", connection="misnamed")["server"] == "right"
    causes = [line["cause"] for line in lines(lab, "can't be reached") if line["server"] == "impostor"]
    assert causes and "certificate" in causes[0].lower(), causes


def test_kill_reaches_the_server_of_its_target(lab):
    """Servers number their connections each for itself: on the killer's own server the number may be another's."""
    sessions = {}
    while len(sessions) < 2:
        session = lab.login("reporter", user="spread.reading")
        sessions.setdefault(place(session), session)
    victim, killer = sessions[lab.ports["one"]], sessions[lab.ports["two"]]
    for number in (victim.greeting.connection_id, int(victim.query("SELECT CONNECTION_ID()")[0][0])):
        if number == int(killer.query("SELECT CONNECTION_ID()")[0][0]):
            continue  # that would be itself
        victim.command(QUERY, b"SELECT SLEEP(20)")
        wait_until(lambda: lab.servers[0].statements_with("SLEEP(20)"), 10, "the statement")
        began = time.monotonic()
        killer.query(f"KILL QUERY {number}")
        try:
            assert victim.read_result() == [[b"1"]]
        except ServerError as error:
            assert error.code == 1317
        assert time.monotonic() - began < 15
    assert place(killer) == lab.ports["two"], "the number was not taken for one of its own server"
    for session in sessions.values():
        session.close()


def test_a_name_with_several_addresses_is_one_server(lab):
    """`localhost` has an address of each family where the machine has both; the server listens on one of them."""
    addresses = {entry[4][0] for entry in socket.getaddrinfo("localhost", 1, type=socket.SOCK_STREAM)}
    if len(addresses) < 2:
        pytest.skip(f"localhost is {addresses} only")
    lab.servers[0].kill()
    assert visit(lab, "pair") == lab.ports["main"]


def test_the_gateway_holds_nothing_of_what_failed(lab):
    lab.servers[0].kill()
    for _ in range(3):
        visit(lab, "pair")
    before = lab.open_files()
    for _ in range(30):
        visit(lab, "pair")
        visit(lab, "unpooled")
    assert lab.open_files() <= before + 4
    assert os.path.exists(f"/proc/{lab.pid}")
