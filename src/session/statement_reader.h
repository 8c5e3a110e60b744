// Statements as the server reads them: parsed, and made into the text that it is sent.
//
// One for each event loop. What it has read twice it remembers by text, dialect and what names stand for, up to
// readings_max: most texts with literals come once, and would only push out those that come again. Texts that differ in
// numbers with which columns are compared are one (sql::number_shape()).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/counters.h"
#include "base/result.h"
#include "catalog/catalogue.h"
#include "lineage/facts.h"
#include "lineage/protected_columns.h"
#include "session/reason.h"
#include "sql/ast.h"
#include "sql/dialect.h"
#include "sql/dynamic_text.h"
#include "sql/login_change.h"
#include "sql/parse.h"
#include "sql/reading.h"
#include "sql/secrets.h"

namespace sallyport::session {

// Of a statement's shape: the first half of the SHA-256 of its sql::normalised_text(), in hexadecimal.
std::string statement_digest(std::string_view normalised_text);

struct StatementReading {
  std::string kind;    // lineage::kind_of()
  std::string digest;  // statement_digest(); empty where the statement has secrets
  // What is sent in place of the text: without comments. Nothing where that is the text itself.
  std::optional<std::string> emitted;
  std::optional<sql::WithoutSecrets> without_secrets;  // what may be recorded in place of the text, where it has any
  // And in place of both, where literals may tell of the connection's protected columns.
  std::optional<std::string> without_literals;
  // The same of a statement with literals that runs another text, for the case that this one turns out to be secret.
  std::optional<std::string> around_secret_text;
  std::optional<sql::StatementWords> words_around_parameters;  // sql::Secrets::around_parameters
  bool yields_secret = false;                                  // sql::Secrets::in_answer
  std::optional<sql::DynamicText> runs;                        // sql::dynamic_text()
  std::optional<sql::PreparedNameUse> prepared;                // sql::prepared_name_use()
  sql::LoginChange login_change;
  bool may_change_reading = false;    // sql::may_change_reading()
  bool chooses_schema = false;        // USE, also behind SET STATEMENT
  bool may_define = false;            // it may change the catalogue
  bool is_definition = false;         // it is that and nothing else: refused, it has changed nothing
  bool ends_transaction = false;      // where it succeeds; another one may begin with it
  bool prepares_transaction = false;  // XA PREPARE, also within a program that it defines
  bool may_prepare = false;           // unseen, under any name: what it calls may
  // It may make a temporary table, which hides one of the catalogue from the statements that follow.
  bool may_make_temporary = false;
  // Where there is a catalogue. They borrow from it.
  std::optional<lineage::Facts> facts;
  std::shared_ptr<const catalog::Catalogue> catalogue;
  bool in_doubt = false;                                               // NameSpace::in_doubt when it was read
  std::shared_ptr<const lineage::ProtectedColumns> protected_columns;  // that without_literals was decided by
};

// The same without what is sent or recorded in place of the text, for who has no use for the text any more. What there
// was of it is there, empty, but for `emitted`.
StatementReading without_texts(StatementReading reading);

// What names stand for.
struct NameSpace {
  std::string_view schema;                                               // the default one; empty: none
  const std::shared_ptr<const catalog::Catalogue>* catalogue = nullptr;  // null: names are not resolved
  std::shared_ptr<const lineage::ProtectedColumns> protected_columns{};  // null: none
  bool in_doubt = false;  // some may be other tables than the catalogue says
};

struct StatementRefusal {
  Reason reason = Reason::statement_not_understood;
  std::string explanation;  // for the client; empty: the reason says all
};

class StatementReader {
 public:
  // At most so many readings are remembered, of texts of at most so many bytes.
  static constexpr std::size_t readings_max = 1024;
  static constexpr std::size_t remembered_text_bytes_max = 4096;

  explicit StatementReader(LoopCounters& counters)
      : counters_(counters), remembered_(readings_max), seen_(seen_texts_max) {}

  using Reading = std::shared_ptr<const StatementReading>;
  // `text`: a sql::statement_text() without a semicolon behind the statement. Nothing where it is not read in one way
  // by all of `dialects`, or there is none.
  std::optional<Result<Reading, StatementRefusal>> read(std::string_view text, const sql::Dialects& dialects,
                                                        sql::ParseFor purpose, const NameSpace& names,
                                                        std::size_t tree_bytes_max);

 private:
  struct Remembered {
    std::uint64_t used = 0;  // when last; 0: the place is free
    sql::Dialect dialect;
    sql::ParseFor purpose = sql::ParseFor::executing;
    std::string text;
    bool is_shape = false;  // and the reading is that of all texts of this shape
    std::string schema;
    std::uint64_t catalogue_version = 0;  // 0: none
    std::shared_ptr<const lineage::ProtectedColumns> protected_columns;
    bool in_doubt = false;
    Reading reading;
  };
  // Of a text with this hash, one of so many places: a text that many others are in the way of is parsed again, and
  // nothing grows.
  static constexpr std::size_t ways = 4;
  static constexpr std::size_t seen_texts_max = 4096;

  struct Key {
    std::string_view text;
    bool is_shape = false;
    std::uint64_t hash = 0;
  };
  static Key key_of(std::string_view text, bool is_shape);
  Reading recall(const Key& key, const sql::Dialect& dialect, sql::ParseFor purpose, const NameSpace& names);
  void remember(const Key& key, const sql::Dialect& dialect, sql::ParseFor purpose, const NameSpace& names,
                const Reading& reading);
  bool was_seen(std::uint64_t hash);
  Result<Reading, StatementRefusal> parse(std::string_view text, const sql::Dialect& dialect, sql::ParseFor purpose,
                                          const NameSpace& names);
  bool reads_the_same(std::string_view text, const sql::Dialects& dialects, sql::ParseFor purpose,
                      const Result<Reading, StatementRefusal>& first);

  LoopCounters& counters_;
  sql::Arena arena_;
  sql::Arena other_arena_;
  const sql::Node* root_ = nullptr;  // of what parse() read last
  std::string shape_;
  std::vector<Remembered> remembered_;
  std::array<std::uint64_t, readings_max> hashes_{};  // of the texts of `remembered_`
  std::vector<std::uint64_t> seen_;                   // hashes of texts that were read once
  std::uint64_t clock_ = 0;
};

}  // namespace sallyport::session
