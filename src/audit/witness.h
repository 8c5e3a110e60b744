// The call by which a log has a checkpoint cosigned: C2SP tlog-witness (https://c2sp.org/tlog-witness), add-checkpoint.
// What is sent, and what a witness makes of it; no I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/checkpoint.h"
#include "audit/cosignature.h"
#include "audit/proof.h"

namespace sallyport::audit {

inline constexpr std::size_t consistency_lines_max = 63;
inline constexpr std::size_t add_checkpoint_bytes_max = 8U << 10;

struct AddCheckpoint {
  std::uint64_t old_size = 0;  // of the checkpoint that the witness cosigned last, as the log thinks
  std::vector<Hash> proof;     // of consistency, from there to the checkpoint
  std::string note;            // the checkpoint
};
std::string to_text(const AddCheckpoint& request);
// Nothing when it is malformed; the note is not looked at.
std::optional<AddCheckpoint> parse_add_checkpoint(std::string_view text);

// What a witness answers.
struct WitnessAnswer {
  std::uint16_t status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};
inline constexpr std::string_view tlog_size_type = "text/x.tlog.size";

struct CheckedRequest {
  AddCheckpoint request;
  SignedCheckpoint checkpoint;
};
// Whose checkpoint it is, and that the log signed it; `keys` are of all logs that are witnessed, each of which has its
// origin as the name. The error is the answer that refuses: 400 malformed, or an old size beyond the checkpoint's; 403
// not signed by a key of that log; 404 no such log.
Result<CheckedRequest, WitnessAnswer> check_add_checkpoint(std::string_view body, std::span<const NoteKey> keys);
// Whether it goes on from what is known of that log. 200, and the checkpoint is to be kept and then cosigned; 409
// another old size, or another tree of the same size; 422 not consistent.
WitnessAnswer judge(const CheckedRequest& checked, const std::optional<TreeHead>& known);

// What the log makes of an answer of status 200: the note with the witness' cosignature behind its own signatures.
// Nothing when there is no valid one of that key.
std::optional<std::string> with_cosignature(std::string_view note, std::string_view answer, const WitnessKey& key);
// The size that an answer of status 409 says.
std::optional<std::uint64_t> size_of_conflict(std::string_view answer);

}  // namespace sallyport::audit
