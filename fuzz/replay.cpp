// Runs one target over files: fuzz_replay TARGET FILE...
//
// The bytes are copied into a block of their exact size, so that the address sanitizer sees a read beyond them.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "fuzz/targets.h"

namespace {

struct Target {
  std::string_view name;
  void (*run)(sallyport::Bytes);
};

constexpr Target targets[] = {{"frame", sallyport::fuzz::fuzz_frame},
                              {"compressed_frames", sallyport::fuzz::fuzz_compressed_frames},
                              {"greeting", sallyport::fuzz::fuzz_greeting},
                              {"handshake_response", sallyport::fuzz::fuzz_handshake_response},
                              {"auth_packets", sallyport::fuzz::fuzz_auth_packets},
                              {"command", sallyport::fuzz::fuzz_command},
                              {"response_packets", sallyport::fuzz::fuzz_response_packets},
                              {"session_track", sallyport::fuzz::fuzz_session_track},
                              {"response_reader", sallyport::fuzz::fuzz_response_reader},
                              {"json", sallyport::fuzz::fuzz_json},
                              {"jwks", sallyport::fuzz::fuzz_jwks},
                              {"token", sallyport::fuzz::fuzz_token},
                              {"config", sallyport::fuzz::fuzz_config},
                              {"sql_lexer", sallyport::fuzz::fuzz_sql_lexer},
                              {"sql_statement", sallyport::fuzz::fuzz_sql_statement},
                              {"catalogue", sallyport::fuzz::fuzz_catalogue},
                              {"audit_record", sallyport::fuzz::fuzz_audit_record},
                              {"proxy_header", sallyport::fuzz::fuzz_proxy_header},
                              {"session", sallyport::fuzz::fuzz_session},
                              {"audit_checkpoint", sallyport::fuzz::fuzz_audit_checkpoint},
                              {"audit_range", sallyport::fuzz::fuzz_audit_range},
                              {"answer_pieces", sallyport::fuzz::fuzz_answer_pieces},
                              {"record_seal", sallyport::fuzz::fuzz_record_seal},
                              {"log_index", sallyport::fuzz::fuzz_log_index},
                              {"add_checkpoint", sallyport::fuzz::fuzz_add_checkpoint},
                              {"audit_proof", sallyport::fuzz::fuzz_audit_proof},
                              {"audit_records", sallyport::fuzz::fuzz_audit_records},
                              {"sink_message", sallyport::fuzz::fuzz_sink_message},
                              {"canary", sallyport::fuzz::fuzz_canary}};

bool replay(const Target& target, const char* path) {
  std::ifstream file(path, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (!file) {
    std::fprintf(stderr, "fuzz_replay: can't read %s\n", path);
    return false;
  }
  auto exact = std::make_unique<std::uint8_t[]>(content.size());
  std::copy(content.begin(), content.end(), exact.get());
  target.run({exact.get(), content.size()});
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  for (const Target& target : targets) {
    if (argc >= 2 && target.name == argv[1]) {
      bool all_read = true;
      for (int i = 2; i < argc; ++i) {
        all_read = replay(target, argv[i]) && all_read;
      }
      return all_read ? 0 : 1;
    }
  }
  std::fprintf(stderr, "Usage: fuzz_replay TARGET FILE...\nTargets:");
  for (const Target& target : targets) {
    std::fprintf(stderr, " %s", std::string(target.name).c_str());
  }
  std::fprintf(stderr, "\n");
  return 2;
}
