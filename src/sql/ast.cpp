#include "sql/ast.h"

#include <array>

namespace sallyport::sql {
namespace {

constexpr auto kind_names = std::to_array<std::string_view>({
#define SALLYPORT_NODE_KIND(name) #name,
#include "sql/node_kinds.inc"
#undef SALLYPORT_NODE_KIND
});

constexpr auto role_names = std::to_array<std::string_view>({
#define SALLYPORT_ROLE(name) #name,
#include "sql/roles.inc"
#undef SALLYPORT_ROLE
});

std::string_view without_underscore(std::string_view name) {
  return name.ends_with('_') ? name.substr(0, name.size() - 1) : name;
}

void describe_into(const Node& node, std::string_view text, std::size_t depth, std::string& out) {
  out.append(2 * depth, ' ');
  out += name_of(node.role);
  out += ": ";
  out += name_of(node.kind);
  if (node.first == nullptr) {
    out += ' ';
    out += node.in(text);
  }
  out += '\n';
  for (const Node& child : children(node)) {
    describe_into(child, text, depth + 1, out);
  }
}

}  // namespace

std::string_view name_of(NodeKind kind) {
  return without_underscore(kind_names[static_cast<std::size_t>(kind)]);
}

std::string_view name_of(Role role) {
  return without_underscore(role_names[static_cast<std::size_t>(role)]);
}

void Arena::clear() {
  if (chunks_.size() > kept_chunks_max) {
    chunks_.resize(kept_chunks_max);
  }
  chunk_ = 0;
  used_ = chunks_.empty() ? chunk_nodes : 0;
}

void Arena::grow() {
  if (!chunks_.empty()) {
    ++chunk_;
  }
  if (chunk_ == chunks_.size()) {
    chunks_.push_back(std::make_unique_for_overwrite<Node[]>(chunk_nodes));
  }
  used_ = 0;
}

const Node* in_parentheses(const Node& node) {
  bool is_pair = node.is(NodeKind::parentheses) && node.first != nullptr && node.first->next == nullptr;
  return is_pair ? node.first : nullptr;
}

const Node& without_parentheses(const Node& node) {
  const Node* at = &node;
  while (const Node* inner = in_parentheses(*at)) {
    at = inner;
  }
  return *at;
}

std::string identifier(const Node& name, std::string_view text) {
  std::string_view written = name.in(text);
  if (name.as<NameStyle>() == NameStyle::plain || written.size() < 2) {
    return std::string(written);
  }
  char quote = written.back();
  written = written.substr(1, written.size() - 2);
  std::string found;
  for (std::size_t i = 0; i < written.size(); ++i) {
    found += written[i];
    if (written[i] == quote && i + 1 < written.size() && written[i + 1] == quote) {
      ++i;
    }
  }
  return found;
}

bool says_the_same(const Node& one, std::string_view text, const Node& other, std::string_view other_text) {
  if (one.kind != other.kind || one.role != other.role || one.flags != other.flags) {
    return false;
  }
  if (one.kind == NodeKind::name) {
    return identifier(one, text) == identifier(other, other_text);
  }
  if (one.variant != other.variant) {
    return false;
  }
  bool is_literal = one.kind == NodeKind::literal || one.kind == NodeKind::literal_part || one.kind == NodeKind::hint;
  if (is_literal && one.first == nullptr && other.first == nullptr) {
    return one.in(text) == other.in(other_text);
  }
  const Node* left = one.first;
  const Node* right = other.first;
  while (left != nullptr && right != nullptr && says_the_same(*left, text, *right, other_text)) {
    left = left->next;
    right = right->next;
  }
  return left == nullptr && right == nullptr;
}

std::string describe(const Node& root, std::string_view text) {
  std::string out;
  describe_into(root, text, 0, out);
  return out;
}

}  // namespace sallyport::sql
