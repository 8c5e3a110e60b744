// A text of several statements: each is decided, recorded and sent on its own once the one before has answered.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "sql/reading.h"
#include "sql/statement_splitter.h"

namespace sallyport::session {

class StatementSeries {
 public:
  // `head` is what stands before the text in the client's COM_QUERY: command byte and query attributes, which go with
  // each statement. Both are copied: the client's buffer takes what follows.
  StatementSeries(Bytes head, std::string_view text)
      : head_(head.begin(), head.end()),
        text_(text),
        rest_(text_),
        end_of_dependence_(sql::end_of_dependence_on_state(text)) {}
  StatementSeries(const StatementSeries&) = delete;
  StatementSeries& operator=(const StatementSeries&) = delete;

  Bytes head() const { return head_; }
  // What is still to be read. Views live as long as the series.
  std::string_view rest() const { return rest_; }
  // Whether sql_mode or the character set may matter to it: see sql::possible_dialects().
  bool rest_depends_on_state() const { return text_.size() - rest_.size() < end_of_dependence_; }
  // Takes a statement off; `first` was read from rest().
  void take(const sql::FirstStatement& first) {
    statement_ = first.text;
    rest_ = first.rest;
    has_more_ = first.has_more;
    ++number_;
  }
  // The statement taken last, and its number from 1.
  std::string_view statement() const { return statement_; }
  std::uint32_t number() const { return number_; }
  bool has_more() const { return has_more_; }

 private:
  std::vector<std::uint8_t> head_;
  std::string text_;
  std::string_view rest_;
  std::size_t end_of_dependence_;
  std::string_view statement_;
  std::uint32_t number_ = 0;
  bool has_more_ = true;
};

}  // namespace sallyport::session
