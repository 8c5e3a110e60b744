#include "sink/native_format.h"

#include "audit/record.h"
#include "audit/record_members.h"
#include "base/check.h"
#include "base/json_text.h"
#include "crypto/base64.h"
#include "crypto/hash.h"

namespace sallyport::sink {
namespace {

// A record's session, time and type are short; one that is not is left out rather than the limit be broken.
constexpr std::size_t outline_bytes_max = 200;
constexpr std::size_t damaged_bytes_given = 256;

std::string cut_message(std::uint64_t index, std::string_view record, std::string_view beginning) {
  std::string text;
  audit::RecordWriter writer{text};
  writer.begin_object("cut");
  writer.text("beginning", beginning);
  writer.number("bytes", record.size());
  for (std::string_view name : {"seq", "session"}) {
    auto value = audit::member_value(record, name);
    if (!value.empty() && value.size() <= outline_bytes_max) {
      writer.json(name, value);
    }
  }
  writer.hex("sha256", crypto::sha256({bytes_of(record)}));
  for (std::string_view name : {"time", "type"}) {
    auto value = audit::member_value(record, name);
    if (!value.empty() && value.size() <= outline_bytes_max) {
      writer.json(name, value);
    }
  }
  writer.end_object();
  writer.number("index", index);
  writer.end();
  text.pop_back();
  return text;
}

// Of the character that begins with it, in UTF-8.
std::size_t bytes_of_character(char first) {
  auto byte = static_cast<std::uint8_t>(first);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// How many bytes it takes in a JSON string.
std::size_t spelled_bytes(char first) {
  switch (first) {
    case '"':
    case '\\':
    case '\b':
    case '\f':
    case '\n':
    case '\r':
    case '\t':
      return 2;
    default:
      return static_cast<std::uint8_t>(first) < 0x20 ? 6 : bytes_of_character(first);
  }
}

}  // namespace

std::string native_message(std::uint64_t index, std::string_view record) {
  std::string text = "{\"index\":";
  append_json_integer(text, index);
  text.reserve(text.size() + record.size() + 12);
  text.append(",\"record\":").append(record).append("}");
  return text;
}

std::string_view fitting_beginning(std::string_view text, std::size_t bytes_max) {
  std::size_t taken = 2;  // the quotes
  std::size_t at = 0;
  while (at < text.size()) {
    taken += spelled_bytes(text[at]);
    if (taken > bytes_max) {
      break;
    }
    at += bytes_of_character(text[at]);
  }
  return text.substr(0, at);
}

std::string damaged_message(std::uint64_t index, std::string_view line) {
  std::string text;
  audit::RecordWriter writer{text};
  writer.begin_object("damaged");
  writer.text("beginning_base64", crypto::base64_encode(bytes_of(line.substr(0, damaged_bytes_given))));
  writer.number("bytes", line.size());
  writer.hex("sha256", crypto::sha256({bytes_of(line)}));
  writer.end_object();
  writer.number("index", index);
  writer.end();
  text.pop_back();
  return text;
}

std::string cut_native_message(std::uint64_t index, std::string_view record, std::size_t bytes_max) {
  SALLYPORT_CHECK(bytes_max >= message_bytes_least);
  std::size_t besides = cut_message(index, record, "").size() - 2;
  return cut_message(index, record, fitting_beginning(record, bytes_max - besides));
}

}  // namespace sallyport::sink
