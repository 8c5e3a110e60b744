// An answer's way from the server's input buffer to the client's output queue.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <array>

#include "answers.h"
#include "session/answer_relay.h"

namespace sallyport::bench {
namespace {

constexpr std::size_t rows_of_16_kib = 80;
constexpr std::size_t buffer_bytes_max = 1U << 20;

// The whole answer is there at once and the client takes everything at once.
void relay_answer(benchmark::State& state, std::size_t rows, const session::Legs& legs) {
  const auto stream = text_result(rows, legs.backend);
  session::InputBuffer from;
  session::OutputQueue to{from};
  session::AnswerRelay relay;
  session::TrackedState tracked;
  std::array<Bytes, 16> pieces;
  for (auto _ : state) {
    for (Bytes rest{stream}; !rest.empty();) {
      MutableBytes space = from.space(buffer_bytes_max);
      std::size_t part = std::min(space.size(), rest.size());
      std::copy_n(rest.begin(), part, space.begin());
      from.received(part);
      rest = rest.subspan(part);
    }
    relay.start(wire::Command::query, legs, {.client = 1, .backend = 1}, {});
    auto step = relay.relay(from, to, tracked);
    SALLYPORT_CHECK(step.has_value() && *step == session::AnswerRelay::Step::done);
    while (!to.empty()) {
      std::size_t bytes = 0;
      for (std::size_t at = 0, count = to.gather(pieces); at < count; ++at) {
        bytes += pieces[at].size();
      }
      to.sent(bytes);
    }
  }
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(stream.size()));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
}
constexpr session::Legs alike{.client = leg_without_eof, .backend = leg_without_eof};
constexpr session::Legs unlike{.client = leg, .backend = leg_without_eof};
BENCHMARK_CAPTURE(relay_answer, one_row, 1, alike);
BENCHMARK_CAPTURE(relay_answer, one_row_rewritten, 1, unlike);
BENCHMARK_CAPTURE(relay_answer, rows_of_16_kib, rows_of_16_kib, alike);

}  // namespace
}  // namespace sallyport::bench
