// Frames and answers, as they are read of a stream.
#include <benchmark/benchmark.h>

#include "answers.h"
#include "wire/frame.h"
#include "wire/response_reader.h"

namespace sallyport::bench {
namespace {

constexpr std::size_t rows_of_64_kib = 330;

// Frame headers alone: what no reader of the protocol can do without.
void scan_frames(benchmark::State& state) {
  const auto stream = text_result(rows_of_64_kib, leg_without_eof);
  for (auto _ : state) {
    Bytes rest{stream};
    std::uint8_t sequence_id = 1;
    while (!rest.empty()) {
      auto message = wire::find_message(rest, sequence_id, wire::control_packet_bytes_max);
      SALLYPORT_CHECK(message.has_value() && message->has_value());
      sequence_id = (*message)->next_sequence_id;
      rest = rest.subspan((*message)->frame_bytes);
    }
    benchmark::DoNotOptimize(sequence_id);
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(stream.size()));
}
BENCHMARK(scan_frames);

void read_response(benchmark::State& state, std::size_t rows) {
  const auto stream = text_result(rows, leg_without_eof);
  wire::ResponseReader reader;
  for (auto _ : state) {
    reader.start(wire::Command::query, leg_without_eof);
    Bytes rest{stream};
    while (!reader.done()) {
      auto step = reader.next(rest);
      SALLYPORT_CHECK(step.has_value() && step->bytes > 0);
      rest = rest.subspan(step->bytes);
    }
    benchmark::DoNotOptimize(reader.rows());
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(stream.size()));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
}
BENCHMARK_CAPTURE(read_response, one_row, 1);
BENCHMARK_CAPTURE(read_response, rows_of_64_kib, rows_of_64_kib);

}  // namespace
}  // namespace sallyport::bench
