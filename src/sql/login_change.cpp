#include "sql/login_change.h"

#include <algorithm>

#include "base/ascii.h"
#include "sql/text_literal.h"

namespace sallyport::sql {
namespace {

// MySQL leaves out blanks around the name of a user.
std::string_view trimmed(std::string_view name) {
  constexpr std::string_view blanks = " \t\n\v\f\r";
  std::size_t begin = name.find_first_not_of(blanks);
  return begin == std::string_view::npos ? std::string_view{}
                                         : name.substr(begin, name.find_last_not_of(blanks) - begin + 1);
}

class Search {
 public:
  explicit Search(std::string_view text) : text_(text) {}

  void visit(const Node& node) {
    switch (node.kind) {
      case NodeKind::set_role:
        found_.sets_role = true;
        break;
      case NodeKind::set_password:
      case NodeKind::set_default_role:
        found_.changes_oneself = found_.changes_oneself || node.child(Role::user) == nullptr;
        note_users(node);
        break;
      case NodeKind::create:
        if (node.has(node_flag::or_replace)) {
          note_users(node);
        }
        break;
      case NodeKind::alter:
      case NodeKind::drop:
      case NodeKind::rename_user:
      case NodeKind::grant:
      case NodeKind::revoke:
        note_users(node);
        break;
      default:
        break;
    }
    for (const Node& child : children(node)) {
      visit(child);
    }
  }
  LoginChange take() { return std::move(found_); }

 private:
  void note_users(const Node& statement) {
    for (const Node& child : children(statement)) {
      bool is_proxied = child.role == Role::object && child.is(NodeKind::account);
      if (child.role == Role::user || child.role == Role::target || is_proxied) {
        const Node* account = child.is(NodeKind::user_specification) ? child.child(Role::user) : &child;
        if (account != nullptr && account->is(NodeKind::account)) {
          note_account(*account);
        }
      }
    }
  }

  void note_account(const Node& account) {
    const Node* name = account.child(Role::name);
    if (name == nullptr) {  // CURRENT_USER, USER()
      found_.changes_oneself = true;
      return;
    }
    std::string_view written = name->in(text_);
    bool is_quoted = written.starts_with('\'') || written.starts_with('"');
    if (is_quoted && written.find('\\') != std::string_view::npos) {
      note_escapes(written);
    }
    found_.users.push_back(identifier(*name, text_));
  }

  // What a backslash says depends on sql_mode, and beyond ASCII on the character set.
  void note_escapes(std::string_view written) {
    std::string user;
    append_text_value(user, written, Dialect{});
    found_.changes_oneself = found_.changes_oneself || !is_ascii(written);
    found_.users.push_back(std::move(user));
  }

  std::string_view text_;
  LoginChange found_;
};

}  // namespace

bool LoginChange::changes(std::string_view user) const {
  return changes_oneself || std::any_of(users.begin(), users.end(),
                                        [&](const std::string& other) { return trimmed(other) == trimmed(user); });
}

LoginChange login_change(const Node& root, std::string_view text) {
  if (root.is(NodeKind::query) || root.is(NodeKind::select) || root.is(NodeKind::insert) ||
      root.is(NodeKind::replace) || root.is(NodeKind::update) || root.is(NodeKind::delete_)) {
    return {};  // rows, of which there may be many
  }
  Search search{text};
  search.visit(root);
  return search.take();
}

}  // namespace sallyport::sql
