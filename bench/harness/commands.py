"""`bench/run`: its arguments, and the rounds in which targets take turns."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from lab import Failure

from harness import micro, report, surroundings
from harness.laboratory import Laboratory
from harness.measure import count_syscalls, measure
from harness.processes import same_autogroup
from harness.targets import BUILD, DEFAULT_TARGETS, REPOSITORY, compile_relay, make_targets, sallyport_binary
from harness.workloads import SMOKE_TARGETS, SMOKE_WORKLOADS, WORKLOADS

DESCRIPTION = """Measures the gateway against a direct connection and a bare relay, on a private MariaDB with 100,000 rows.

Targets take turns within a round, and the figures are medians of the rounds; ratios are medians of each round's ratio.
On a shared machine many short rounds say more than few long ones. docs/benchmarks.md explains the figures.

  bench/run                                          everything; some 10 minutes
  bench/run --workload text-8 --target relay-tls --target sallyport --rounds 7
  bench/run --syscalls --json figures.json           with a further pass that counts system calls
  bench/run --micro                                  the microbenchmarks of single functions
  bench/run --smoke                                  one short round of two workloads: does it work?
"""


def make_parser():
    parser = argparse.ArgumentParser(prog="bench/run", description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, metavar="S", help="of one measurement (default: 2)")
    parser.add_argument("--rounds", type=int, metavar="R", help="(default: 5)")
    parser.add_argument("--workload", action="append", choices=WORKLOADS, metavar="W",
                        help=f"may be given several times; one of {', '.join(WORKLOADS)} (default: all)")
    parser.add_argument("--target", action="append", metavar="T",
                        help=f"may be given several times; one of {', '.join(DEFAULT_TARGETS)}, sallyport-socket "
                             "(default: all but the last)")
    parser.add_argument("--relay-source", metavar="FILE", default=os.environ.get("BENCH_RELAY_SOURCE"),
                        help="a C source of another relay with the options of bench/relay.cpp, to be measured as "
                             "other-relay and other-relay-tls (default: $BENCH_RELAY_SOURCE)")
    parser.add_argument("--syscalls", action="store_true", help="count system calls in a pass of its own")
    parser.add_argument("--json", metavar="FILE", help="write all figures of all rounds to this file")
    parser.add_argument("--no-build", action="store_true", help="measure what build/bench has")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--micro", action="store_true", help="run the microbenchmarks instead")
    only.add_argument("--smoke", action="store_true", help="check that figures come out whole; says nothing about speed")
    parser.add_argument("--filter", metavar="REGEX", help="with --micro: which ones")
    return parser


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def build(targets):
    for command in (["cmake", "--preset", "bench"],
                    ["cmake", "--build", "--preset", "bench", "--target", *targets]):
        done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if done.returncode != 0:
            raise Failure(f"`{' '.join(command)}` failed; tools/install-deps test installs what it needs:\n{done.stdout}")


def build_what_is_measured(arguments):
    if arguments.no_build:
        return
    say("building build/bench")
    programs = ["microbench"] if arguments.micro else ["load", "relay"]
    if not arguments.micro and sallyport_binary() == BUILD / "sallyport":
        programs.append("sallyport")
    build(programs)


def choose_targets(arguments, laboratory, other_relay):
    known = {one.name: one for one in make_targets(laboratory, other_relay)}
    names = arguments.target or [name for name in DEFAULT_TARGETS if name in known]
    for name in names:
        if name not in known:
            raise Failure(f"there is no target {name}. There are: {', '.join(known)}"
                          + ("" if other_relay else "; other-relay and other-relay-tls with --relay-source") + ".")
    return [target for name, target in known.items() if name in names]


def start_all(targets):
    for target in targets:
        target.start()
        if target.pid is not None and not same_autogroup(target.pid):
            say(f"warning: {target.name} is in another scheduler group; its figures aren't comparable")


def stop_all(targets):
    for target in targets:
        target.stop()


def run_rounds(arguments, workload, targets):
    """{target: [figures of each round]}. Processes are fresh for each workload, and for each round that asks for memory."""
    found = {target.name: [] for target in targets}
    try:
        for number in range(arguments.rounds):
            if number == 0 or workload.kind == "idle":
                stop_all(targets)
                start_all(targets)
            for target in targets:
                figures = measure(target, workload, arguments.seconds)
                if figures is not None:
                    found[target.name].append(figures)
    finally:
        stop_all(targets)
    return {name: rounds for name, rounds in found.items() if rounds}


def run_syscall_pass(workload, targets, seconds):
    found = {}
    try:
        start_all(targets)
        for target in targets:
            counts = count_syscalls(target, workload, seconds)
            if counts is not None:
                found[target.name] = counts
    finally:
        stop_all(targets)
    return found


def run_workloads(arguments, laboratory, other_relay):
    targets = choose_targets(arguments, laboratory, other_relay)
    workloads = [WORKLOADS[name] for name in arguments.workload or WORKLOADS]
    about = surroundings.describe(laboratory.values["LAB_SERVER_VERSION"])
    measured, calls = {}, {}
    for workload in workloads:
        say(f"{workload.name}: {arguments.rounds} rounds of {', '.join(one.name for one in targets)}")
        measured[workload.name] = run_rounds(arguments, workload, targets)
        if arguments.syscalls:
            calls[workload.name] = run_syscall_pass(workload, targets, min(arguments.seconds, 1))
    about["cores busy with other work"] = round(report.others_cores(measured), 2)
    summary = report.summarize(measured, {one.name for one in targets if one.tls})
    return {"about": about, "seconds": arguments.seconds, "rounds": arguments.rounds, "workloads": summary,
            "syscalls": calls}


def check_complete(found, workloads, targets):
    """For --smoke: every workload has every figure of every target."""
    wanted = {"rate", "p50_us", "p95_us", "p99_us"}
    for workload in workloads:
        for target in targets:
            figures = found["workloads"].get(workload, {}).get(target, {}).get("median", {})
            missing = (wanted if target.startswith("direct") else wanted | {"cpu_us_per_operation"}) - set(figures)
            if missing or not figures["rate"] > 0:
                raise Failure(f"{workload} at {target} lacks {', '.join(sorted(missing)) or 'a rate'}")


def run(arguments):
    build_what_is_measured(arguments)
    if arguments.micro:
        found = micro.run(arguments)
    else:
        arguments.seconds = arguments.seconds or (1 if arguments.smoke else 2)
        arguments.rounds = arguments.rounds or (1 if arguments.smoke else 5)
        if arguments.smoke:
            arguments.workload = arguments.workload or list(SMOKE_WORKLOADS)
            arguments.target = arguments.target or list(SMOKE_TARGETS)
        with tempfile.TemporaryDirectory(prefix="sallyport-bench-relay-") as directory:
            other_relay = compile_relay(arguments.relay_source, directory) if arguments.relay_source else None
            say("starting a server and an identity provider")
            with Laboratory() as laboratory:
                found = run_workloads(arguments, laboratory, other_relay)
        if arguments.smoke:
            check_complete(found, arguments.workload, arguments.target)
        print("\n".join(f"{name}: {value}" for name, value in found["about"].items()))
        print("\n" + report.whole_table(found["workloads"], WORKLOADS, found["syscalls"]))
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def main():
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        run(make_parser().parse_args())
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
