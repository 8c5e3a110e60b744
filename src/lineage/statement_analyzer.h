// A statement to its facts, for analyzer.h.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lineage/in_text.h"
#include "lineage/query_analyzer.h"

namespace sallyport::lineage {

class StatementAnalyzer {
 public:
  explicit StatementAnalyzer(const AnalysisInput& input)
      : input_(input),
        queries_(input, [this](std::string what, const catalog::Routine& function,
                               Lineage given) { return run_function(std::move(what), function, std::move(given)); }),
        facts_(queries_.facts()) {}
  StatementAnalyzer(const StatementAnalyzer&) = delete;
  StatementAnalyzer& operator=(const StatementAnalyzer&) = delete;

  Facts analyze(const sql::Node& root) {
    facts_.kind = kind_of(root);
    statement(root);
    follow_changes(root);
    return std::move(facts_);
  }

 private:
  void statement(const sql::Node& root);
  void insert(const sql::Node& root);
  void update(const sql::Node& root);
  void remove(const sql::Node& root);
  void load(const sql::Node& root);
  void call(const sql::Node& root, const Scope& scope);
  void alter_table(const sql::Node& root);
  void set(const sql::Node& root);
  void set_variable(const sql::Node& assignment);
  void define_columns(const sql::Node& table);
  void collect_columns(const sql::Node& node, catalog::Table& into) const;
  void other(const sql::Node& node, Access on_object);
  void assign(const sql::Node& assignment, const Scope& targets, const Scope& values, Access how);
  void note_write(const Source& source, Access how);
  void write_named(const Relation& target, const std::string& name, Access how, Lineage lineage);
  void write(const std::string& target, const std::optional<Source>& source, Lineage lineage);
  void where(const sql::Node& root, const Scope& scope);
  void order(const sql::Node& root, const Scope& scope);
  void returning(const sql::Node& root, const Scope& scope);
  void output(QueryAnalyzer::Columns columns);

  // What a stored program does. Whatever it reads may flow into whatever it writes or returns.
  struct Program {
    std::string what;  // for doubts: "procedure d.p"
    ProgramText::Source source;
    std::vector<Relation> names;  // that its statements see: parameters, NEW and OLD
    Lineage given;                // with what it is called
  };
  // What it reads, and what it was given; nothing where it could not be followed, which is noted.
  std::optional<Lineage> run(Program program);
  std::optional<Lineage> run_function(std::string what, const catalog::Routine& function, Lineage given);
  // False where that is not known of one of its statements.
  bool follow(const sql::Node& node, const Scope& names);
  bool follow_children(const sql::Node& node, const Scope& names);
  bool follow_query(const sql::Node& node, const Scope& names);
  bool follow_set(const sql::Node& node, const Scope& names);
  bool follow_changing(const sql::Node& node, const Scope& names);
  // What runs, and what changes, when tables are written: triggers, and cascades of foreign keys.
  void follow_changes(const sql::Node& root);
  Lineage flows_into(const catalog::Table& table) const;
  void follow_triggers(const catalog::Table& table, std::string_view event, std::uint32_t offset);
  void follow_cascades(const catalog::Table& table, Access change);
  // What decides whether that succeeds, and may be in the error where it does not.
  void follow_rows(const catalog::Table& table);
  void follow_keys(const catalog::Table& table, Access change);
  void influence_named(const catalog::Table& table, const std::vector<std::string>& names);
  bool writes(const catalog::Table& table, std::string_view column) const;
  void result_set(const QueryAnalyzer::Columns& columns);

  const AnalysisInput& input_;
  QueryAnalyzer queries_;
  Facts& facts_;
  const Scope* outer_ = nullptr;  // what statements of a stored program see besides tables
  int programs_ = 0;              // that were followed
};

}  // namespace sallyport::lineage
