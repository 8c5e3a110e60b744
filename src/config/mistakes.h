// Collects the mistakes of one document.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/document.h"

namespace sallyport::config {

class Mistakes {
 public:
  explicit Mistakes(std::string_view file_name) : file_name_(file_name) {}

  // `path` as in Mistake; `message` and `mend` are one sentence each and hold no secret.
  void add(Place place, std::string_view path, std::string message, std::string mend);

  bool empty() const { return mistakes_.empty(); }

  // In the order of the document.
  std::vector<Mistake> take_sorted();

 private:
  std::string file_name_;
  std::vector<Mistake> mistakes_;
};

// The name that `wrong` was probably meant to be, or nothing when none is near.
std::string_view nearest_name(std::string_view wrong, std::span<const std::string_view> names);

// "a, b or c"
std::string list_of(std::span<const std::string_view> names);

// "Did you mean NEAREST?", or else "Known: a, b or c.", or else "None is defined."
std::string suggestion(std::string_view wrong, std::span<const std::string_view> names);

// A quotation of text from the document for a message: shortened, control characters replaced.
std::string in_quotes(std::string_view text);

}  // namespace sallyport::config
