// Proof files, and statements alone: each has one spelling, and none is taken for proven by a key that signed nothing
// of it.
#include "audit/proof_file.h"
#include "base/check.h"
#include "fuzz/targets.h"

namespace sallyport::fuzz {

void fuzz_audit_proof(Bytes input) {
  if (auto statement = audit::parse_statement(text_of(input))) {
    std::string spelled = to_json_line(*statement);
    SALLYPORT_CHECK(spelled == text_of(input) || spelled == std::string(text_of(input)) + "\n");
    (void)open_hand_over(*statement);
  }
  auto read = audit::parse_proof_file(text_of(input));
  if (!read) {
    return;
  }
  std::string line = audit::to_json_line(*read);
  SALLYPORT_CHECK(line == text_of(input) || line == std::string(text_of(input)) + "\n");
  // The key of Go's example of a signed note, which signed no checkpoint.
  auto checked = audit::check_proof(*read, "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
  SALLYPORT_CHECK(!checked.has_value());
}

}  // namespace sallyport::fuzz
