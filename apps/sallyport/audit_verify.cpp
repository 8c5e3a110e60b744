#include <CLI/CLI.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <cinttypes>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "answers_keys.h"
#include "audit/record.h"
#include "audit_files.h"
#include "cli.h"
#include "crypto/base64.h"
#include "store/log_verification.h"

namespace sallyport {

namespace {

namespace json = boost::json;

constexpr std::size_t copies_bytes_max = 256U << 20;

struct Options {
  std::string directory;
  std::string key_file;
  std::vector<std::string> checkpoints;
  std::vector<std::string> witness_files;
  std::vector<std::string> witness_keys;
  std::vector<std::string> answers_keys;
  bool without_answers = false;
  double wait_seconds = 4;
  unsigned threads = 0;
  bool as_json = false;
};

std::string text_of(const audit::RecordSpan& span) {
  return span.end == span.first + 1 ? std::to_string(span.first)
                                    : std::to_string(span.first) + " to " + std::to_string(span.end - 1);
}

json::object json_of(const audit::RecordSpan& span) {
  return {{"first", span.first}, {"end", span.end}};
}

std::string time_of(std::uint64_t seconds) {
  std::string text;
  constexpr std::uint64_t last = 253'402'300'799;  // of the year 9999
  audit::append_time(text, wall_from_unix_seconds(static_cast<std::int64_t>(std::min(seconds, last))));
  return text;
}

json::value json_of(const audit::AnswersReport& answers) {
  if (!answers.looked_at) {
    return nullptr;
  }
  return json::object{{"whole", answers.whole},
                      {"beginnings", answers.beginnings},
                      {"bytes", answers.bytes},
                      {"encrypted", answers.sealed},
                      {"deleted", answers.deleted},
                      {"wanted_keys", json::array(answers.wanted_keys.begin(), answers.wanted_keys.end())}};
}

json::array json_of(const std::vector<audit::WitnessReport>& witnesses) {
  json::array all;
  for (const audit::WitnessReport& witness : witnesses) {
    json::object one{{"name", witness.name}, {"covered", witness.covered}, {"checkpoints", witness.checkpoints}};
    if (witness.time) {
      one["time"] = time_of(*witness.time);
    }
    all.push_back(std::move(one));
  }
  return all;
}

json::object json_of(const audit::VerificationReport& report, const std::string& directory) {
  json::array proven;
  for (const audit::RecordSpan& span : report.proven) {
    proven.push_back(json_of(span));
  }
  json::array pruned;
  for (const audit::PrunedRange& range : report.pruned) {
    json::object one = json_of(range.records);
    one["time_first"] = range.time_first;
    one["time_last"] = range.time_last;
    pruned.push_back(std::move(one));
  }
  json::array findings;
  for (const audit::Finding& finding : report.findings) {
    json::object one{{"code", audit::name_of(finding.code)}, {"file", finding.file}, {"text", finding.text}};
    if (finding.records) {
      one["records"] = json_of(*finding.records);
    }
    findings.push_back(std::move(one));
  }
  return {{"directory", directory},
          {"origin", report.origin},
          {"verified", report.is_proven()},
          {"records_read", report.records},
          {"proven_end", report.proven_end},
          {"proven", std::move(proven)},
          {"pruned", std::move(pruned)},
          {"time_first", report.time_first},
          {"time_last", report.time_last},
          {"checkpoints", report.checkpoints},
          {"answers", json_of(report.answers)},
          {"witnesses", json_of(report.witnesses)},
          {"keys", json::array(report.keys.begin(), report.keys.end())},
          {"findings", std::move(findings)},
          {"findings_left_out", report.findings_left_out}};
}

void print(const audit::AnswersReport& answers) {
  if (!answers.looked_at) {
    say("answers    not looked at\n");
    return;
  }
  say("answers    %" PRIu64 " whole and %" PRIu64 " beginnings are as recorded, %" PRIu64 " bytes\n", answers.whole,
      answers.beginnings, answers.bytes);
  if (answers.sealed != 0) {
    std::string keys;
    for (const std::string& key : answers.wanted_keys) {
      keys += " " + shown(key);
    }
    say("           %" PRIu64 " are there, and not compared: encrypted with%s (--answers-key)\n", answers.sealed,
        keys.c_str());
  }
  if (answers.deleted != 0) {
    say("           %" PRIu64 " not compared: they begin among the deleted records\n", answers.deleted);
  }
}

void print(const audit::VerificationReport& report, const std::string& directory) {
  say("log        %s (%s)\n", report.origin.empty() ? "of no known name" : shown(report.origin).c_str(),
      directory.c_str());
  say("read       %" PRIu64 " records\n", report.records);
  if (report.proven.empty()) {
    say("proven     none\n");
  }
  for (const audit::RecordSpan& span : report.proven) {
    say("proven     records %s\n", text_of(span).c_str());
  }
  for (const audit::PrunedRange& range : report.pruned) {
    say("deleted    records %s, of %s to %s: their hashes are proven, no more\n", text_of(range.records).c_str(),
        shown(range.time_first).c_str(), shown(range.time_last).c_str());
  }
  if (!report.time_last.empty()) {
    say("times      from %s to %s, as the records say\n",
        report.time_first.empty() ? "(deleted)" : shown(report.time_first).c_str(), shown(report.time_last).c_str());
  }
  say("signed     %zu checkpoints, the newest of %" PRIu64 " records\n", report.checkpoints, report.proven_end);
  for (const std::string& key : report.keys) {
    say("key        %s\n", shown(key).c_str());
  }
  for (const audit::WitnessReport& witness : report.witnesses) {
    say("witness    %s covers the first %" PRIu64 " records (%" PRIu64 " checkpoints)%s%s\n",
        shown(witness.name).c_str(), witness.covered, witness.checkpoints, witness.time ? ", the last at " : "",
        witness.time ? time_of(*witness.time).c_str() : "");
  }
  print(report.answers);
  for (const audit::Finding& finding : report.findings) {
    say("FINDING    %s: %s\n", std::string(audit::name_of(finding.code)).c_str(), shown(finding.text).c_str());
  }
  if (report.findings_left_out != 0) {
    say("           and %" PRIu64 " more\n", report.findings_left_out);
  }
  say("%s\n", report.is_proven() ? "VERIFIED" : "NOT VERIFIED");
}

ExitCode run(const Options& options) {
  auto key = read_given_file(options.key_file, key_file_bytes_max);
  if (!key) {
    return failed(key.error());
  }
  store::VerificationOptions verification{.directory = options.directory, .public_key = std::move(*key), .saved = {}};
  for (const std::string& file : options.checkpoints) {
    auto note = read_given_file(file, audit::note_bytes_max);
    if (!note) {
      return failed(note.error());
    }
    verification.saved.push_back({.name = file, .note = std::move(*note)});
  }
  for (const std::string& file : options.witness_files) {
    auto notes = read_given_file(file, copies_bytes_max);
    if (!notes) {
      return failed(notes.error());
    }
    verification.copies.push_back({.name = file, .note = std::move(*notes)});
  }
  for (const std::string& given : options.witness_keys) {
    bool is_line = given.find('+') != std::string::npos;
    auto line = is_line ? Result<std::string, std::string>(given) : read_given_file(given, key_file_bytes_max);
    if (!line) {
      return failed(line.error());
    }
    verification.witness_keys.push_back(std::move(*line));
  }
  auto answers_keys = load_answers_keys(options.answers_keys, {});
  if (!answers_keys) {
    return failed(answers_keys.error());
  }
  verification.answers_keys = std::move(*answers_keys);
  verification.answers = options.without_answers ? store::VerificationOptions::Answers::left_aside
                                                 : store::VerificationOptions::Answers::verified;
  verification.threads = options.threads != 0 ? options.threads : std::max(1U, std::thread::hardware_concurrency());
  verification.patience = Milliseconds{static_cast<std::int64_t>(options.wait_seconds * 1000)};
  auto report = store::verify_log(verification);
  if (!report) {
    return failed(report.error());
  }
  if (options.as_json) {
    say_json(json_of(*report, options.directory));
  } else {
    print(*report, options.directory);
  }
  return report->is_proven() ? ExitCode::ok : ExitCode::failed;
}

}  // namespace

void add_audit_verify(CLI::App& audit, ExitCode& result) {
  auto options = std::make_shared<Options>();
  auto* command = audit.add_subcommand("verify",
                                       "Proves that an audit log is whole and unaltered, from its files and the public "
                                       "key alone; says which records are "
                                       "proven, and what was found otherwise. Status 0 only when all is proven.");
  command->add_option("DIR", options->directory, "The log's directory.")->required();
  command->add_option("--public-key", options->key_file, "The public key: a verifier key's line, or PEM.")
      ->type_name("FILE")
      ->required();
  command
      ->add_option("--checkpoint", options->checkpoints,
                   "A checkpoint that was saved elsewhere: the log must be a continuation of it. May be repeated.")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      ->add_option(
          "--witness-file", options->witness_files,
          "A witness' file of copies: the log must be a continuation of each checkpoint in it. May be repeated.")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command
      ->add_option("--witness-key", options->witness_keys,
                   "A witness' verifier key, its line or a file that has it: which records its cosignatures cover is "
                   "said, and there must be one. May be repeated.")
      ->type_name("KEY")
      ->allow_extra_args(false);
  add_answers_keys(*command, "A key that encrypted recorded answers. May be repeated.", options->answers_keys);
  command->add_flag("--without-answers", options->without_answers,
                    "Leave recorded answers aside: only records are verified.");
  command
      ->add_option(
          "--wait", options->wait_seconds,
          "How long a checkpoint over the last records is waited for, in seconds: the log may be written meanwhile.")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  command->add_option("--threads", options->threads, "Threads that hash; 0: one for each processor.")
      ->type_name("N")
      ->check(CLI::Range(0U, 256U))
      ->capture_default_str();
  command->add_flag("--json", options->as_json, "The result as JSON.");
  command->footer(
      help_footer("  sallyport audit verify /var/lib/sallyport/audit --public-key audit.key.pub\n"
                  "  sallyport audit verify copy --public-key audit.key.pub --checkpoint june.checkpoint --json\n"
                  "  sallyport audit verify copy --public-key audit.key.pub --answers-key answers.key\n"));
  command->callback([options, &result] { result = run(*options); });
}

}  // namespace sallyport
