#include "lineage/protected_columns.h"

#include <algorithm>

namespace sallyport::lineage {
namespace {

constexpr std::string_view any = "*";

bool fits(std::string_view pattern, std::string_view name) {
  return pattern == any || catalog::same_name(pattern, name);
}

bool fits(const ColumnPattern& pattern, const catalog::Table& table, const catalog::Column& column) {
  return fits(pattern.column, column.name) && fits(pattern.table, table.name) && fits(pattern.schema, table.schema);
}

bool has_any(const SourceSet& sources, const ProtectedColumns& columns) {
  return std::any_of(sources.begin(), sources.end(), [&](const Source& source) { return columns.contains(source); });
}

bool is_user_variable(std::string_view name) {
  return name.starts_with("@") && !name.starts_with("@@");
}

}  // namespace

std::optional<ColumnPattern> parse_column_pattern(std::string_view text) {
  std::size_t first = text.find('.');
  std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  ColumnPattern pattern{.schema = std::string(text.substr(0, first)),
                        .table = std::string(text.substr(first + 1, second - first - 1)),
                        .column = std::string(text.substr(second + 1))};
  // A star within a name would be taken for a pattern that it isn't.
  for (const std::string* part : {&pattern.schema, &pattern.table, &pattern.column}) {
    if (part->empty() || (*part != any && part->find('*') != std::string::npos)) {
      return std::nullopt;
    }
  }
  return pattern;
}

std::string text_of(const ColumnPattern& pattern) {
  return pattern.schema + "." + pattern.table + "." + pattern.column;
}

bool ProtectedColumns::contains(const Source& source) const {
  return std::any_of(patterns_.begin(), patterns_.end(),
                     [&](const ColumnPattern& pattern) { return fits(pattern, *source.table, source.definition()); });
}

std::vector<std::string> ProtectedColumns::missing_in(const catalog::Catalogue& catalogue) const {
  std::vector<std::string> missing;
  for (const ColumnPattern& pattern : patterns_) {
    bool found = std::any_of(catalogue.tables().begin(), catalogue.tables().end(), [&](const catalog::Table& table) {
      return table.kind == catalog::Table::Kind::base &&
             std::any_of(table.columns.begin(), table.columns.end(),
                         [&](const catalog::Column& column) { return fits(pattern, table, column); });
    });
    if (!found) {
      missing.push_back(text_of(pattern));
    }
  }
  return missing;
}

bool may_meet_literals(const Facts& facts, const ProtectedColumns& columns) {
  return !facts.certain() || has_any(facts.writes, columns) || has_any(facts.influences, columns) ||
         has_any(facts.computed, columns) || has_any(facts.defines, columns) ||
         std::any_of(facts.output.begin(), facts.output.end(),
                     [&](const OutputColumn& column) { return has_any(column.lineage.derived, columns); }) ||
         std::any_of(facts.flows.begin(), facts.flows.end(),
                     [&](const Flow& flow) {
                       return has_any(flow.lineage.copied, columns) || has_any(flow.lineage.derived, columns);
                     }) ||
         std::any_of(facts.variables_written.begin(), facts.variables_written.end(), is_user_variable);
}

}  // namespace sallyport::lineage
