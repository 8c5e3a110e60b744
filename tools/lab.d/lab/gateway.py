"""The gateway of a lab: its configuration from a template, and its process."""

import os
import re
import shutil
import socket
import time
from pathlib import Path

from lab import Failure
from lab.processes import Program
from lab.provider import answers

REPOSITORY = Path(__file__).resolve().parents[3]
READY_SECONDS = 3
DEFAULT_TEMPLATE = Path(__file__).resolve().parent.parent / "gateway.yaml"


def binary():
    path = Path(os.environ.get("SALLYPORT_BINARY", REPOSITORY / "build" / "release" / "bin" / "sallyport"))
    if not shutil.which(path):
        raise Failure(f"there is no gateway at {path}. Build it with `make build`, or name another in SALLYPORT_BINARY.")
    return path


def fill(template, values):
    """The template's text with every ${LAB_...} replaced. A name that doesn't exist is a mistake, not an empty text."""
    try:
        text = Path(template).read_text(encoding="utf-8")
    except OSError as error:
        raise Failure(f"{template} can't be read: {error.strerror}") from None

    def value(match):
        if match[1] not in values:
            raise Failure(f"{template} uses ${{{match[1]}}}, which the lab doesn't know. It knows: {', '.join(sorted(values))}.")
        return str(values[match[1]])

    return re.sub(r"\$\{(LAB_[A-Z0-9_]+)\}", value, text)


def listens(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def start(directory, values):
    program = Program(directory, "gateway")
    program.start([str(binary()), "serve", "--config", str(values["LAB_CONFIG"])])

    def healthy():
        return answers(f"{values['LAB_ADMIN_URL']}/healthz") and listens(values["LAB_PORT"])

    program.wait_until(healthy, 20)
    # A configuration may name an issuer that isn't there, on purpose: such a gateway serves, but never says it is ready.
    deadline = time.monotonic() + READY_SECONDS
    while not answers(f"{values['LAB_ADMIN_URL']}/readyz") and time.monotonic() < deadline:
        time.sleep(0.03)
    return program
