// Another text than the statement's, for QueryAnalyzer: of a view, a generated column, a routine.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lineage/query_analyzer.h"
#include "sql/parse.h"

namespace sallyport::lineage {

inline constexpr int nesting_max = 64;  // of views in views, and of what is read for them

// The analyser reads `text` for as long as this lives, and sees no common table from outside.
class InText {
 public:
  InText(QueryAnalyzer& analyzer, SourceText text)
      : analyzer_(analyzer),
        before_(std::exchange(analyzer.at_, std::move(text))),
        withs_(std::exchange(analyzer.withs_, {})) {
    ++analyzer_.depth_;
  }
  ~InText() {
    analyzer_.at_ = std::move(before_);
    analyzer_.withs_ = std::move(withs_);
    --analyzer_.depth_;
  }
  InText(const InText&) = delete;
  InText& operator=(const InText&) = delete;

 private:
  QueryAnalyzer& analyzer_;
  SourceText before_;
  std::vector<QueryAnalyzer::With> withs_;
};

// A stored program's body. The parser takes one where it stands in a definition: behind `head`.
class ProgramText {
 public:
  struct Source {
    std::string_view head;
    const std::string& body;
    const std::string& sql_mode;  // that it was defined with
    const std::string& schema;
  };
  ProgramText(const Source& source, sql::Dialect dialect)
      : text_{.text = {}, .dialect = dialect, .database = source.schema},
        definition_(std::string(source.head) + source.body) {
    text_.text = definition_;
    text_.dialect.mode = sql::parse_sql_mode(source.sql_mode);
    auto parsed = sql::parse(definition_, text_.dialect, sql::ParseFor::executing, arena_);
    body_ = parsed ? (*parsed)->child(sql::Role::body) : nullptr;
  }
  ProgramText(const ProgramText&) = delete;
  ProgramText& operator=(const ProgramText&) = delete;

  // Null where it is not understood.
  const sql::Node* body() const { return body_; }
  const SourceText& text() const { return text_; }

 private:
  SourceText text_;
  std::string definition_;
  sql::Arena arena_;
  const sql::Node* body_ = nullptr;
};

}  // namespace sallyport::lineage
