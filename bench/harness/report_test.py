"""Tests of the report: `bench/harness/report_test.py`."""

import sys
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from harness.report import COLUMNS, summarize, table, whole_table  # noqa: E402
from harness.workloads import Workload  # noqa: E402


def figures(rate, cpu=None):
    found = {"rate": rate, "p50_us": 1.0, "p95_us": 2.0, "p99_us": 3.0}
    return found if cpu is None else {**found, "cpu_us_per_operation": cpu}


class Report(unittest.TestCase):
    def setUp(self):
        measured = {"text-8": {
            "direct-tls": [figures(1000), figures(500), figures(900)],
            "relay": [figures(800, 10.0), figures(400, 30.0), figures(700, 20.0)],
            "relay-tls": [figures(500, 20.0), figures(100, 60.0), figures(450, 30.0)],
            "sallyport": [figures(400, 30.0), figures(80, 60.0), figures(440, 60.0)]}}
        self.summary = summarize(measured, {"direct-tls", "relay-tls", "sallyport"})["text-8"]

    def test_a_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_medians(self):
        self.assertEqual(self.summary["sallyport"]["median"]["cpu_us_per_operation"], 60.0)
        self.assertEqual(self.summary["sallyport"]["ratio_to"]["relay-tls"]["cpu_us_per_operation"],
                         {"median": 1.5, "quartiles": [1.25, 1.75]})
        self.assertEqual(self.summary["sallyport"]["ratio_to"]["direct-tls"]["rate"]["median"], 0.4)

    def test_a_target_is_compared_with_those_alike_in_tls(self):
        self.assertEqual(set(self.summary["sallyport"]["ratio_to"]), {"direct-tls", "relay-tls"})
        self.assertEqual(self.summary["relay"]["ratio_to"], {})

    def test_a_direct_connection_has_no_cpu_of_its_own(self):
        self.assertNotIn("cpu_us_per_operation", self.summary["relay-tls"]["ratio_to"]["direct-tls"])

    def test_the_table_has_a_row_for_each_target_and_no_empty_column(self):
        workloads = {"text-8": Workload("text-8", "point-text", 8, "query")}
        lines = whole_table({"text-8": self.summary}, workloads, {}).splitlines()
        self.assertEqual(len(lines), 2 + 4)
        self.assertNotIn("syscalls", lines[0])
        self.assertNotIn("CPU × other", lines[0])
        self.assertEqual({len(line) for line in lines}, {len(lines[0])})
        self.assertIn("1.50 (1.25-1.75)", lines[-1])

    def test_a_table_without_rows_is_a_table_still(self):
        self.assertEqual(len(table([["x"] * len(COLUMNS)]).splitlines()), 3)


if __name__ == "__main__":
    unittest.main()
