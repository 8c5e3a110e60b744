#include "review/answers.h"

#include <algorithm>

#include "review/display_text.h"
#include "review/table.h"
#include "wire/response_reader.h"

namespace sallyport::review {
namespace {

std::string rows_words(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " row" : " rows");
}

std::string warnings_words(std::uint64_t count) {
  return count == 0 ? "" : ", " + std::to_string(count) + (count == 1 ? " warning" : " warnings");
}

// What command line clients set to the right: numbers, and columns of nothing but NULL.
bool stands_right(wire::ColumnType type) {
  using enum wire::ColumnType;
  return type == decimal || type == tiny || type == short_ || type == long_ || type == float_ || type == double_ ||
         type == longlong || type == int24 || type == year || type == newdecimal || type == null;
}

constexpr std::uint16_t unsigned_flag = 32;

class Printer {
 public:
  Printer(const RecordedAnswer& answer, KnownColumns& known, const AnswerLimits& limits)
      : answer_(answer), known_(known), limits_(limits) {}

  std::string print() {
    wire::ResponseReader reader;
    // The first packet's header says where the sequence begins.
    std::uint8_t first = answer_.packets.size() > 3 ? answer_.packets[3] : std::uint8_t{1};
    reader.start(answer_.command, answer_.capabilities, first);
    if (answer_.may_open_cursor) {
      reader.expect_cursor();
    }
    if (answer_.command == wire::Command::stmt_fetch) {
      begin_known_rows();
    }
    Bytes rest = answer_.packets;
    while (!rest.empty() && !reader.done()) {
      auto step = reader.next(rest);
      if (!step) {
        return out_ + end_rows_early() + "(what follows of the recorded answer can't be read)\n";
      }
      if (step->bytes == 0) {
        break;
      }
      Bytes part = rest.first(step->bytes);
      rest = rest.subspan(step->bytes);
      if (step->kind == wire::PacketKind::row) {
        take_row_part(part, reader.frame_starts(), step->packet_ends);
        continue;
      }
      take_packet(step->kind, part.subspan(wire::frame_header_bytes), reader);
      if (step->kind == wire::PacketKind::local_infile && rest.size() > 3) {
        reader.resume(rest[3]);
      }
    }
    if (!reader.done() || !answer_.is_whole) {
      out_ += end_rows_early() + "(the rest of the answer was not recorded)\n";
    }
    return out_;
  }

 private:
  void begin_known_rows() {
    auto place = known_.find(answer_.statement_id.value_or(0));
    columns_ = place == known_.end() ? std::vector<AnswerColumn>{} : place->second;
    is_in_rows_ = true;
  }

  void take_row_part(Bytes part, bool frame_starts, bool packet_ends) {
    Bytes payload = frame_starts ? part.subspan(wire::frame_header_bytes) : part;
    row_.insert(row_.end(), payload.begin(), payload.end());
    if (!packet_ends) {
      return;
    }
    ++row_count_;
    if (rows_.size() < limits_.rows_max) {
      add_row();
    }
    row_.clear();
  }

  bool has_binary_rows() const {
    return answer_.command == wire::Command::stmt_execute || answer_.command == wire::Command::stmt_fetch ||
           answer_.command == wire::Command::stmt_bulk_execute;
  }

  void add_row() {
    std::vector<std::string> cells;
    if (has_binary_rows()) {
      std::vector<wire::ParameterType> types;
      for (const AnswerColumn& column : columns_) {
        types.push_back(
            {.type = static_cast<std::uint8_t>(column.type), .is_unsigned = (column.flags & unsigned_flag) != 0});
      }
      std::vector<wire::Value> values;
      if (!columns_.empty() && wire::parse_binary_row(row_, types, values)) {
        for (std::size_t i = 0; i < values.size(); ++i) {
          cells.push_back(shown_cell(values[i], columns_[i], limits_));
        }
      }
    } else {
      std::vector<std::optional<Bytes>> values;
      if (wire::parse_text_row(row_, columns_.size(), values)) {
        for (std::size_t i = 0; i < values.size(); ++i) {
          cells.push_back(shown_cell(values[i], columns_[i], limits_));
        }
      }
    }
    if (cells.empty()) {
      cells.emplace_back("(a row of " + std::to_string(row_.size()) + " bytes that can't be read)");
    }
    rows_.push_back(std::move(cells));
  }

  void take_packet(wire::PacketKind kind, Bytes payload, const wire::ResponseReader& reader) {
    switch (kind) {
      case wire::PacketKind::ok:
        print_ok(payload);
        return;
      case wire::PacketKind::err:
        print_err(payload);
        return;
      case wire::PacketKind::column_count: {
        auto header = wire::parse_result_header(payload, answer_.capabilities);
        begin_result(header && !header->definitions_follow);
        return;
      }
      case wire::PacketKind::column_definition:
      case wire::PacketKind::prepare_column:
        take_definition(payload);
        return;
      case wire::PacketKind::columns_end:
        if (auto eof = wire::parse_eof(payload); eof && reader.announces_cursor(eof->status_flags)) {
          remember_columns();
          is_in_rows_ = false;
          out_ += "(a cursor was opened)\n";
        }
        return;
      case wire::PacketKind::rows_end:
        end_rows(payload);
        return;
      case wire::PacketKind::prepare_ok:
        print_prepared(payload);
        return;
      case wire::PacketKind::prepare_columns_end:
        remember_columns();
        return;
      case wire::PacketKind::local_infile:
        out_ += "(the client was asked for its file " +
                for_terminal(text_of(payload.subspan(std::min<std::size_t>(1, payload.size()))), Lines::escaped) +
                ")\n";
        return;
      case wire::PacketKind::text:
        out_ += for_terminal(text_of(payload), Lines::escaped) + "\n";
        return;
      case wire::PacketKind::row:
      case wire::PacketKind::prepare_parameter:
      case wire::PacketKind::prepare_parameters_end:
      case wire::PacketKind::progress:
        return;
    }
  }

  void begin_result(bool definitions_are_known) {
    columns_.clear();
    rows_.clear();
    row_count_ = 0;
    if (definitions_are_known) {
      begin_known_rows();
    }
    is_in_rows_ = true;
  }

  void take_definition(Bytes payload) {
    auto definition = wire::parse_column_definition(payload, answer_.capabilities);
    AnswerColumn column;
    if (definition) {
      AnswerColumn name{.name = {}, .type = wire::ColumnType::var_string, .collation_id = 0};
      column.name = shown_cell(std::optional(bytes_of(definition->name)), name, limits_);
      column.type = definition->type;
      column.collation_id = definition->collation_id;
      column.flags = definition->flags;
      column.decimals = definition->decimals;
      column.length = definition->length;
    } else {
      column.name = "(unreadable)";
    }
    columns_.push_back(std::move(column));
    if (answer_.command == wire::Command::stmt_prepare) {
      remember_columns();
    }
  }

  void remember_columns() {
    if (answer_.statement_id) {
      known_[*answer_.statement_id] = columns_;
    }
  }

  void print_table() {
    std::vector<TableColumn> headings;
    for (const AnswerColumn& column : columns_) {
      headings.push_back({.heading = column.name,
                          .align = stands_right(column.type) ? TableColumn::Align::right : TableColumn::Align::left});
    }
    if (headings.empty()) {
      headings.push_back({.heading = "(columns not recorded)"});
    }
    std::size_t shown = rows_.size();
    out_ += framed_table(headings, std::exchange(rows_, {}));
    if (shown < row_count_) {
      out_ += "(" + rows_words(row_count_ - shown) + " more)\n";
    }
  }

  void end_rows(Bytes payload) {
    std::uint16_t warnings = 0;
    if (wire::has(answer_.capabilities, wire::capability::deprecate_eof)) {
      auto ok = wire::parse_ok(payload, answer_.capabilities);
      warnings = ok ? ok->warnings : std::uint16_t{0};
    } else if (auto eof = wire::parse_eof(payload)) {
      warnings = eof->warnings;
    }
    if (answer_.command == wire::Command::stmt_execute) {
      remember_columns();
    }
    is_in_rows_ = false;
    if (row_count_ == 0) {
      out_ += "Empty set" + warnings_words(warnings) + "\n";
      return;
    }
    print_table();
    out_ += rows_words(row_count_) + " in set" + warnings_words(warnings) + "\n";
  }

  // What there is of a result whose end is missing.
  std::string end_rows_early() {
    if (!is_in_rows_ || columns_.empty() || row_count_ == 0) {
      return "";
    }
    std::string before = std::exchange(out_, {});
    print_table();
    std::string table = std::exchange(out_, std::move(before));
    return table;
  }

  void print_ok(Bytes payload) {
    auto ok = wire::parse_ok(payload, answer_.capabilities);
    if (!ok) {
      out_ += "(an OK that can't be read)\n";
      return;
    }
    out_ += "Query OK, " + rows_words(ok->affected_rows) + " affected" + warnings_words(ok->warnings) + "\n";
    if (!ok->info.empty()) {
      out_ += for_terminal(ok->info, Lines::escaped) + "\n";
    }
  }

  void print_err(Bytes payload) {
    out_ += end_rows_early();
    is_in_rows_ = false;
    auto err = wire::parse_err(payload);
    if (!err) {
      out_ += "(an error that can't be read)\n";
      return;
    }
    out_ += "ERROR " + std::to_string(err->code) +
            (err->sql_state.empty() ? "" : " (" + for_terminal(err->sql_state, Lines::escaped) + ")") + ": " +
            for_terminal(err->message, Lines::escaped) + "\n";
  }

  void print_prepared(Bytes payload) {
    auto ok = wire::parse_prepare_ok(payload, answer_.capabilities);
    columns_.clear();
    out_ += ok ? "Statement " + std::to_string(ok->statement_id) + " prepared, " + std::to_string(ok->parameters) +
                     (ok->parameters == 1 ? " parameter\n" : " parameters\n")
               : std::string("Statement prepared\n");
  }

  const RecordedAnswer& answer_;
  KnownColumns& known_;
  const AnswerLimits& limits_;
  std::string out_;
  std::vector<AnswerColumn> columns_;
  bool is_in_rows_ = false;
  std::vector<std::uint8_t> row_;
  std::vector<std::vector<std::string>> rows_;
  std::uint64_t row_count_ = 0;
};

}  // namespace

std::string print_answer(const RecordedAnswer& answer, KnownColumns& known, const AnswerLimits& limits) {
  return Printer(answer, known, limits).print();
}

}  // namespace sallyport::review
