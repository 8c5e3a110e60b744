#include "lineage/sources.h"

#include <algorithm>

namespace sallyport::lineage {

std::string text_of(const Source& source) {
  return source.table->schema + "." + source.table->name + "." + source.definition().name;
}

bool SourceSet::add(const Source& source) {
  auto at = std::lower_bound(sources_.begin(), sources_.end(), source);
  if (at != sources_.end() && *at == source) {
    return false;
  }
  sources_.insert(at, source);
  return true;
}

bool SourceSet::add(const SourceSet& others) {
  if (sources_.empty()) {
    sources_ = others.sources_;
    return !others.empty();
  }
  bool grew = false;
  for (const Source& source : others) {
    grew |= add(source);
  }
  return grew;
}

bool SourceSet::contains(const Source& source) const {
  return std::binary_search(sources_.begin(), sources_.end(), source);
}

bool Lineage::add(const Lineage& other) {
  bool grew = copied.add(other.copied);
  grew |= derived.add(other.derived);
  grew |= (certain && !other.certain) || (!variables && other.variables);
  certain = certain && other.certain;
  variables = variables || other.variables;
  return grew;
}

bool Lineage::add_derived(const Lineage& other) {
  bool grew = derived.add(other.copied);
  grew |= derived.add(other.derived);
  grew |= (certain && !other.certain) || (!variables && other.variables);
  certain = certain && other.certain;
  variables = variables || other.variables;
  return grew;
}

}  // namespace sallyport::lineage
