#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <chrono>
#include <memory>
#include <thread>

#include "answers_keys.h"
#include "review/replay.h"
#include "review/time_range.h"
#include "sessions.h"
#include "store/answer_blob.h"

namespace sallyport {
namespace {

// Of one answer so much is read.
constexpr std::uint64_t answer_bytes_max = 256U << 20;

struct Options {
  LogPlace place;
  std::string session;
  std::string speed = "1";
  std::string pause_max;
  std::size_t rows = review::AnswerLimits{}.rows_max;
  std::size_t value_bytes = review::AnswerLimits{}.cell_bytes_max;
};

// How many times faster; nothing for no pauses at all.
std::optional<double> speed_of(const std::string& text) {
  if (text == "max") {
    return std::nullopt;
  }
  double speed = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), speed, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + text.size() || speed < 0.01 || speed > 1e6) {
    throw CLI::ValidationError("--speed", "a number from 0.01 to 1000000, or max");
  }
  return speed;
}

class Pace {
 public:
  Pace(std::optional<double> speed, std::optional<Nanoseconds> pause_max) : speed_(speed), pause_max_(pause_max) {}

  void wait_until(std::int64_t time) {
    std::int64_t passed = last_ == 0 ? 0 : std::max<std::int64_t>(0, time - last_);
    last_ = std::max(last_, time);
    if (!speed_ || passed == 0) {
      return;
    }
    auto pause = Nanoseconds{static_cast<std::int64_t>(static_cast<double>(passed) / *speed_)};
    std::this_thread::sleep_for(pause_max_ ? std::min(pause, *pause_max_) : pause);
  }

 private:
  std::optional<double> speed_;
  std::optional<Nanoseconds> pause_max_;
  std::int64_t last_ = 0;
};

ExitCode replay(const Options& options) {
  std::optional<Nanoseconds> pause_max;
  if (!options.pause_max.empty()) {
    pause_max = review::parse_duration(options.pause_max);
    if (!pause_max) {
      throw CLI::ValidationError("--max-pause", "a duration: 500ms, 2s");
    }
  }
  Pace pace{speed_of(options.speed), pause_max};
  auto directory = log_directory(options.place);
  if (!directory) {
    return directory.error();
  }
  auto log = open_log(options.place);
  if (!log) {
    return log.error();
  }
  auto id = find_session(*log, options.session);
  if (!id) {
    return id.error();
  }
  auto story = story_of(*log, *id);
  if (!story) {
    return story.error();
  }
  auto keys = load_answers_keys(options.place.answers_keys, options.place.config);
  if (!keys) {
    return fail(keys.error());
  }
  store::AnswerOpener opener(std::move(keys).value());
  auto find = [&](const review::AnswerKey& key) {
    return store::read_answer(store::answer_files(*directory, key.command_number, key.outcome_number), key.session,
                              key.command_seq, std::min(answer_bytes_max, key.recorded_bytes), opener);
  };
  review::AnswerLimits limits;
  limits.rows_max = options.rows == 0 ? SIZE_MAX : options.rows;
  limits.cell_bytes_max = options.value_bytes == 0 ? SIZE_MAX : options.value_bytes;
  auto done = review::replay(*story, find, limits, [&](const review::ReplayStep& step) {
    pace.wait_until(step.time);
    return print(step.text) && std::fflush(stdout) == 0;
  });
  return done ? ExitCode::ok : fail(done.error());
}

}  // namespace

void add_sessions_replay(CLI::App& sessions, ExitCode& result) {
  auto options = std::make_shared<Options>();
  auto* command = sessions.add_subcommand(
      "replay", "Shows a session as its client saw it: statements, and their answers where they are recorded.");
  command->add_option("session", options->session, "Its id, or the beginning of it.")->required()->type_name("SESSION");
  add_log_place(*command, options->place);
  add_unsealing(*command, options->place);
  command->add_option("--speed", options->speed, "How many times as fast as it was; max for no pauses.")
      ->capture_default_str();
  command->add_option("--max-pause", options->pause_max, "The longest pause: 2s.")->type_name("DURATION");
  command->add_option("--rows", options->rows, "Rows shown of each result; 0 for all.")->capture_default_str();
  command->add_option("--value-bytes", options->value_bytes, "Bytes shown of each value; 0 for all.")
      ->capture_default_str();
  command->footer(
      help_footer("  sallyport sessions replay --dir audit 4c1f0a9b77e2\n"
                  "  sallyport sessions replay --dir audit 4c1f0a9b77e2 --speed 4 --max-pause 2s\n"
                  "  sallyport sessions replay --dir audit 4c1f0a9b77e2 --speed max | less\n"
                  "  sallyport sessions replay --dir audit 4c1f0a9b77e2 --answers-key answers.key\n"));
  command->callback([options, &result] { result = replay(*options); });
}

}  // namespace sallyport
