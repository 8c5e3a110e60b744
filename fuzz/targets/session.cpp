// A whole session: the input chooses the peers' manners, their bytes, faults and the passing of time. The properties
// are those that tests/simulation checks after each event.
//
// Input: a byte of options, 24 bytes that lay out the scenario, then operations (enum Operation), each with its
// operands.
#include <algorithm>
#include <cstdio>

#include "base/check.h"
#include "fuzz/targets.h"
#include "simulation/world.h"

namespace sallyport::fuzz {
namespace {

using simulation::Buffer;

constexpr std::size_t scenario_bytes = 24;
constexpr int steps_at_rest_max = 64;

enum class Operation : std::uint8_t {
  client_bytes,    // count, bytes
  client_command,  // count, payload: a frame with the sequence id 0
  backend_bytes,   // count, bytes
  backend_packet,  // sequence id, count, payload
  steps,           // count
  all_steps,       // until nothing happens by itself
  short_time,      // units of 16 ms
  long_time,       // units of 16 s
  fault            // which
};
constexpr std::uint8_t operation_count = 9;

// The operations that follow the scenario.
class Operations {
 public:
  explicit Operations(Bytes input) : input_(input) {}
  bool at_end() const { return input_.empty(); }
  std::uint8_t byte() { return at_end() ? std::uint8_t{0} : take(1)[0]; }
  Bytes take(std::size_t count) {
    Bytes taken = input_.first(std::min(count, input_.size()));
    input_ = input_.subspan(taken.size());
    return taken;
  }
  Buffer packet(std::uint8_t sequence_id) {
    Bytes payload = take(byte());
    Buffer out;
    wire::PacketWriter writer{out};
    writer.begin(sequence_id);
    writer.bytes(payload);
    writer.end();
    return out;
  }

 private:
  Bytes input_;
};

// `input` is the whole one: what is looked for in records and answers is not in it, whatever it is.
simulation::Scenario scenario_of(Bytes input) {
  std::uint8_t options = input[0];
  simulation::InputChoices choices{input.subspan(1, scenario_bytes)};
  simulation::Scenario scenario = simulation::random_scenario(choices);
  scenario.client.token = "token-" + simulation::hex_digest(text_of(input));
  scenario.database_password = "password-" + simulation::hex_digest(text_of(input));
  scenario.fault = simulation::Fault::none;
  scenario.backend.reads_strictly = false;
  scenario.backend.answers_commands = (options & 2) == 0;
  if ((options & 1) != 0) {
    scenario.client.manners = simulation::ClientManners::sha2;
    scenario.backend.manners = simulation::BackendManners::sha2_fast;
  }
  return scenario;
}

void perform(Operation operation, Operations& operations, simulation::World& world) {
  switch (operation) {
    case Operation::client_bytes:
      world.inject_client_bytes(operations.take(operations.byte()));
      break;
    case Operation::client_command:
      world.inject_client_bytes(operations.packet(0));
      break;
    case Operation::backend_bytes:
      world.inject_backend_bytes(operations.take(operations.byte()));
      break;
    case Operation::backend_packet:
      world.inject_backend_bytes(operations.packet(operations.byte()));
      break;
    case Operation::steps:
      for (int i = operations.byte() % 16; i > 0 && world.step(); --i) {
      }
      break;
    case Operation::all_steps:
      for (int i = steps_at_rest_max; i > 0 && world.step(); --i) {
      }
      break;
    case Operation::short_time:
      world.pass_time(Milliseconds{16 * operations.byte()});
      break;
    case Operation::long_time:
      world.pass_time(Milliseconds{16'000 * operations.byte()});
      break;
    case Operation::fault:
      world.inject(static_cast<simulation::Fault>(operations.byte() % simulation::fault_count));
      break;
  }
}

}  // namespace

void fuzz_session(Bytes input) {
  if (input.size() < 1 + scenario_bytes) {
    return;
  }
  std::uint8_t options = input[0];
  simulation::SeededChoices choices{options};
  simulation::World world{scenario_of(input), choices};
  if ((options & 1) != 0 && !world.log_in()) {
    SALLYPORT_CHECK(world.failure().empty());
    return;  // the scenario itself prevents it
  }
  Operations operations{input.subspan(1 + scenario_bytes)};
  while (!operations.at_end() && world.failure().empty() && !world.session().ended()) {
    perform(static_cast<Operation>(operations.byte() % operation_count), operations, world);
  }
  world.finish();
  if (!world.failure().empty()) {
    std::string failure = world.failure();
    std::replace(failure.begin(), failure.end(), '\0', '?');  // it may quote what was sent
    std::fprintf(stderr, "session: %s\n", failure.c_str());
  }
  SALLYPORT_CHECK(world.failure().empty());
}

}  // namespace sallyport::fuzz
