#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "audit_files.h"
#include "cli.h"
#include "review/display_text.h"
#include "store/log_proof.h"

namespace sallyport {

namespace {

struct ProveOptions {
  std::string id;
  std::string directory;
};

struct CheckOptions {
  std::string proof_file;
  std::string key_file;
  bool as_json = false;
};

std::optional<std::uint64_t> parse_number(std::string_view text) {
  std::uint64_t number = 0;
  auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  return text.empty() || fault != std::errc{} || end != text.data() + text.size() ? std::nullopt
                                                                                  : std::optional(number);
}

// An index, or SESSION/SEQ.
std::string fault_of_id(const std::string& id) {
  std::size_t slash = id.rfind('/');
  bool good = slash == std::string::npos
                  ? parse_number(id).has_value()
                  : slash != 0 && parse_number(std::string_view(id).substr(slash + 1)).has_value();
  return good ? "" : "must be a record's index, or SESSION/SEQ";
}

ExitCode prove(const ProveOptions& options) {
  std::size_t slash = options.id.rfind('/');
  std::optional<std::uint64_t> index = parse_number(options.id);
  if (slash != std::string::npos) {
    auto found = store::find_record(options.directory, options.id.substr(0, slash),
                                    *parse_number(std::string_view(options.id).substr(slash + 1)));
    if (!found) {
      return failed(found.error());
    }
    if (!*found) {
      return failed("the log has no record " + options.id);
    }
    index = *found;
  }
  constexpr Milliseconds patience{4000};
  auto proof = store::prove_record(options.directory, *index, patience);
  if (!proof) {
    return failed(proof.error());
  }
  std::string line = audit::to_json_line(*proof);
  if (::isatty(STDOUT_FILENO) != 0) {  // which is not to act upon any; a file has the record's own bytes
    line.pop_back();
    line = review::json_for_terminal(line) + "\n";
  }
  std::fwrite(line.data(), 1, line.size(), stdout);
  return ExitCode::ok;
}

ExitCode check(const CheckOptions& options) {
  auto text = read_given_file(options.proof_file, audit::proof_file_bytes_max);
  auto key = read_given_file(options.key_file, key_file_bytes_max);
  if (!text || !key) {
    return failed(!text ? text.error() : key.error());
  }
  auto file = audit::parse_proof_file(*text);
  if (!file) {
    return failed(options.proof_file + " is " + file.error());
  }
  auto proven = audit::check_proof(*file, *key);
  if (!proven) {
    return failed("NOT PROVEN: " + proven.error());
  }
  if (options.as_json) {
    boost::json::object said{{"proven", true},
                             {"index", file->statement.index},
                             {"record", file->statement.record},
                             {"origin", proven->checkpoint.origin},
                             {"size", proven->checkpoint.size},
                             {"key", proven->key}};
    say_json(said);
  } else {
    say("PROVEN: record %" PRIu64 " of %" PRIu64 " in the log %s, signed by %s\n", file->statement.index,
        proven->checkpoint.size, shown(proven->checkpoint.origin).c_str(), shown(proven->key).c_str());
    say("%s\n", shown(file->statement.record).c_str());
  }
  return ExitCode::ok;
}

}  // namespace

void add_audit_prove(CLI::App& audit, ExitCode& result) {
  auto options = std::make_shared<ProveOptions>();
  auto* command = audit.add_subcommand(
      "prove", "Prints one record with the proof that it is in the log, as JSON that `check-proof` verifies anywhere.");
  command->add_option("ID", options->id, "The record: its index in the log, or SESSION/SEQ.")
      ->required()
      ->check(CLI::Validator(fault_of_id, "", ""));
  command->add_option("--directory", options->directory, "The log's directory.")->type_name("DIR")->required();
  command->footer(
      help_footer("  sallyport audit prove 1234 --directory /var/lib/sallyport/audit > proof.json\n"
                  "  sallyport audit prove 0f3a5c7e-12/7 --directory /var/lib/sallyport/audit > proof.json\n"));
  command->callback([options, &result] { result = prove(*options); });
}

void add_audit_check_proof(CLI::App& audit, ExitCode& result) {
  auto options = std::make_shared<CheckOptions>();
  auto* command = audit.add_subcommand(
      "check-proof", "Verifies a record and its proof, as `prove` prints them, with nothing but the public key.");
  command->add_option("FILE", options->proof_file, "The proof.")->required();
  command->add_option("--public-key", options->key_file, "The public key: a verifier key's line, or PEM.")
      ->type_name("FILE")
      ->required();
  command->add_flag("--json", options->as_json, "The result as JSON.");
  command->footer(help_footer("  sallyport audit check-proof proof.json --public-key audit.key.pub\n"));
  command->callback([options, &result] { result = check(*options); });
}

}  // namespace sallyport
