// Recorded answers: the packets that a client got, made into what a command line client prints of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "wire/capabilities.h"
#include "wire/command.h"
#include "wire/response.h"

namespace sallyport::review {

// A result's column as far as printing needs it.
struct AnswerColumn {
  std::string name;  // as UTF-8
  wire::ColumnType type = wire::ColumnType::null;
  std::uint16_t collation_id = 0;
  std::uint16_t flags = 0;
  std::uint8_t decimals = 0;
  std::uint32_t length = 0;  // of its text
};

// Of one session: the columns of prepared statements, whose rows may come without them (COM_STMT_FETCH, MariaDB's
// cached definitions).
using KnownColumns = std::map<std::uint64_t, std::vector<AnswerColumn>>;

struct RecordedAnswer {
  wire::Command command = wire::Command::query;
  std::optional<std::uint64_t> statement_id;  // of a prepared one; of a prepare that which it yielded
  bool may_open_cursor = false;
  Bytes packets;                        // with their headers, as far as they are recorded
  wire::Capabilities capabilities = 0;  // negotiated with the client
  bool is_whole = true;
};

struct AnswerLimits {
  std::size_t rows_max = 1000;        // printed of one result
  std::size_t cell_bytes_max = 4096;  // printed of one value
};

// Text that is safe for a terminal: tables, "Query OK, 1 row affected", errors, one result after the other.
std::string print_answer(const RecordedAnswer& answer, KnownColumns& known, const AnswerLimits& limits);

// A value of a row as text, in UTF-8: of binary strings and what can't be read 0x and hexadecimal digits.
std::string shown_cell(const std::optional<Bytes>& cell, const AnswerColumn& column, const AnswerLimits& limits);
std::string shown_cell(const wire::Value& cell, const AnswerColumn& column, const AnswerLimits& limits);

}  // namespace sallyport::review
