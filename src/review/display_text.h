// What is recorded was chosen by others, also to deceive who reads it. Nothing of it reaches a terminal but by these
// functions: a text of theirs can't move the cursor, change colours or the window's title, hide, reverse or overwrite
// what stands beside it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace sallyport::review {

enum class Lines : unsigned char {
  kept,    // line ends stay, for a text that stands alone
  escaped  // the result is one line
};

// `text` in UTF-8 with escapes in the place of what a terminal acts upon or does not show: control characters and bytes
// that are no UTF-8 become \n, \t, \x1B and so on; directional controls, zero-width and other invisible characters
// \u{202E}. A backslash of the text's own stays as it is; who needs to tell the two apart takes the JSON.
std::string for_terminal(std::string_view text, Lines lines);

// JSON text, in which such characters can only stand in strings: they become \u001b there, so that it says the same.
std::string json_for_terminal(std::string_view json);

// How many columns of a terminal a text of for_terminal(..., Lines::escaped) takes.
std::size_t display_width(std::string_view text);

// The text, or its beginning and "…" where it is wider.
std::string shortened(std::string_view text, std::size_t width);

}  // namespace sallyport::review
