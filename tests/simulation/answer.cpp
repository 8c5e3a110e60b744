#include "simulation/answer.h"

#include <algorithm>
#include <array>

#include "wire/encoding.h"
#include "wire/response.h"

namespace sallyport::simulation {
namespace {

namespace capability = wire::capability;
namespace status = wire::status;
using Shape = OneResult::Shape;

class AnswerWriter {
 public:
  AnswerWriter(wire::Capabilities negotiated, std::uint8_t sequence_id)
      : negotiated_(negotiated), sequence_id_(sequence_id) {}

  void write(const OneResult& result) {
    switch (result.shape) {
      case Shape::ok:
        end(result, wire::ok_header);
        break;
      case Shape::rows:
      case Shape::cursor:
        payload([&](wire::PacketWriter& writer) {
          wire::write_result_header(
              writer, {.columns = result.columns.size(), .definitions_follow = !result.definitions_left_out},
              negotiated_);
        });
        definitions(result.columns, result);
        if (!ends_with_ok()) {
          eof(result.status, result.shape == Shape::cursor ? result.warnings : std::uint16_t{0});
        }
        texts(result.rows);
        if (result.shape == Shape::rows || ends_with_ok()) {
          rows_end(result);
        }
        break;
      case Shape::fetched:
      case Shape::bare_end:
        texts(result.rows);
        rows_end(result);
        break;
      case Shape::fields:
        texts(result.columns);
        rows_end(result);
        break;
      case Shape::prepared:
        prepared(result);
        break;
      case Shape::text:
        payload([&](wire::PacketWriter& writer) { writer.text(result.text); });
        break;
      case Shape::error:
        rows_end(result);
        break;
    }
  }
  Buffer take() { return std::move(out_); }

 private:
  bool ends_with_ok() const { return wire::has(negotiated_, capability::deprecate_eof); }

  template <typename Write>
  void payload(Write write) {
    wire::PacketWriter writer{out_};
    writer.begin(sequence_id_);
    write(writer);
    sequence_id_ = writer.end();
  }
  void texts(const std::vector<std::string>& payloads) {
    for (const std::string& text : payloads) {
      payload([&](wire::PacketWriter& writer) { writer.text(text); });
    }
  }
  void definitions(const std::vector<std::string>& payloads, const OneResult& result) {
    if (!result.definitions_left_out) {
      texts(payloads);
    }
  }
  void eof(std::uint16_t flags, std::uint16_t warnings) {
    payload(
        [&](wire::PacketWriter& writer) { wire::write_eof(writer, {.warnings = warnings, .status_flags = flags}); });
  }
  void rows_end(const OneResult& result) {
    if (result.ends_with_error) {
      payload([&](wire::PacketWriter& writer) {
        wire::write_err(
            writer, {.code = result.error.code, .sql_state = result.error.sql_state, .message = result.error.message});
      });
    } else if (ends_with_ok()) {
      end(result, wire::eof_header);
    } else {
      eof(result.status, result.warnings);
    }
  }
  void end(const OneResult& result, std::uint8_t header) {
    Buffer track;
    wire::PacketWriter entries{track};
    for (const Tracked& tracked : result.tracked) {
      Buffer body;
      wire::PacketWriter fields{body};
      if (tracked.kind == 0) {
        fields.lenenc_text(tracked.name);
      }
      fields.lenenc_text(tracked.value);
      entries.u8(tracked.kind);
      entries.lenenc_bytes(body);
    }
    bool tells = wire::has(negotiated_, capability::session_track) && !track.empty();
    auto flags = static_cast<std::uint16_t>(result.status | (tells ? status::session_state_changed : 0U));
    payload([&](wire::PacketWriter& writer) {
      wire::write_ok(writer,
                     {.header = header,
                      .affected_rows = result.affected_rows,
                      .last_insert_id = result.last_insert_id,
                      .status_flags = flags,
                      .warnings = result.warnings,
                      .info = result.info,
                      .session_track = track},
                     negotiated_);
    });
  }
  void prepared(const OneResult& result) {
    payload([&](wire::PacketWriter& writer) {
      writer.u8(0);
      writer.u32(result.statement_id);
      writer.u16(static_cast<std::uint16_t>(result.columns.size()));
      writer.u16(static_cast<std::uint16_t>(result.parameters.size()));
      writer.u8(0);
      writer.u16(result.warnings);
      if (wire::has(negotiated_, capability::optional_resultset_metadata)) {
        writer.u8(result.definitions_left_out ? 0 : 1);
      }
    });
    for (const auto* payloads : {&result.parameters, &result.columns}) {
      definitions(*payloads, result);
      if (!payloads->empty() && !ends_with_ok()) {
        eof(status::autocommit, 0);
      }
    }
  }

  wire::Capabilities negotiated_;
  std::uint8_t sequence_id_;
  Buffer out_;
};

std::vector<Tracked> random_tracked(Choices& choices) {
  std::vector<Tracked> tracked;
  constexpr std::array<std::string_view, 4> names{"sql_mode", "autocommit", "time_zone", "wait_timeout"};
  for (std::uint32_t i = choices.below(4); i > 0; --i) {
    switch (choices.below(3)) {
      case 0:
        tracked.push_back({.kind = 1, .name = {}, .value = choices.letters(5)});
        break;
      default:
        tracked.push_back(
            {.kind = 0, .name = std::string(names[choices.below(names.size())]), .value = choices.letters(3)});
    }
  }
  return tracked;
}

OneResult random_rows(Choices& choices, bool binary) {
  OneResult result{.shape = Shape::rows};
  for (std::uint32_t i = 1 + choices.below(4); i > 0; --i) {
    result.columns.push_back(random_definition(choices));
  }
  for (std::uint32_t i = choices.below(5); i > 0; --i) {
    result.rows.push_back(random_row(choices, binary));
  }
  result.warnings = static_cast<std::uint16_t>(choices.below(3));
  if (choices.one_in(8)) {
    result.ends_with_error = true;
    result.error = random_error(choices).error;
  } else if (choices.one_in(4)) {
    result.tracked = random_tracked(choices);
  }
  return result;
}

}  // namespace

Buffer write_answer(const Answer& answer, wire::Capabilities negotiated, std::uint8_t sequence_id) {
  AnswerWriter writer{negotiated, sequence_id};
  for (const OneResult& result : answer) {
    writer.write(result);
  }
  return writer.take();
}

Answer as_seen_by_client(Answer answer, wire::Capabilities client, wire::Capabilities backend) {
  for (OneResult& result : answer) {
    bool ok_carries = result.shape == Shape::ok ||
                      (wire::has(backend, capability::deprecate_eof) && wire::has(client, capability::deprecate_eof));
    bool tells =
        ok_carries && wire::has(client, capability::session_track) && wire::has(backend, capability::session_track);
    if (!tells) {
      result.tracked.clear();
    }
    if (result.shape == Shape::text || result.shape == Shape::prepared || result.ends_with_error) {
      result.status = wire::status::autocommit;  // not sent
    }
    if (result.ends_with_error) {
      result.warnings = 0;
      result.tracked.clear();
    }
  }
  return answer;
}

std::string describe(const Answer& answer) {
  std::string text;
  for (const OneResult& result : answer) {
    text += "[shape " + std::to_string(static_cast<int>(result.shape)) + ", id " + std::to_string(result.statement_id) +
            ", parameters " + std::to_string(result.parameters.size()) + ", columns " +
            std::to_string(result.columns.size()) + ", rows " + std::to_string(result.rows.size()) + ", status " +
            std::to_string(result.status) + ", warnings " + std::to_string(result.warnings) + ", affected " +
            std::to_string(result.affected_rows) + ", info '" + result.info + "', text '" + result.text +
            "', tracked " + std::to_string(result.tracked.size());
    if (result.ends_with_error) {
      text += ", error " + std::to_string(result.error.code) + " " + result.error.sql_state + " " +
              result.error.message.substr(0, 200);
    }
    text += "]";
  }
  return text;
}

std::string random_definition(Choices& choices) {
  Buffer bytes;
  wire::PacketWriter writer{bytes};
  std::string name = choices.letters(1 + choices.below(6));
  wire::write_column_definition(writer, {.catalog = "def", .name = name, .type = wire::ColumnType::var_string}, 0);
  return {bytes.begin(), bytes.end()};
}

std::string random_row(Choices& choices, bool binary) {
  std::uint32_t bytes = choices.one_in(6) ? 250 + choices.below(600) : choices.below(12);
  if (binary) {
    return std::string(1, '\0') + choices.letters(bytes);
  }
  // A cell of a text row; one of NULL now and then.
  std::string row = bytes > 250 ? "\xFC" : "";
  row.push_back(static_cast<char>(bytes & 0xFF));
  if (bytes > 250) {
    row.push_back(static_cast<char>(bytes >> 8));
  }
  if (choices.one_in(5)) {
    return "\xFB";
  }
  return row + choices.letters(bytes);
}

OneResult random_ok(Choices& choices) {
  OneResult result{.shape = Shape::ok};
  result.affected_rows = choices.below(1000);
  result.last_insert_id = choices.one_in(3) ? 70'000 : 0;
  result.warnings = static_cast<std::uint16_t>(choices.below(3));
  result.info = choices.one_in(3) ? "Rows matched: 1" : "";
  result.status = static_cast<std::uint16_t>(status::autocommit | (choices.one_in(6) ? status::in_transaction : 0U));
  if (choices.one_in(3)) {
    result.tracked = random_tracked(choices);
  }
  return result;
}

OneResult random_error(Choices& choices) {
  OneResult result{.shape = Shape::error, .ends_with_error = true};
  result.error = {.code = static_cast<std::uint16_t>(1000 + choices.below(500)),
                  .sql_state = "42S02",
                  .message = "no such table " + choices.letters(5)};
  return result;
}

Answer random_query_answer(Choices& choices, bool binary_rows) {
  Answer answer;
  std::uint32_t results = choices.one_in(4) ? 1 + choices.below(4) : 1;
  for (std::uint32_t i = 0; i < results; ++i) {
    std::uint32_t kind = choices.below(6);
    answer.push_back(kind == 0  ? random_error(choices)
                     : kind < 3 ? random_ok(choices)
                                : random_rows(choices, binary_rows));
    if (answer.back().ends_with_error) {
      break;
    }
    if (i + 1 < results) {
      answer.back().status |= status::more_results_exist;
    }
  }
  return answer;
}

}  // namespace sallyport::simulation
