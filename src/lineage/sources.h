// Where values come from: sets of base columns.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "catalog/catalogue.h"

namespace sallyport::lineage {

// A column of a base table. Borrows the catalogue, or the analysis for a table that the catalogue lacks.
struct Source {
  const catalog::Table* table;
  std::uint32_t column;
  const catalog::Column& definition() const { return table->columns[column]; }
  bool operator==(const Source&) const = default;
  auto operator<=>(const Source&) const = default;
};

// "db.table.column"
std::string text_of(const Source& source);

class SourceSet {
 public:
  // Whether it was new.
  bool add(const Source& source);
  bool add(const SourceSet& others);
  bool contains(const Source& source) const;
  bool empty() const { return sources_.empty(); }
  std::size_t size() const { return sources_.size(); }
  auto begin() const { return sources_.begin(); }
  auto end() const { return sources_.end(); }
  bool operator==(const SourceSet&) const = default;

 private:
  std::vector<Source> sources_;  // in order
};

// What a value can carry.
struct Lineage {
  SourceSet copied;        // the value itself
  SourceSet derived;       // something computed from it
  bool certain = true;     // false: it may carry more than is known
  bool variables = false;  // of the session, set by earlier statements

  // Whether anything was new.
  bool add(const Lineage& other);
  // The same, computed from.
  bool add_derived(const Lineage& other);
};

}  // namespace sallyport::lineage
