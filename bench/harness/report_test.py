#!/usr/bin/env python3
"""Tests of the report, the gates, and of how sysbench's report is read: `bench/harness/report_test.py`."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY / "bench"), str(REPOSITORY / "tools" / "lab.d")]

from lab import Failure  # noqa: E402

from harness import sysbench  # noqa: E402
from harness.commands import NoLaboratory  # noqa: E402
from harness.gates import AIM_MET, GATES, MET, MISSED, NOT_MEASURED, evaluate, missed  # noqa: E402
from harness.proxies import make_targets  # noqa: E402
from harness.report import COLUMNS, figures_wanted, gate_table, medians, summarize, table, whole_table  # noqa: E402
from harness.workloads import WORKLOADS, Workload  # noqa: E402

BASES = {name: target.bases for name, target in make_targets(NoLaboratory()).items()}
CPU = "cpu_s_per_1000_queries"


def figures(rate, cpu=None):
    found = {"rate": rate, "p50_us": 1.0, "p95_us": 2.0, "p99_us": 3.0}
    return found if cpu is None else {**found, CPU: cpu}


def idle(kib, beside=1.0):
    return {"kib_per_session": kib, "sessions_held": 1500, "cpu_beside_to_alone": beside,
            "cpu_s_per_1000_queries_alone": 0.02, "cpu_s_per_1000_queries_beside": 0.02 * beside}


class Report(unittest.TestCase):
    def setUp(self):
        self.measured = {"text-8": {
            "direct-tls": [figures(1000), figures(500), figures(900)],
            "relay": [figures(800, 0.010), figures(400, 0.030), figures(700, 0.020)],
            "relay-tls": [figures(500, 0.020), figures(100, 0.060), figures(450, 0.030)],
            "sallyport": [figures(400, 0.030), figures(80, 0.060), figures(440, 0.060)]}}
        self.summary = summarize(self.measured, BASES)["text-8"]

    def test_a_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_medians(self):
        self.assertEqual(self.summary["sallyport"]["median"][CPU], 0.060)
        self.assertEqual(self.summary["sallyport"]["ratio_to"]["relay-tls"][CPU],
                         {"median": 1.5, "quartiles": [1.25, 1.75]})
        self.assertEqual(self.summary["sallyport"]["ratio_to"]["direct-tls"]["rate"]["median"], 0.4)

    def test_a_target_is_compared_with_those_alike_in_tls(self):
        self.assertEqual(set(self.summary["sallyport"]["ratio_to"]), {"direct-tls", "relay-tls"})
        self.assertEqual(self.summary["relay"]["ratio_to"], {})

    def test_what_has_two_workers_is_compared_with_what_has_one_too(self):
        self.assertIn("sallyport", BASES["sallyport-two-workers"])

    def test_a_direct_connection_has_no_cpu_of_its_own(self):
        self.assertNotIn(CPU, self.summary["relay-tls"]["ratio_to"]["direct-tls"])

    def test_a_base_that_failed_in_a_later_round_is_compared_for_the_rounds_that_it_has(self):
        self.measured["text-8"]["relay-tls"].pop()
        found = summarize(self.measured, BASES)["text-8"]["sallyport"]["ratio_to"]["relay-tls"][CPU]
        self.assertEqual(found, {"median": 1.25, "quartiles": [1.125, 1.375]})

    def test_the_table_has_a_row_for_each_target_and_no_empty_column(self):
        lines = whole_table({"text-8": self.summary}, WORKLOADS, {}).splitlines()
        self.assertEqual(len(lines), 2 + 4)
        self.assertNotIn("syscalls", lines[0])
        self.assertNotIn("CPU × other", lines[0])
        self.assertEqual({len(line) for line in lines}, {len(lines[0])})
        self.assertIn("1.50 (1.25-1.75)", lines[-1])

    def test_system_calls_and_epoll_ctl_have_columns_of_their_own(self):
        counts = {"text-8": {"sallyport": {"all": 6.5, "epoll_ctl": 0.25}}}
        lines = whole_table({"text-8": self.summary}, WORKLOADS, counts).splitlines()
        self.assertIn("epoll_ctl", lines[0])
        self.assertTrue(lines[-1].rstrip("| ").endswith("0.250"))

    def test_idle_sessions_have_a_table_of_their_own(self):
        summary = summarize({**self.measured, "idle-1500": {"relay-tls": [idle(16)], "sallyport": [idle(32, 1.5)]}}, BASES)
        first, second = whole_table(summary, WORKLOADS, {}).split("\n\n")
        self.assertNotIn("KiB", first)
        self.assertIn("KiB/session", second)
        self.assertIn("2.00", second.splitlines()[-1])
        self.assertIn("1.50", second.splitlines()[-1])

    def test_a_figure_that_one_round_lacks_is_the_median_of_the_others(self):
        self.assertEqual(medians([{"rate": 1, "a": 5}, {"rate": 3}]), {"rate": 2, "a": 5})

    def test_a_table_without_rows_is_a_table_still(self):
        self.assertEqual(len(table(COLUMNS, [["x"] * len(COLUMNS)]).splitlines()), 3)

    def test_every_workload_says_what_its_measurement_must_have(self):
        for workload in WORKLOADS.values():
            wanted = figures_wanted(workload, "sallyport")
            self.assertGreater(len(wanted), 1)
            self.assertGreater(wanted, figures_wanted(workload, "direct"))


class Gates(unittest.TestCase):
    @staticmethod
    def evaluated(ratio=1.0, syscalls=None):
        measured = {"text-8": {"relay-tls": [figures(1, 1.0)], "sallyport": [figures(1, ratio)]}}
        return {one["gate"]: one for one in evaluate(summarize(measured, BASES), {"text-8": syscalls or {}})}

    def test_each_is_of_a_workload_and_a_target_that_there_are(self):
        for gate in GATES:
            self.assertIn(gate.target, BASES)
            if gate.kind == "ratio":
                self.assertIn(gate.base, BASES[gate.target])
            for name in gate.workloads:
                self.assertIn(gate.target, WORKLOADS[name].targets)
                self.assertTrue(gate.kind != "ratio" or gate.base in WORKLOADS[name].targets)

    def test_bound_and_aim_are_reached_at_the_very_figure(self):
        for ratio, status in ((1.19, AIM_MET), (1.2, AIM_MET), (1.21, MET), (1.4, MET), (1.41, MISSED)):
            self.assertEqual(self.evaluated(ratio)["point-select-tls"]["status"], status)

    def test_a_gate_may_ask_for_more(self):
        gate = next(one for one in GATES if one.at_least)
        self.assertEqual(gate.status(gate.bound), AIM_MET)
        self.assertEqual(gate.status(gate.bound - 0.1), MISSED)

    def test_the_worst_workload_decides(self):
        measured = {name: {"relay-tls": [figures(1, 1.0)], "sallyport": [figures(1, ratio)]}
                    for name, ratio in (("text-8", 1.0), ("text-64", 1.5), ("prepared-8", 1.3))}
        found = evaluate(summarize(measured, BASES), {})
        gate = next(one for one in found if one["gate"] == "point-select-tls")
        self.assertEqual(gate["status"], MISSED)
        self.assertEqual([one["status"] for one in gate["results"]], [AIM_MET, MISSED, MET])
        self.assertEqual(gate["not_measured"], ["prepared-64"])

    def test_system_calls_are_those_that_were_counted(self):
        found = self.evaluated(syscalls={"sallyport": {"all": 7.0, "epoll_ctl": 0.0}})
        self.assertEqual(found["system-calls"]["status"], MET)
        self.assertEqual(found["epoll-ctl"]["status"], AIM_MET)

    def test_what_was_not_measured_is_neither_met_nor_missed(self):
        found = self.evaluated()
        self.assertEqual(found["login"]["status"], NOT_MEASURED)
        self.assertEqual(found["system-calls"]["status"], NOT_MEASURED)

    def test_checking_fails_for_what_is_missed_or_should_have_been_measured(self):
        found = list(self.evaluated(1.5).values())
        self.assertIn("point-select-tls", missed(found, ["text-8"]))
        self.assertIn("system-calls", missed(found, ["text-8"]))
        self.assertNotIn("login", missed(found, ["text-8"]))
        self.assertIn("login", missed(found, ["text-8", "login-8"]))

    def test_fewer_idle_sessions_than_asked_for_are_no_figure_of_the_gate(self):
        reduced = {name: value for name, value in idle(10).items() if name != "sessions_held"}
        found = evaluate(summarize({"idle-10000": {"sallyport": [reduced]}}, BASES), {})
        self.assertEqual(next(one for one in found if one["gate"] == "idle-held")["status"], NOT_MEASURED)

    def test_the_table_names_what_should_have_been_measured(self):
        lines = gate_table(list(self.evaluated(1.3).values()), ["text-8"]).splitlines()
        self.assertIn("1.30", lines[2])
        self.assertTrue(any("not measured" in line and "system calls" in line for line in lines))
        self.assertFalse(any("login-8" in line for line in lines))


class SysbenchReport(unittest.TestCase):
    REPORT = """
Latency histogram (values are in milliseconds)
       value  ------------- distribution ------------- count
       1.000 |****************************************  50
       2.000 |*******                                   45
       4.000 |                                          4
       8.000 |                                          1
SQL statistics:
    queries performed:
        total:                           2000
    transactions:                        100    (99.00 per sec.)
    queries:                             2000   (1980.12 per sec.)
General statistics:
    total time:                          1.0100s
"""

    def test_queries_are_counted_and_latencies_are_of_transactions(self):
        self.assertEqual(sysbench.figures(self.REPORT), {"operations": 2000, "seconds": 1.01, "rate": 1980.12,
                                                         "p50_us": 1000, "p95_us": 2000, "p99_us": 4000})

    def test_a_report_without_figures_is_a_failure(self):
        with self.assertRaises(Failure):
            sysbench.figures("FATAL: unable to connect to MySQL server")


if __name__ == "__main__":
    unittest.main()
