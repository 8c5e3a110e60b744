// The subcommands. Each adds itself to the parser and runs when it was asked for.
#pragma once

#include <CLI/App.hpp>
#include <string>

namespace sallyport {

// As documented in docs/cli.md and at the end of every --help.
enum class ExitCode : int { ok = 0, failed = 1, usage = 2, invalid_configuration = 3 };

// `result` is set when the subcommand runs; it outlives the parsing.
void add_serve(CLI::App& parent, ExitCode& result);
void add_check_config(CLI::App& parent, ExitCode& result);
void add_sql(CLI::App& parent, ExitCode& result);
void add_sessions(CLI::App& parent, ExitCode& result);
void add_version(CLI::App& parent, ExitCode& result);

void add_audit(CLI::App& parent, ExitCode& result);

// Below `audit`.
void add_audit_verify(CLI::App& audit, ExitCode& result);
void add_audit_prove(CLI::App& audit, ExitCode& result);
void add_audit_check_proof(CLI::App& audit, ExitCode& result);
void add_audit_stats(CLI::App& audit, ExitCode& result);
void add_audit_sinks(CLI::App& audit, ExitCode& result);
void add_audit_search(CLI::App& audit, ExitCode& result);
void add_audit_prune(CLI::App& audit, ExitCode& result);

// Both below `dev`.
void add_dev_issuer(CLI::App& dev, ExitCode& result);
void add_dev_token(CLI::App& dev, ExitCode& result);

// The end of a --help: examples, one a line, and the exit codes.
std::string help_footer(const std::string& examples);

}  // namespace sallyport
