// Another text than the statement's, for QueryAnalyzer: of a view, a generated column, a routine.
#pragma once

#include <utility>
#include <vector>

#include "lineage/query_analyzer.h"

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

}  // namespace sallyport::lineage
