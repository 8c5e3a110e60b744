// Signed notes, checkpoints and verifier keys: what is read says the same when written, and nothing is trusted that the
// key did not sign.
#include "audit/checkpoint.h"

#include "base/check.h"
#include "fuzz/targets.h"

namespace sallyport::fuzz {
namespace {

audit::NoteSigner signer() {
  const std::vector<std::uint8_t> seed(32, 1);
  auto key = crypto::PrivateKey::ed25519_from_seed(seed);
  auto made = audit::NoteSigner::make(std::move(key.value()), "log.example");
  return std::move(made.value());
}

}  // namespace

void fuzz_audit_checkpoint(Bytes input) {
  static const audit::NoteSigner known = signer();
  std::string_view text = text_of(input);
  if (auto read = audit::parse_checkpoint(text)) {
    SALLYPORT_CHECK(audit::text_of(read->checkpoint) == read->note.text);
    SALLYPORT_CHECK(!read->note.signatures.empty());
    SALLYPORT_CHECK(text.starts_with(read->note.text));
  }
  if (auto opened = audit::open(text, {&known.verifier_key(), 1})) {
    // The search has no private key: only what is in a seed can be signed.
    const audit::NoteSigner* signers[] = {&known};
    std::string note = audit::sign(*opened, signers);
    SALLYPORT_CHECK(text.starts_with(audit::text_of(*opened)));
    SALLYPORT_CHECK(text.find(note.substr(audit::text_of(*opened).size() + 1)) != std::string_view::npos);
  }
  if (auto key = audit::NoteKey::parse(text)) {
    SALLYPORT_CHECK(key->to_line() == text || key->to_line() + "\n" == text);
  }
  audit::NoteList list = audit::split_notes(text);
  std::size_t bytes = 0;
  for (std::string_view note : list.notes) {
    bytes += note.size() + 1;
  }
  SALLYPORT_CHECK(bytes == list.taken && list.taken <= text.size());
}

}  // namespace sallyport::fuzz
