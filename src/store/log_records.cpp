#include "store/log_records.h"

#include "audit/record.h"
#include "base/json_text.h"

namespace sallyport::store {
namespace {

// Members are given in the order of their names, which is that of RFC 8785.
class Line {
 public:
  Line& text(std::string_view name, std::string_view value) {
    member(name);
    append_json_string(line_, value);
    return *this;
  }
  // Nothing when the text is empty.
  Line& optional_text(std::string_view name, std::string_view value) {
    return value.empty() ? *this : text(name, value);
  }
  Line& number(std::string_view name, std::uint64_t value) {
    member(name);
    line_ += std::to_string(value);
    return *this;
  }
  Line& time(std::string_view name, WallTime value) {
    member(name);
    line_ += '"';
    audit::append_time(line_, value);
    line_ += '"';
    return *this;
  }
  std::string end() { return std::move(line_ += "}\n"); }

 private:
  void member(std::string_view name) {
    line_ += line_.size() == 1 ? "\"" : ",\"";
    line_ += name;
    line_ += "\":";
  }

  std::string line_ = "{";
};

// What is behind the string that begins at `at`; the end of the text when it does not end.
std::size_t behind_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    at += text[at] == '\\' ? std::size_t{1} : 0;
  }
  return at < text.size() ? at + 1 : text.size();
}

}  // namespace

std::string to_line(const StartRecord& record, WallTime now) {
  return Line()
      .optional_text("answers_key", record.answers_key)
      .text("durability", record.durability)
      .text("key", record.key)
      .number("loops", record.loops)
      .text("origin", record.origin)
      .number("restored_records", record.restored_records)
      .time("time", now)
      .number("torn_bytes", record.torn_bytes)
      .text("type", "audit_start")
      .number("unreadable_journals", record.unreadable_journals)
      .text("version", record.version)
      .end();
}

std::string stop_record(WallTime now) {
  return Line().time("time", now).text("type", "audit_stop").end();
}

std::string to_line(const GapRecord& record, WallTime now) {
  return Line()
      .number("lost_records", record.lost_records)
      .text("reason", record.reason)
      .time("since", record.since)
      .time("time", now)
      .text("type", "audit_gap")
      .end();
}

std::string to_line(const PrunedRecord& record, WallTime now) {
  return Line()
      .number("end", record.end)
      .number("first", 0)
      .optional_text("operator", record.operator_name)
      .text("reason", record.reason)
      .time("time", now)
      .text("type", "audit_pruned")
      .end();
}

std::string answers_key_record(std::string_view key_id, WallTime now) {
  return Line().optional_text("answers_key", key_id).time("time", now).text("type", "audit_answers_key").end();
}

std::string to_line(const SinkDroppedRecord& record, WallTime now) {
  return Line()
      .number("count", record.end - record.first)
      .number("end", record.end)
      .number("first", record.first)
      .text("reason", record.reason)
      .text("sink", record.sink)
      .time("time", now)
      .text("type", "audit_sink_dropped")
      .end();
}

std::string to_line(const KeyChangedRecord& record, WallTime now) {
  return Line()
      .text("key", record.key)
      .text("previous_key", record.previous_key)
      .time("time", now)
      .text("type", "audit_key_changed")
      .end();
}

std::string_view time_of_record(std::string_view record) {
  constexpr std::string_view member = "\"time\":\"";
  int depth = 0;
  for (std::size_t at = 0; at < record.size();) {
    switch (record[at]) {
      case '"': {
        if (depth == 1 && record.substr(at).starts_with(member)) {
          std::size_t value = at + member.size();
          std::size_t end = behind_string(record, value - 1);
          return record.substr(value, end - 1 - value);
        }
        at = behind_string(record, at);
        continue;
      }
      case '{':
      case '[':
        ++depth;
        break;
      case '}':
      case ']':
        --depth;
        break;
      default:
        break;
    }
    ++at;
  }
  return {};
}

}  // namespace sallyport::store
