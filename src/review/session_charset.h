// The character set in which a session sends its texts and the server takes them, as far as its statements tell.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "sql/dialect.h"

namespace sallyport::review {

class SessionCharset {
 public:
  explicit SessionCharset(std::string_view at_login) : name_(at_login) {}

  // In small letters; nothing where it is not known, or where character_set_client and collation_connection differ, so
  // that texts are converted.
  const std::optional<std::string>& name() const { return name_; }

  enum class Done : unsigned char { yes, unknown };
  // A statement, or several. A routine that is called changes nothing: servers restore it at the routine's end.
  void note(std::string_view text, const sql::Dialect& dialect, Done done);

 private:
  std::optional<std::string> name_;
};

}  // namespace sallyport::review
