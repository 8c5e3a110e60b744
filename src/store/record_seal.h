// The member "sealed" of a record: members that only the holders of a key may read, in place of which the record has
// others, or none. docs/audit-format.md has the form.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "audit/sink.h"
#include "store/sealer.h"

namespace sallyport::store {

// Appends the member's value. `sealer` is for literals; a session's id has 255 bytes at most.
void append_sealed(std::string& out, Sealer& sealer, const audit::RecordPlace& place, std::string_view members);

// Whether the bytes, a record or several, can have such a member: quick, and true of more than have it.
bool may_be_sealed(std::string_view bytes);

// Of one thread.
class RecordOpener {
 public:
  explicit RecordOpener(std::vector<audit::AnswersKey> keys)
      : opener_(std::move(keys), audit::AnswersKey::Use::literals) {}

  enum class Result : std::uint8_t {
    nothing_sealed,
    opened,
    key_wanted,  // it was sealed with another key than those given: wanted_key()
    damaged,     // it is not what was sealed for this record
  };
  // `record`: one without its line end, into which the members that are sealed are put, and `unsealed` in place of
  // `sealed`, if it can be opened.
  Result open(std::string& record);

  // In hexadecimal; of the record last open()ed that wants one.
  const std::string& wanted_key() const { return wanted_key_; }

 private:
  Opener opener_;
  std::string wanted_key_;
};

}  // namespace sallyport::store
