// Audit records: one of a command and one of its outcome, for every statement.
#include <benchmark/benchmark.h>

#include <string>

#include "audit/record.h"
#include "session/records.h"

namespace sallyport::bench {
namespace {

constexpr WallTime now = wall_from_unix_seconds(1'800'000'000);

// Counts bytes and forgets them.
class Nowhere final : public audit::Sink {
 public:
  bool append(std::string_view line) override {
    bytes_ += line.size();
    return true;
  }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_ = 0;
};

void write_record(benchmark::State& state) {
  std::string line;
  for (auto _ : state) {
    line.clear();
    audit::RecordWriter record{line};
    record.text("command", "query");
    record.text_if_any("rule", "allow-all");
    record.text_if_any("schema", "shop");
    record.number("seq", 12);
    record.text("session", "0123456789abcdef");
    record.text("text", "SELECT c FROM points WHERE id = 50321");
    record.time("time", now);
    record.text("type", "command");
    record.end();
    benchmark::DoNotOptimize(line.data());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(line.size()));
}
BENCHMARK(write_record);

// As the session does it.
void write_command_and_outcome(benchmark::State& state, std::string_view text) {
  const session::SessionOrigin origin{
      .session_id = "0123456789abcdef", .connection_id = 1, .client_address = "127.0.0.1:50123"};
  Nowhere sink;
  session::SessionRecords records{origin, sink};
  const session::CommandRecord command{
      .command = wire::Command::query, .opcode = 3, .schema = "shop", .text = text, .rule = "allow-all"};
  const std::string answer_bytes(190, 'a');
  session::AnswerTrace answer;
  for (auto _ : state) {
    records.command(command, now);
    answer.begin({}, sink, origin.session_id, records.last_seq());
    answer.add(bytes_of(answer_bytes));
    records.outcome({.of = records.last_seq(), .status = "ok", .rows = 1, .results = 1, .answer = &answer}, now);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(sink.bytes()));
}
BENCHMARK_CAPTURE(write_command_and_outcome, point_select, "SELECT c FROM points WHERE id = 50321");
BENCHMARK_CAPTURE(write_command_and_outcome, statement_of_2_kib, std::string(2048, 'x'));

}  // namespace
}  // namespace sallyport::bench
