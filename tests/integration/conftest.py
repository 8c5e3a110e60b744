"""One lab for each kind of server, shared by the tests. SALLYPORT_TEST_SERVERS says which (the runner sets it)."""

import os
from pathlib import Path

import pytest

from laboratory import REPOSITORY, Laboratory

LABS = {}
FAILED = set()


def servers():
    return os.environ.get("SALLYPORT_TEST_SERVERS", "mariadb mysql").split()


def directory():
    return Path(os.environ.get("SALLYPORT_TEST_DIR", REPOSITORY / "build" / "integration"))


def pytest_generate_tests(metafunc):
    if "kind" in metafunc.fixturenames:
        metafunc.parametrize("kind", servers(), scope="session")


@pytest.fixture(scope="session")
def lab(kind):
    """A lab with the tests' configuration, started when the first test needs it."""
    if kind in FAILED:
        pytest.fail(f"the lab of {kind} could not be started, see the first failure")
    if kind not in LABS:
        FAILED.add(kind)
        LABS[kind] = Laboratory(directory() / f"lab-{kind}", kind,
                                with_gateway=os.environ.get("SALLYPORT_TEST_ENDPOINT") != "direct")
        FAILED.remove(kind)
    return LABS[kind]


@pytest.fixture(autouse=True)
def gateway_lives(request):
    """Whatever a test does, the gateway outlives it."""
    yield
    for one in LABS.values():
        if "LAB_GATEWAY_PID" in one.values and not request.node.get_closest_marker("ends_gateway"):
            assert one.alive(), f"the gateway died; its log: {one.values['LAB_GATEWAY_LOG']}"


def pytest_configure(config):
    config.addinivalue_line("markers", "ends_gateway: the test itself ends the gateway")


def pytest_sessionfinish(session, exitstatus):
    del session, exitstatus
    for one in LABS.values():
        one.close()
