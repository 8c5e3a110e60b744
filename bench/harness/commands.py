"""`bench/run`: its arguments, and what it prints."""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from lab import Failure

from harness import gates, micro, report, surroundings
from harness.laboratory import Laboratory
from harness.proxies import make_targets
from harness.rounds import Rounds, say
from harness.targets import BUILD, REPOSITORY, compile_relay, sallyport_binary
from harness.workloads import SMOKE_TARGETS, SMOKE_WORKLOADS, WORKLOADS

DESCRIPTION = """Measures the gateway against direct connections, bare relays and other proxies, on a private MariaDB.

Targets take turns within a round, and the figures are medians of the rounds; ratios are medians of each round's ratio.
On a shared machine many short rounds say more than few long ones. docs/benchmarks.md explains the figures.

  bench/run                                          everything; some 20 minutes
  bench/run --workload text-8 --target relay-tls --target sallyport --rounds 7
  bench/run --json figures.json --check-gates        status 1 when a gate is missed
  bench/run --micro                                  the microbenchmarks of single functions
  bench/run --smoke                                  one short round of some workloads: does it work?
"""


def make_parser():
    parser = argparse.ArgumentParser(prog="bench/run", description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, metavar="S", help="of one measurement (default: 1)")
    parser.add_argument("--rounds", type=int, metavar="R", help="(default: 5)")
    parser.add_argument("--minutes", type=float, metavar="M", default=22,
                        help="after these each workload that is left gets one round (default: %(default)s)")
    defaults = [name for name, one in WORKLOADS.items() if one.default]
    parser.add_argument("--workload", action="append", choices=WORKLOADS, metavar="W",
                        help=f"may be given several times (default: {', '.join(defaults)})")
    parser.add_argument("--target", action="append", metavar="T",
                        help="may be given several times (default: those that each workload names); "
                             f"one of {', '.join(make_targets(NoLaboratory()))}")
    parser.add_argument("--relay-source", metavar="FILE", default=os.environ.get("BENCH_RELAY_SOURCE"),
                        help="a C source of another relay with the options of bench/relay.cpp, to be measured as "
                             "other-relay and other-relay-tls (default: $BENCH_RELAY_SOURCE)")
    parser.add_argument("--no-syscalls", action="store_true", help="do without the pass that counts system calls")
    parser.add_argument("--json", metavar="FILE", help="write all figures of all rounds, and the gates, to this file")
    parser.add_argument("--check-gates", action="store_true",
                        help="status 1 when a gate is missed, or not measured though its workload was run")
    parser.add_argument("--no-build", action="store_true", help="measure what build/bench has")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--micro", action="store_true", help="run the microbenchmarks instead")
    only.add_argument("--smoke", action="store_true", help="check that figures come out whole; says nothing about speed")
    parser.add_argument("--filter", metavar="REGEX", help="with --micro: which ones")
    return parser


class NoLaboratory:
    """For the names of targets."""

    directory = Path()


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
    programs = ["microbench"] if arguments.micro else ["bench_programs"]
    if not arguments.micro and sallyport_binary() == BUILD / "sallyport":
        programs.append("sallyport")
    build(programs)


def choose_targets(arguments, laboratory, other_relay):
    known = make_targets(laboratory, other_relay)
    for name in arguments.target or ():
        if name not in known:
            raise Failure(f"there is no target {name}. There are: {', '.join(known)}"
                          + ("" if other_relay else "; other-relay and other-relay-tls with --relay-source") + ".")
    return known


def run_workloads(arguments, laboratory, other_relay):
    known = choose_targets(arguments, laboratory, other_relay)
    workloads = [one for one in WORKLOADS.values()
                 if (one.name in arguments.workload if arguments.workload else one.default)]
    wanted = {name for one in workloads for name in arguments.target or one.targets}
    counted = () if arguments.no_syscalls else SMOKE_WORKLOADS[:1] if arguments.smoke else WORKLOADS
    about = surroundings.describe(laboratory.values["LAB_SERVER_VERSION"], laboratory.router())
    rounds = Rounds(laboratory, {name: one for name, one in known.items() if name in wanted}, seconds=arguments.seconds,
                    rounds=arguments.rounds, minutes=arguments.minutes, syscalls=counted)
    for workload in workloads:
        asked = [name for name in arguments.target or workload.targets
                 if workload.kind != "workers" or name in workload.targets]
        if asked:
            rounds.run(workload, asked)
    about["cores busy with other work"] = round(report.others_cores(rounds.measured), 2)
    summary = report.summarize(rounds.measured, {name: one.bases for name, one in known.items()})
    return {"about": about, "asked": [one.name for one in workloads], "seconds": arguments.seconds,
            "rounds": arguments.rounds, "workloads": summary, "syscalls": rounds.calls,
            "gates": gates.evaluate(summary, rounds.calls), "absent": rounds.absent, "failed": rounds.failed,
            "cut": rounds.cut}


def print_report(found):
    print("\n".join(f"{name}: {value}" for name, value in found["about"].items()))
    for what, reason in {**found["absent"], **found["failed"]}.items():
        print(f"not measured: {what}: {reason}")
    for name in found["cut"]:
        print(f"cut short, as the time was up: {name}")
    print("\n" + report.whole_table(found["workloads"], WORKLOADS, found["syscalls"]))
    print("\nGates:\n\n" + report.gate_table(found["gates"], found["asked"]))


def check_complete(found, workloads, targets):
    """For --smoke: every workload has every figure of every target that can be had."""
    for workload in workloads:
        for target in targets:
            if target in found["absent"] or target not in WORKLOADS[workload].targets:
                continue
            figures = found["workloads"].get(workload, {}).get(target, {}).get("median", {})
            wanted = report.figures_wanted(WORKLOADS[workload], target)
            if wanted - set(figures):
                raise Failure(f"{workload} at {target} lacks {', '.join(sorted(wanted - set(figures)))}")


def run(arguments):
    """Returns the exit status."""
    build_what_is_measured(arguments)
    status = 0
    if arguments.micro:
        found = micro.run(arguments)
    else:
        arguments.seconds = arguments.seconds or (0.3 if arguments.smoke else 1)
        arguments.rounds = arguments.rounds or (1 if arguments.smoke else 5)
        if arguments.smoke:
            arguments.workload = arguments.workload or list(SMOKE_WORKLOADS)
            arguments.target = arguments.target or list(SMOKE_TARGETS)
        with tempfile.TemporaryDirectory(prefix="sallyport-bench-relay-") as directory:
            other_relay = compile_relay(arguments.relay_source, directory) if arguments.relay_source else None
            say("starting a server and an identity provider")
            with Laboratory() as laboratory:
                found = run_workloads(arguments, laboratory, other_relay)
        print_report(found)
        if arguments.smoke:
            check_complete(found, arguments.workload, arguments.target)
        elif arguments.check_gates:
            status = 1 if gates.missed(found["gates"], found["asked"]) else 0
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return status


def main():
    # Ended from outside, it still ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        sys.exit(run(make_parser().parse_args()))
    except Failure as failure:
        print(f"bench: {failure}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
