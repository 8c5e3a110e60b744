// Writes an audit record: one JSON object on one line, in the canonical form of RFC 8785. Who writes it names the
// members of each object in the order of their names; nothing is sorted here.
//
// Text that is UTF-8 becomes a string member; any other bytes become a member whose name ends in "_base64", in the same
// place. Nothing is dropped or replaced.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"

namespace sallyport::audit {

// Appends "2026-01-31T12:34:56.000000789Z".
void append_time(std::string& out, WallTime time);

class RecordWriter {
 public:
  // Appends to `out`.
  explicit RecordWriter(std::string& out);

  void text(std::string_view name, std::string_view value);
  // Leaves the member out when the value is empty.
  void text_if_any(std::string_view name, std::string_view value);
  // Beyond json_integer_max a string.
  void number(std::string_view name, std::uint64_t value);
  void number_if_any(std::string_view name, std::uint64_t value);
  void time(std::string_view name, WallTime value);

  // As lower-case hexadecimal digits.
  void hex(std::string_view name, Bytes value);

  void begin_object(std::string_view name);
  void end_object();
  void begin_array(std::string_view name);
  void end_array();
  // Objects that are elements of an array.
  void begin_element();
  void end_element();
  // Other elements: an array, JSON, and a text, which is an object with a member "value_base64" where it is not UTF-8.
  void begin_array_element();
  void json_element(std::string_view value);
  void text_element(std::string_view value);
  // A member whose value is JSON already.
  void json(std::string_view name, std::string_view value);

  // Closes the object and the line.
  void end();

 private:
  template <typename Put>
  void short_member(std::string_view name, Put put);
  void member(std::string_view name);
  void separate();

  std::string& out_;
};

}  // namespace sallyport::audit
