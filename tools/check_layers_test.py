#!/usr/bin/env python3
"""Tests of tools/check-layers: each kind of violation, planted in a small tree, is found."""

import importlib.machinery
import importlib.util
import json
import pathlib
import tempfile
import unittest

TOOLS = pathlib.Path(__file__).resolve().parent


def load_check_layers():
    loader = importlib.machinery.SourceFileLoader("check_layers", str(TOOLS / "check-layers"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("check_layers", loader))
    loader.exec_module(module)
    return module


check_layers = load_check_layers()

TABLE = {
    "modules": {
        "base": {"layer": 0, "may_include": []},
        "low": {"layer": 1, "may_include": []},
        "high": {"layer": 2, "may_include": ["low"]},
        "planned": {"layer": 3, "may_include": ["high"]},
        "apps/tool": {"layer": 4, "may_include": ["*"]},
    },
    "third_party": [
        {"prefixes": ["boost/json"], "modules": ["low"]},
        {"prefixes": ["boost/"], "modules": ["high"]},
        {"prefixes": ["sodium.h"], "modules": ["low"]},
        {"prefixes": ["fmt/"], "modules": ["*"]},
        {"prefixes": ["gtest/"], "modules": [], "tests": True},
    ],
}
ARCHITECTURE = """
| layer | module | purpose | may include |
| --- | --- | --- | --- |
| 0 | `base` | values | the standard library |
| 1 | `low` | low | |
| 2 | `high` | high | low |
| 4 | `apps/tool` | program | all |
"""


class CheckLayers(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        self.table = json.loads(json.dumps(TABLE))
        self.write("src/base/b.h", "#include <vector>\n")
        self.write("src/low/l.h", '#include "base/b.h"\n#include <boost/json/value.hpp>\n#include <boost/json.hpp>\n#include <sodium.h>\n')
        self.write("src/high/h.cpp", '#include "low/l.h"\n#include <boost/asio.hpp>\n#include <fmt/core.h>\n')
        self.write("src/high/h_test.cpp", '#include "high/h.h"\n#include <gtest/gtest.h>\n')
        self.write("apps/tool/main.h", "\n")
        self.write("apps/tool/main.cpp", '#include "high/h.h"\n#include "main.h"\n')

    def write(self, path, text):
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def found(self):
        self.write("tools/layers.json", json.dumps(self.table))
        return check_layers.violations(self.root)

    def assert_found(self, *expected):
        self.assertEqual(self.found(), list(expected))

    def test_a_tree_that_keeps_the_rules_has_no_violation(self):
        self.assert_found()

    def test_the_canary_violation_makes_the_program_fail(self):
        self.write("src/low/canary.h", '#include "high/h.h"\n')
        self.found()
        self.assertEqual(check_layers.main([str(self.root)]), 1)

    def test_an_upward_include_is_found_with_its_line(self):
        self.write("src/low/bad.cpp", '// first line\n#include "high/h.h"\n')
        self.assert_found("src/low/bad.cpp:2: low must not include high (high/h.h)")

    def test_base_may_include_nothing_of_ours(self):
        self.write("src/base/bad.h", '#include "low/l.h"\n')
        self.assert_found("src/base/bad.h:1: base must not include low (low/l.h)")

    def test_spaces_and_nested_directories_do_not_hide_an_include(self):
        self.write("src/low/deep/bad.h", '  #  include   "high/h.h"\n')
        self.assert_found("src/low/deep/bad.h:1: low must not include high (high/h.h)")

    def test_a_third_party_header_outside_its_module_is_found(self):
        self.write("src/low/bad.cpp", "#include <boost/asio.hpp>\n")
        self.write("src/high/bad.cpp", "#include <boost/json.hpp>\n#include <sodium.h>\n")
        self.assert_found(
            "src/low/bad.cpp:1: low must not include <boost/asio.hpp>",
            "src/high/bad.cpp:1: high must not include <boost/json.hpp>",
            "src/high/bad.cpp:2: high must not include <sodium.h>",
        )

    def test_a_test_header_in_product_code_is_found(self):
        self.write("src/low/bad.cpp", "#include <gtest/gtest.h>\n")
        self.assert_found("src/low/bad.cpp:1: low must not include <gtest/gtest.h>")

    def test_a_header_of_tests_may_include_a_test_header_and_only_tests_may_include_it(self):
        self.write("src/low/low_test_fixture.h", '#include "low/l.h"\n#include <gtest/gtest.h>\n')
        self.write("src/low/fine_test.cpp", '#include "low/low_test_fixture.h"\n')
        self.assert_found()
        self.write("src/low/bad.cpp", '#include "low/low_test_fixture.h"\n')
        self.assert_found("src/low/bad.cpp:1: low/low_test_fixture.h belongs to tests")

    def test_an_unknown_header_is_found(self):
        self.write("src/low/bad.cpp", "#include <left/pad.h>\n")
        self.assert_found("src/low/bad.cpp:1: <left/pad.h> is not in the table of third-party headers")

    def test_our_header_in_angle_brackets_is_found(self):
        self.write("src/low/bad.cpp", "#include <base/b.h>\n")
        self.assert_found('src/low/bad.cpp:1: <base/b.h> is ours: include it as "base/b.h"')

    def test_a_header_without_its_module_is_found(self):
        self.write("src/low/bad.cpp", '#include "l.h"\n')
        self.assert_found('src/low/bad.cpp:1: "l.h" must be included as "MODULE/l.h"')

    def test_a_third_party_header_in_quotes_is_found(self):
        self.write("src/low/bad.cpp", '#include "boost/asio.hpp"\n')
        self.assert_found(
            'src/low/bad.cpp:1: "boost/asio.hpp" is in no known module; third-party headers take angle brackets')

    def test_a_directory_without_a_row_is_found(self):
        self.write("src/stray/s.h", "\n")
        self.write("apps/other/main.cpp", "\n")
        self.write("src/loose.h", "\n")
        self.assert_found(
            "src/stray: has no row in tools/layers.json",
            "apps/other: has no row in tools/layers.json",
            "src/loose.h: belongs into the directory of a module",
        )

    def test_a_cycle_in_the_table_is_found(self):
        self.table["modules"]["low"]["may_include"] = ["high"]
        self.assert_found("tools/layers.json: low (layer 1) may include high (layer 2), which is not below it")

    def test_an_unknown_name_in_the_table_is_found(self):
        self.table["modules"]["low"]["may_include"] = ["ghost"]
        self.table["third_party"][0]["modules"] = ["phantom"]
        self.assert_found(
            "tools/layers.json: low may include ghost, which has no row",
            "tools/layers.json: boost/json names the module phantom, which has no row",
        )

    def test_documentation_that_agrees_is_accepted(self):
        self.write("docs/architecture.md", ARCHITECTURE)
        self.assert_found()

    def test_documentation_leaves_out_modules_that_are_only_planned(self):
        self.table["modules"]["apps/tool"]["may_include"] = ["planned", "high", "low"]
        self.write("docs/architecture.md", ARCHITECTURE.replace("| program | all |", "| program | high, low |"))
        self.assert_found()

    def test_documentation_that_disagrees_is_found(self):
        text = ARCHITECTURE.replace("| high | low |", "| high | base |").replace("| 1 | `low`", "| 2 | `low`")
        text = text.replace("| 4 | `apps/tool` | program | all |\n", "| 4 | `ghost` | | |\n")
        self.write("docs/architecture.md", text)
        self.assert_found(
            "docs/architecture.md:5: low is in layer 2 here and in 1 in tools/layers.json",
            "docs/architecture.md:6: high may include low after tools/layers.json",
            "docs/architecture.md:7: ghost has no row in tools/layers.json",
            "docs/architecture.md: apps/tool is missing in the table of modules",
        )

    def test_a_module_that_may_not_include_all_is_not_documented_so(self):
        self.write("docs/architecture.md", ARCHITECTURE.replace("| high | low |", "| high | all |"))
        self.assert_found("docs/architecture.md:6: high may not include all after tools/layers.json")


if __name__ == "__main__":
    unittest.main()
