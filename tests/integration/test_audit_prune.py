"""Deletion by hand, of the log of a real gateway: refused while it runs, on record, and provable what remains."""

import json
import os
import shutil
import subprocess

import pytest

from laboratory import wait_until
from test_audit_crashes import BINARY, assert_verifies, gateway_of


def sallyport(*arguments):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120)


def prune(lab, *arguments):
    return sallyport("audit", "prune", "--config", lab.values["LAB_CONFIG"], *arguments)


@pytest.fixture(name="stopped")
def stopped_log(kind, tmp_path):
    """A gateway that was stopped, whose log has several closed segments with answers."""
    with gateway_of(kind, tmp_path / "lab", answers="all", segment_bytes="64KiB") as (lab, gateway):
        gateway.start()
        with lab.login("reporter") as client:
            for number in range(6):
                client.query(f"SELECT REPEAT('{number}', 70000) AS x")
                done = prune(lab, "--before", "now")
                assert done.returncode == 1 and "a gateway writes to the audit log" in done.stderr, done
                lab.wait_for_log()
        wait_until(lambda: len(list(lab.audit_directory().glob("tree-*.json"))) > 3, 10, "closed segments")
        gateway.kill(15)
        yield lab, gateway


def test_segments_are_deleted_by_hand_and_the_rest_is_provable(stopped):
    lab, gateway = stopped
    directory = lab.audit_directory()
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    planned = json.loads(prune(lab, "--before", "now", "--dry-run", "--json").stdout)
    assert planned["dry_run"] and planned["deleted"][0]["segments"] >= 3
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before, "a dry run changes nothing"
    # What a sink has still to deliver stays, unless that is said.
    cursor = directory / "sink-late.json"
    cursor.write_text('{"first":0,"next":1,"start":0,"time":"2026-01-31T12:34:56.000000000Z"}\n')
    late = prune(lab, "--before", "now", "--dry-run")
    assert late.returncode == 0 and "nothing to delete" in late.stdout, late
    late = prune(lab, "--before", "now")
    assert late.returncode == 0 and "nothing to delete" in late.stdout, late
    kept = {name for name in before if name.startswith(("records-", "answers-", "tree-"))}
    # What the gateway left to compress is compressed.
    gone = [name for name in kept if not (directory / name).exists() and not (directory / f"{name}.zst").exists()]
    assert kept and not gone, "and nothing is deleted"
    cursor.rename(directory.parent / "cursor")
    planned = json.loads(prune(lab, "--before", "now", "--dry-run", "--json").stdout)
    assert planned["deleted"][0]["segments"] >= 3
    (directory.parent / "cursor").rename(cursor)
    despite = json.loads(prune(lab, "--before", "now", "--dry-run", "--json", "--despite-sinks").stdout)
    assert despite == planned
    cursor.write_text("{")
    damaged = prune(lab, "--before", "now")
    assert damaged.returncode == 1 and "--despite-sinks" in damaged.stderr, damaged
    cursor.unlink()
    nothing = prune(lab, "--before", "2020-01-01")
    assert nothing.returncode == 0 and "nothing to delete" in nothing.stdout
    assert_verifies(lab)
    done = prune(lab, "--to-size", "100KiB", "--json")
    assert done.returncode == 0, done.stderr
    first = json.loads(done.stdout)["deleted"]
    assert {one["reason"] for one in first} == {"size"} and first[0]["first"] == 0
    assert_verifies(lab)
    done = prune(lab, "--before", "0s", "--json")
    assert done.returncode == 0, done.stderr
    second = json.loads(done.stdout)["deleted"]
    assert second[0]["first"] == first[-1]["end"] and second[0]["reason"] == "age"
    said = [one for one in lab.audit() if one["type"] == "audit_pruned"]
    assert said
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    assert [(one["first"], one["end"], one["operator"]) for one in said] == [
        (0, one["end"], user) for one in first + second][-len(said):]
    assert_verifies(lab)
    # The gateway goes on with what is left.
    gateway.start()
    with lab.login("reporter") as client:
        client.query("SELECT 1")
    gateway.kill(15)
    assert_verifies(lab)


def test_what_would_harm_the_log_is_refused(stopped, tmp_path):
    lab, _ = stopped
    directory = lab.audit_directory()
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    absent = tmp_path / "absent.key"
    done = sallyport("audit", "prune", directory, "--signing-key", absent, "--before", "now")
    assert done.returncode == 1 and "cannot read" in done.stderr and not absent.exists()
    other = tmp_path / "other.key"
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", other], check=True, capture_output=True)
    done = sallyport("audit", "prune", directory, "--signing-key", other, "--before", "now")
    assert done.returncode == 1 and "was signed by another key" in done.stderr
    done = sallyport("audit", "prune", tmp_path, "--signing-key", other, "--before", "now")
    assert done.returncode == 1 and "holds no audit log" in done.stderr
    for arguments in ([], ["--before", "soon"], ["--to-size", "0B"], ["--to-size", "much"], ["--before", "now", "--to-size", "1GiB"]):
        assert prune(lab, *arguments).returncode == 2, arguments
    assert sallyport("audit", "prune", "--before", "now").returncode == 2
    if os.geteuid() == 0:
        shutil.chown(directory, "nobody")
        done = prune(lab, "--before", "now")
        assert done.returncode == 1 and "belongs to another user" in done.stderr
        shutil.chown(directory, "root")
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
    # An altered log is not gone on with.
    tree = sorted(directory.glob("tree-*.json"))[1]
    tree.write_bytes(tree.read_bytes().replace(b"hashes\":[\"", b"hashes\":[\"A", 1))
    done = prune(lab, "--before", "now")
    assert done.returncode == 1 and "is not as it was left" in done.stderr
