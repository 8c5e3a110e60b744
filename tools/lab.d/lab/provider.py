"""The lab's identity provider: starting it, and asking it for tokens as an agent would."""

import json
import os
import secrets
import urllib.error
import urllib.parse
import urllib.request
from base64 import b64encode
from pathlib import Path

from lab import Failure
from lab.processes import Program

SOURCE = Path(__file__).resolve().parent.parent / "provider.mjs"
TOKEN_BYTES = 1900  # what identity providers' tokens with some groups come to

# A proxy that the environment names is not asked for loopback addresses.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def start(directory, cache, port):
    """Starts the provider; returns its program, its URL and the secret that its clients share."""
    packages = cache / "node"
    if not (packages / "node_modules" / "oidc-provider").is_dir():
        raise Failure("the identity provider isn't installed. Run tools/install-deps.")
    secret = secrets.token_urlsafe(24)
    environment = {**os.environ, "PROVIDER_PORT": str(port), "PROVIDER_PACKAGES": str(packages), "PROVIDER_SECRET": secret,
                   "PROVIDER_KEYS": str(directory / "secrets" / "provider-keys.json"), "NODE_NO_WARNINGS": "1"}
    program = Program(directory, "provider")
    program.start(["node", str(SOURCE)], environment)
    url = f"http://127.0.0.1:{port}"
    program.wait_until(lambda: answers(f"{url}/.well-known/openid-configuration"), 20)
    return program, url, secret


def answers(url):
    try:
        with OPENER.open(url, timeout=5) as response:
            return response.status == 200
    except OSError:
        return False


def request_token(url, secret, account, *, ttl=None, algorithm=None, claims=None, token_bytes=TOKEN_BYTES):
    """An access token by the client credentials grant, for the client `agent-ACCOUNT`."""
    form = {"grant_type": "client_credentials", "bytes": str(token_bytes)}
    if ttl is not None:
        form["ttl"] = str(ttl)
    if algorithm is not None:
        form["alg"] = algorithm
    if claims:
        form["claims"] = json.dumps(claims)
    credentials = b64encode(f"agent-{account}:{urllib.parse.quote(secret)}".encode()).decode()
    request = urllib.request.Request(f"{url}/token", data=urllib.parse.urlencode(form).encode(),
                                     headers={"Authorization": f"Basic {credentials}"})
    try:
        with OPENER.open(request, timeout=20) as response:
            return json.load(response)["access_token"]
    except urllib.error.HTTPError as error:
        raise Failure(f"the provider refuses a token for {account}: {error.read().decode(errors='replace')}") from None
    except OSError as error:
        raise Failure(f"the provider doesn't answer ({error}). `tools/lab status` shows what runs.") from None


def control(url, secret, path):
    """One of the provider's control requests, such as "rotate-keys" or "outage?on=yes"."""
    request = urllib.request.Request(f"{url}/lab/{path}", method="POST", headers={"Authorization": f"Bearer {secret}"})
    try:
        with OPENER.open(request, timeout=20):
            pass
    except OSError as error:
        raise Failure(f"the provider doesn't do {path}: {error}") from None
