"""The benchmark's harness: starts targets, runs bench/load against them in turn, and reports."""
