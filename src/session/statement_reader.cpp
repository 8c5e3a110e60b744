#include "session/statement_reader.h"

#include <algorithm>
#include <functional>
#include <span>
#include <utility>

#include "base/hex.h"
#include "crypto/hash.h"
#include "lineage/analyzer.h"
#include "sql/number_shape.h"
#include "sql/printer.h"

namespace sallyport::session {
namespace {

// As MariaDB shows it: so many bytes, no character cut in two.
constexpr std::size_t excerpt_bytes_max = 80;
constexpr std::string_view excerpt_goes_on = "...";

std::string excerpt(std::string_view text, std::size_t offset) {
  std::string_view rest = text.substr(offset);
  if (rest.size() <= excerpt_bytes_max) {
    return std::string(rest);
  }
  std::size_t bytes = excerpt_bytes_max - excerpt_goes_on.size();
  while (bytes > 0 && (static_cast<unsigned char>(rest[bytes]) & 0xC0) == 0x80) {
    --bytes;
  }
  return std::string(rest.substr(0, bytes)) + std::string(excerpt_goes_on);
}

StatementRefusal refusal_of(const sql::ParseError& error, std::string_view text) {
  switch (error.code) {
    case sql::ParseErrorCode::nesting_too_deep:
    case sql::ParseErrorCode::too_large:
      return {.reason = Reason::statement_too_complex, .explanation = {}};
    case sql::ParseErrorCode::not_supported:
      return {.reason = Reason::statement_not_supported, .explanation = {}};
    case sql::ParseErrorCode::syntax:
    case sql::ParseErrorCode::lexical:
    case sql::ParseErrorCode::several_statements:
      break;
  }
  std::size_t offset = std::min<std::size_t>(error.offset, text.size());
  auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n');
  return {.reason = Reason::statement_not_understood,
          .explanation = "You have an error in your SQL syntax, or use a form that the gateway does not know, near '" +
                         excerpt(text, offset) + "' at line " + std::to_string(line) + ". Nothing was executed."};
}

// Several statements, or a text that is not seen, in the session itself.
bool runs_others(const sql::Node& statement) {
  switch (statement.kind) {
    case sql::NodeKind::execute:
    case sql::NodeKind::execute_immediate:
    case sql::NodeKind::set_statement:
    case sql::NodeKind::block:
    case sql::NodeKind::if_:
    case sql::NodeKind::case_statement:
    case sql::NodeKind::loop:
    case sql::NodeKind::for_loop:
      return true;
    default:
      return false;
  }
}

bool calls(const sql::Node& node) {
  return node.is(sql::NodeKind::call) || node.is(sql::NodeKind::execute) || node.is(sql::NodeKind::execute_immediate) ||
         std::any_of(children(node).begin(), children(node).end(), calls);
}

// Procedures may prepare texts of their own in the session, functions may not.
bool may_prepare(const sql::Node& statement) {
  return statement.is(sql::NodeKind::call) || (runs_others(statement) && calls(statement));
}

// What SET STATEMENT runs, or the statement itself.
const sql::Node& decisive(const sql::Node& statement) {
  return statement.is(sql::NodeKind::set_statement) ? decisive(*statement.child(sql::Role::statement)) : statement;
}

// START TRANSACTION, COMMIT, ROLLBACK; not what is to do with a savepoint.
bool ends_transaction(const sql::Node& statement) {
  return statement.is(sql::NodeKind::transaction) && statement.child(sql::Role::name) == nullptr;
}

bool has_xa_prepare(const sql::Node& node) {
  return (node.is(sql::NodeKind::xa) && node.keyword() == sql::Keyword::prepare) ||
         std::any_of(children(node).begin(), children(node).end(), has_xa_prepare);
}

bool prepares_transaction(const sql::Node& statement) {
  bool may_have_others =
      runs_others(statement) || statement.is(sql::NodeKind::create) || statement.is(sql::NodeKind::alter);
  return (may_have_others || statement.is(sql::NodeKind::xa)) && has_xa_prepare(statement);
}

bool is_definition(const sql::Node& statement) {
  return statement.is(sql::NodeKind::create) || statement.is(sql::NodeKind::alter) ||
         statement.is(sql::NodeKind::drop) || statement.is(sql::NodeKind::rename) ||
         statement.is(sql::NodeKind::import_);
}

// What a procedure does is known where it was followed, and then it defines nothing.
bool may_define(const sql::Node& statement, const std::optional<lineage::Facts>& facts) {
  switch (statement.kind) {
    case sql::NodeKind::create:
    case sql::NodeKind::drop:
      return !statement.has(sql::node_flag::temporary);
    case sql::NodeKind::alter:
    case sql::NodeKind::rename:
    case sql::NodeKind::import_:
      return true;
    case sql::NodeKind::call:
      return !facts || !facts->doubts.empty();
    default:
      return runs_others(statement);
  }
}

// Stored functions and triggers may do it as well as procedures, where they are not followed.
bool may_make_temporary(const sql::Node& statement, const std::optional<lineage::Facts>& facts, bool in_doubt) {
  bool makes = statement.is(sql::NodeKind::create) && statement.has(sql::node_flag::temporary);
  bool calls = statement.is(sql::NodeKind::call) ||
               (facts && std::any_of(facts->objects.begin(), facts->objects.end(), [](const lineage::Object& object) {
                  return (object.access & lineage::access::execute) != 0;
                }));
  bool has_triggers = statement.is(sql::NodeKind::insert) || statement.is(sql::NodeKind::replace) ||
                      statement.is(sql::NodeKind::update) || statement.is(sql::NodeKind::delete_) ||
                      statement.is(sql::NodeKind::load);
  bool followed = facts && facts->doubts.empty() && !in_doubt;
  return makes || (calls && !followed) || (has_triggers && facts && !followed) || runs_others(statement);
}

bool may_meet_literals(const StatementReading& reading, const NameSpace& names) {
  return names.protected_columns != nullptr && (names.in_doubt || !reading.facts || !reading.catalogue->complete() ||
                                                lineage::may_meet_literals(*reading.facts, *names.protected_columns));
}

// Then it is as well that of a text of the same shape, where any numbers do.
bool says_nothing_of_its_text(const StatementReading& reading) {
  return !reading.emitted && !reading.without_secrets && !reading.around_secret_text && !reading.runs &&
         !reading.prepared && (!reading.facts || reading.facts->doubts.empty());
}

std::uint64_t version_of(const NameSpace& names) {
  return names.catalogue == nullptr ? 0 : (*names.catalogue)->version();
}

}  // namespace

std::string statement_digest(std::string_view normalised_text) {
  crypto::Sha256 sha256;
  sha256.update(bytes_of(normalised_text));
  crypto::Sha256Digest digest = sha256.digest();
  return to_hex(Bytes(digest).first(digest.size() / 2));
}

StatementReading without_texts(StatementReading reading) {
  reading.emitted.reset();
  if (reading.without_secrets) {
    reading.without_secrets->text = {};
  }
  for (auto* text : {&reading.without_literals, &reading.around_secret_text}) {
    if (*text) {
      text->emplace();
    }
  }
  return reading;
}

Result<StatementReader::Reading, StatementRefusal> StatementReader::parse(std::string_view text,
                                                                          const sql::Dialect& dialect,
                                                                          sql::ParseFor purpose,
                                                                          const NameSpace& names) {
  counters_.add(Metric::statements_parsed);
  arena_.clear();
  root_ = nullptr;
  auto root = sql::parse(text, dialect, purpose, arena_);
  if (!root) {
    return Unexpected(refusal_of(root.error(), text));
  }
  auto emitted = sql::text_to_send(**root, text, dialect);
  if (!emitted) {
    return Unexpected(StatementRefusal{
        .reason = Reason::statement_not_understood,
        .explanation = "The statement can't be sent without its comments. Nothing was executed; leave them out."});
  }
  root_ = *root;
  if (root_->is(sql::NodeKind::empty) && *emitted) {
    *emitted = "/**/";  // to the servers something else than an empty text
  }
  sql::Secrets secrets = sql::find_secrets(*root_, text);
  StatementReading reading{.kind = lineage::kind_of(*root_),
                           .emitted = std::move(*emitted),
                           .words_around_parameters = secrets.around_parameters,
                           .yields_secret = secrets.in_answer,
                           .runs = sql::dynamic_text(*root_, text, dialect),
                           .prepared = sql::prepared_name_use(*root_, text),
                           .login_change = sql::login_change(*root_, text),
                           .may_change_reading = sql::may_change_reading(*root_, text),
                           .chooses_schema = decisive(*root_).is(sql::NodeKind::use),
                           .ends_transaction = ends_transaction(*root_),
                           .prepares_transaction = prepares_transaction(*root_),
                           .may_prepare = may_prepare(*root_),
                           .in_doubt = names.in_doubt,
                           .protected_columns = names.protected_columns};
  if (names.catalogue != nullptr) {
    reading.catalogue = *names.catalogue;
    reading.facts = lineage::analyze(
        {.root = *root_, .text = text, .dialect = dialect, .database = names.schema, .catalogue = *reading.catalogue});
  }
  reading.may_define = may_define(decisive(*root_), reading.facts);
  reading.is_definition = is_definition(*root_);
  reading.may_make_temporary = may_make_temporary(decisive(*root_), reading.facts, names.in_doubt);
  bool hides_literals = may_meet_literals(reading, names);
  reading.without_secrets = sql::without_secrets(secrets, *root_, text, dialect);
  std::string without_literals =
      reading.without_secrets ? sql::without_secrets(secrets, *root_, text, dialect, sql::Literals::hidden).value().text
                              : sql::normalised_text(*root_, text, dialect);
  if (!reading.without_secrets) {
    reading.digest = statement_digest(without_literals);
  }
  bool runs_a_text = reading.runs || reading.prepared;
  if (runs_a_text && without_literals != sql::canonical_text(*root_, text, dialect)) {
    reading.around_secret_text = without_literals;
  }
  if (hides_literals) {
    reading.without_literals = std::move(without_literals);
  }
  return std::make_shared<const StatementReading>(std::move(reading));
}

bool StatementReader::reads_the_same(std::string_view text, const sql::Dialects& dialects, sql::ParseFor purpose,
                                     const Result<Reading, StatementRefusal>& first) {
  return std::all_of(dialects.begin() + 1, dialects.end(), [&](const sql::Dialect& dialect) {
    other_arena_.clear();
    auto root = sql::parse(text, dialect, purpose, other_arena_);
    if (!root || !first) {
      return !root && !first;
    }
    auto emitted = sql::text_to_send(**root, text, dialect);
    return emitted && *emitted == (*first)->emitted && sql::says_the_same(*root_, text, **root, text);
  });
}

bool StatementReader::was_seen(std::uint64_t hash) {
  return std::exchange(seen_[hash / readings_max % seen_texts_max], hash) == hash;
}

std::optional<Result<StatementReader::Reading, StatementRefusal>> StatementReader::read(std::string_view text,
                                                                                        const sql::Dialects& dialects,
                                                                                        sql::ParseFor purpose,
                                                                                        const NameSpace& names,
                                                                                        std::size_t tree_bytes_max) {
  if (dialects.empty()) {
    return std::nullopt;
  }
  arena_.limit(tree_bytes_max);
  other_arena_.limit(tree_bytes_max);
  const sql::Dialect& dialect = *dialects.begin();
  if (dialects.size() > 1) {
    auto first = parse(text, dialect, purpose, names);
    return reads_the_same(text, dialects, purpose, first) ? std::optional(std::move(first)) : std::nullopt;
  }
  if (text.size() > remembered_text_bytes_max) {
    return parse(text, dialect, purpose, names);
  }
  ++clock_;
  Key key = key_of(text, false);
  if (Reading known = recall(key, dialect, purpose, names)) {
    return known;
  }
  std::size_t numbers = sql::number_shape(text, shape_);
  Key shape{};
  if (numbers != 0) {
    shape = key_of(shape_, true);
    if (Reading known = recall(shape, dialect, purpose, names)) {
      return known;
    }
  }
  auto reading = parse(text, dialect, purpose, names);
  if (reading) {
    bool is_of_all = numbers != 0 && sql::any_numbers_do(*root_, numbers) && says_nothing_of_its_text(**reading);
    remember(is_of_all ? shape : key, dialect, purpose, names, *reading);
  }
  return reading;
}

StatementReader::Key StatementReader::key_of(std::string_view text, bool is_shape) {
  return {.text = text, .is_shape = is_shape, .hash = std::hash<std::string_view>{}(text)};
}

StatementReader::Reading StatementReader::recall(const Key& key, const sql::Dialect& dialect, sql::ParseFor purpose,
                                                 const NameSpace& names) {
  std::uint64_t version = version_of(names);
  std::size_t first = key.hash % (readings_max / ways) * ways;
  for (std::size_t i = first; i < first + ways; ++i) {
    if (hashes_[i] != key.hash) {
      continue;
    }
    Remembered& place = remembered_[i];
    if (place.used != 0 && place.purpose == purpose && place.dialect == dialect && place.catalogue_version == version &&
        place.protected_columns == names.protected_columns && place.in_doubt == names.in_doubt &&
        place.is_shape == key.is_shape && place.text == key.text && (version == 0 || place.schema == names.schema)) {
      place.used = clock_;
      counters_.add(Metric::statements_known);
      return place.reading;
    }
  }
  return nullptr;
}

void StatementReader::remember(const Key& key, const sql::Dialect& dialect, sql::ParseFor purpose,
                               const NameSpace& names, const Reading& reading) {
  if (!was_seen(key.hash)) {
    return;
  }
  std::size_t first = key.hash % (readings_max / ways) * ways;
  std::span<Remembered> places{remembered_.data() + first, ways};
  auto oldest = std::min_element(places.begin(), places.end(),
                                 [](const Remembered& one, const Remembered& other) { return one.used < other.used; });
  hashes_[first + static_cast<std::size_t>(oldest - places.begin())] = key.hash;
  oldest->used = clock_;
  oldest->dialect = dialect;
  oldest->purpose = purpose;
  oldest->text = key.text;
  oldest->is_shape = key.is_shape;
  oldest->schema = names.schema;
  oldest->catalogue_version = version_of(names);
  oldest->protected_columns = names.protected_columns;
  oldest->in_doubt = names.in_doubt;
  oldest->reading = reading;
}

}  // namespace sallyport::session
