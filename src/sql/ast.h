// The syntax tree of one statement.
//
// A node is one production of the grammar: what it is (kind), what it is to its parent (role), where it lies in the
// text, and its children in the order of the text. Leaves are names, literals, parameters and the like; each covers
// exactly its own tokens. All that no leaf covers is keywords and symbols.
//
// The nodes lie in an Arena and borrow the text: both must outlive them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sql/keyword.h"

// Switches over some of the 900 keywords, or of the kinds of nodes, have a default.
#pragma GCC diagnostic ignored "-Wswitch-enum"

namespace sallyport::sql {

enum class NodeKind : std::uint16_t {
#define SALLYPORT_NODE_KIND(name) name,
#include "sql/node_kinds.inc"
#undef SALLYPORT_NODE_KIND
};

enum class Role : std::uint8_t {
#define SALLYPORT_ROLE(name) name,
#include "sql/roles.inc"
#undef SALLYPORT_ROLE
};

// Snake-case names.
std::string_view name_of(NodeKind kind);
std::string_view name_of(Role role);

// What NodeKind::literal is, in Node::variant.
enum class LiteralKind : std::uint8_t {
  text,  // one or more tokens: adjacent ones are one text
  national_text,
  introduced,  // _latin1'x'
  hexadecimal,
  bits,
  integer,
  decimal,
  real,
  null,
  true_,
  false_
};

// How NodeKind::name is written, in Node::variant.
enum class NameStyle : std::uint8_t {
  plain,   // a
  quoted,  // `a`, or "a" under ANSI_QUOTES, or [a] under MSSQL
  text     // 'a', where the servers take a text for a name
};

enum class Operator : std::uint8_t {
  or_,
  xor_,
  and_,
  not_,
  equal,
  null_safe_equal,
  not_equal,
  less,
  less_or_equal,
  greater,
  greater_or_equal,
  bit_or,
  bit_and,
  shift_left,
  shift_right,
  plus,
  minus,
  multiply,
  divide,
  integer_divide,
  modulo,
  bit_xor,
  bit_not,
  concatenate,
  arrow,
  unquoting_arrow,
  binary
};

// Node::flags, whose bits mean what the node's kind has.
namespace node_flag {
inline constexpr std::uint8_t negated = 1;           // in, between, like, regexp, is_test, option
inline constexpr std::uint8_t distinct = 1;          // select, function_call
inline constexpr std::uint8_t all = 1;               // set_operation: duplicates stay
inline constexpr std::uint8_t recursive = 1;         // with
inline constexpr std::uint8_t natural = 1;           // join
inline constexpr std::uint8_t lateral = 1;           // derived_table
inline constexpr std::uint8_t with_rollup = 1;       // group_by
inline constexpr std::uint8_t with_expansion = 1;    // match
inline constexpr std::uint8_t with_ties = 1;         // limit
inline constexpr std::uint8_t unbounded = 1;         // frame_bound
inline constexpr std::uint8_t as_convert = 1;        // cast
inline constexpr std::uint8_t array = 2;             // cast
inline constexpr std::uint8_t varying = 2;           // data_type
inline constexpr std::uint8_t compressed = 1;        // data_type
inline constexpr std::uint8_t ignore = 1;            // insert, replace, update
inline constexpr std::uint8_t low_priority = 2;      // update
inline constexpr std::uint8_t history = 1;           // delete
inline constexpr std::uint8_t local = 1;             // load
inline constexpr std::uint8_t analyze = 1;           // explain
inline constexpr std::uint8_t or_replace = 1;        // create
inline constexpr std::uint8_t if_exists = 2;         // alter, drop and the like
inline constexpr std::uint8_t if_not_exists = 2;     // create and the like
inline constexpr std::uint8_t temporary = 4;         // create, drop
inline constexpr std::uint8_t external = 8;          // create
inline constexpr std::uint8_t not_enforced = 4;      // table_constraint, option, alter_action
inline constexpr std::uint8_t not_logged = 1;        // alter_action
inline constexpr std::uint8_t linear = 1;            // partitioning
inline constexpr std::uint8_t by_columns = 2;        // partitioning
inline constexpr std::uint8_t without_overlaps = 1;  // key_part
inline constexpr std::uint8_t no_binlog = 1;         // flush, table_maintenance
inline constexpr std::uint8_t aggregate = 8;         // create
inline constexpr std::uint8_t reverse = 1;           // for_loop
}  // namespace node_flag

struct Node {
  NodeKind kind;
  Role role;
  std::uint8_t flags;     // of the kind
  std::uint16_t variant;  // of the kind: an enum, or a Keyword
  std::uint32_t begin;    // offsets into the text, of the first token's first byte and behind the last token
  std::uint32_t end;
  Node* first;  // child
  Node* next;   // sibling

  Keyword keyword() const { return static_cast<Keyword>(variant); }
  template <typename Enum>
  Enum as() const {
    return static_cast<Enum>(variant);
  }
  bool is(NodeKind other) const { return kind == other; }
  bool has(std::uint8_t flag) const { return (flags & flag) != 0; }
  std::string_view in(std::string_view text) const { return text.substr(begin, end - begin); }
  // The first child of that role, or none.
  const Node* child(Role of) const {
    const Node* found = first;
    while (found != nullptr && found->role != of) {
      found = found->next;
    }
    return found;
  }
};

// The children of a node, for a range-for.
class Children {
 public:
  class iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = const Node;
    using difference_type = std::ptrdiff_t;
    using pointer = const Node*;
    using reference = const Node&;
    explicit iterator(const Node* at) : at_(at) {}
    const Node& operator*() const { return *at_; }
    const Node* operator->() const { return at_; }
    iterator& operator++() {
      at_ = at_->next;
      return *this;
    }
    bool operator==(const iterator&) const = default;

   private:
    const Node* at_;
  };
  explicit Children(const Node& of) : first_(of.first) {}
  iterator begin() const { return iterator{first_}; }
  iterator end() const { return iterator{nullptr}; }

 private:
  const Node* first_;
};
inline Children children(const Node& of) {
  return Children{of};
}

// Where nodes live. Memory is kept over clear(), up to a bound.
class Arena {
 public:
  // With more than that it is full().
  void limit(std::size_t bytes_max) { chunks_max_ = bytes_max / (chunk_nodes * sizeof(Node)); }
  Node* make(const Node& node) {
    if (used_ == chunk_nodes) {
      grow();
    }
    Node* made = &chunks_[chunk_][used_++];
    *made = node;
    return made;
  }
  // Every node made so far is gone.
  void clear();
  std::size_t bytes() const { return chunks_.size() * chunk_nodes * sizeof(Node); }
  // Nodes are still made; whoever makes them has to come to an end.
  bool full() const { return chunk_ > chunks_max_; }

 private:
  static constexpr std::size_t chunk_nodes = 256;
  static constexpr std::size_t kept_chunks_max = 32;
  void grow();

  std::vector<std::unique_ptr<Node[]>> chunks_;
  std::size_t chunks_max_ = std::numeric_limits<std::size_t>::max();
  std::size_t chunk_ = 0;
  std::size_t used_ = chunk_nodes;
};

// The name that a NodeKind::name stands for: without its quotes, doubled quotes single.
std::string identifier(const Node& name, std::string_view text);

// What stands in a pair of parentheses. Null for what is none, and for several in one pair.
const Node* in_parentheses(const Node& node);
const Node& without_parentheses(const Node& node);

// Whether the two trees say the same: kinds, roles, variants and flags, names by what they stand for, literals by their
// bytes, and keywords and symbols not at all, as what these say is in the former.
bool says_the_same(const Node& one, std::string_view text, const Node& other, std::string_view other_text);

// The tree for a person, a line a node.
std::string describe(const Node& root, std::string_view text);

}  // namespace sallyport::sql
