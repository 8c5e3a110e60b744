// GRANT and REVOKE.
#include "sql/parser.h"

namespace sallyport::sql {

Node* Parser::grant() {
  Production made(*this, NodeKind::grant);
  expect(K::grant);
  if (accept(K::proxy, K::on)) {
    made.variant(K::proxy);
    made.add(Role::object, account());
    expect(K::to);
    comma_list(made, Role::user, [&] { return granted_user(); });
    if (accept(K::with)) {
      made.add(Role::option, option_of({K::grant, K::option}));
    }
    return made.done();
  }
  bool of_roles = granted(made) == Granted::roles;
  expect(K::to);
  comma_list(made, Role::user, [&] { return granted_user(); });
  if (of_roles) {
    if (accept(K::with)) {
      made.add(Role::option, option_of({K::admin, K::option}));
    }
    return made.done();
  }
  grant_options(made);
  return made.done();
}

// Behind the users: MariaDB's REQUIRE and limits, WITH GRANT OPTION, MySQL's AS user.
void Parser::grant_options(Production& into) {
  if (is_mariadb()) {
    require_clause(into);
  }
  if (accept(K::with)) {
    do {
      if (is(K::grant) || is_mysql()) {
        into.add(Role::option, option_of({K::grant, K::option}));
      } else {
        into.add(Role::option, resource_limit());
      }
    } while (is_mariadb() && (is(K::grant) || is_resource_limit()));
  }
  if (is_mysql_since(80016) && is(K::as)) {
    Production context(*this, NodeKind::grant_context);
    advance();
    context.add(Role::user, account());
    if (accept(K::with)) {
      expect(K::role);
      active_roles(context);
    }
    into.add(Role::with, context.done());
  }
}

Node* Parser::revoke() {
  Production made(*this, NodeKind::revoke);
  expect(K::revoke);
  if (is_mysql_since(80030)) {
    if_exists(made);
  }
  if (accept(K::proxy, K::on)) {
    made.variant(K::proxy);
    made.add(Role::object, account());
  } else if (is_mariadb() && is(K::admin) && next_is(K::option)) {
    made.variant(K::admin);
    advance();
    advance();
    expect(K::for_);
    made.add(Role::role, role_name());
  } else if (is(K::all) && is_everything()) {
    made.variant(K::all);
    advance();
    accept(K::privileges);
    expect(Symbol::comma);
    expect(K::grant, K::option);
  } else {
    granted(made);
  }
  expect(K::from);
  comma_list(made, Role::user, [&] { return is_mariadb() ? granted_user() : account(); });
  if (is_mysql_since(80030) && is(K::ignore)) {
    made.add(Role::option, option_of({K::ignore, K::unknown, K::user}));
  }
  return made.done();
}

// ALL [PRIVILEGES], GRANT OPTION.
bool Parser::is_everything() {
  return next_is(Symbol::comma) || (next_is(K::privileges) && next_is(Symbol::comma, 2));
}

Node* Parser::granted_user() {
  if (is_mariadb()) {
    return user_specification();
  }
  Production made(*this, NodeKind::user_specification);
  made.add(Role::user, account());
  return made.done();
}

// These words in their order, of which the first is the variant.
Node* Parser::option_of(std::initializer_list<Keyword> words) {
  Production made(*this, NodeKind::option, *words.begin());
  for (Keyword word : words) {
    expect(word);
  }
  return made.done();
}

// Privileges ON an object, or roles. A privilege whose name only MySQL's components know looks like a role until then.
Parser::Granted Parser::granted(Production& into) {
  Node* first = nullptr;
  bool has_all = false;
  bool has_columns = false;
  int count = 0;
  do {
    has_all = has_all || is(K::all);
    Node* element = privilege_or_role();
    has_columns = has_columns || (element != nullptr && element->child(Role::column) != nullptr);
    first = first == nullptr ? element : first;
    into.add(Role::privilege, element);
    ++count;
  } while (accept(Symbol::comma));
  bool of_object = accept(K::on);
  bool may_be_several = !has_all && (of_object || is_mysql());
  if (count > 1 && !may_be_several) {
    fail();
  }
  if (failed()) {
    return Granted::privileges;
  }
  for (Node* element = first; element != nullptr; element = element->next) {
    bool is_role = element->is(NodeKind::account);
    bool fits = of_object ? !is_role || (is_mysql() && element->child(Role::host) == nullptr) : is_role;
    if (!fits) {
      fail();
      return Granted::privileges;
    }
    if (of_object) {
      element->kind = NodeKind::privilege;
    } else {
      element->role = Role::role;
    }
  }
  if (of_object) {
    Node* object = grant_object();
    if (has_columns && object != nullptr && object->keyword() != K::table) {
      fail();
    }
    into.add(Role::object, object);
  }
  return of_object ? Granted::privileges : Granted::roles;
}

// The first word is the variant, more words are leaves.
Node* Parser::privilege_or_role() {
  if (is_mariadb() && is_identifier() && (next_is(K::to) || next_is(K::from))) {
    return role_name();
  }
  Production made(*this, NodeKind::privilege, current().keyword);
  switch (current().keyword) {
    case K::all:
      advance();
      accept(K::privileges);
      return made.done();
    case K::select:
    case K::insert:
    case K::update:
    case K::references:
      advance();
      if (accept(Symbol::parenthesis_open)) {
        name_list(made, Role::column);
        expect(Symbol::parenthesis_close);
      }
      return made.done();
    case K::event:
    case K::execute:
    case K::file:
    case K::index:
    case K::process:
    case K::reload:
    case K::shutdown:
    case K::super:
    case K::trigger:
    case K::usage:
      advance();
      return made.done();
    case K::alter:
    case K::create:
    case K::delete_:
    case K::drop:
    case K::grant:
    case K::lock:
    case K::replication:
    case K::show:
      return compound_privilege(made);
    default:
      return is_mariadb() ? mariadb_privilege_or_role() : role_name();
  }
}

// Of one word or several, by its first.
Node* Parser::compound_privilege(Production& made) {
  auto part = [&](std::initializer_list<Keyword> words) {
    bool found = is_one_of(words);
    if (found) {
      made.add(Role::part, keyword_leaf());
    }
    return found;
  };
  Keyword first = current().keyword;
  advance();
  bool is_whole = true;
  switch (first) {
    case K::alter:
      part({K::routine});
      break;
    case K::create:
      if (part({K::temporary})) {
        expect(K::tables);
      } else if (!part({K::routine, K::tablespace, K::user, K::view}) && is_mysql()) {
        part({K::role});
      }
      break;
    case K::delete_:
      if (is_mariadb()) {
        part({K::history});
      }
      break;
    case K::drop:
      if (is_mysql()) {
        part({K::role});
      }
      break;
    case K::grant:
      expect(K::option);
      break;
    case K::lock:
      expect(K::tables);
      break;
    case K::show:
      is_whole = is_mariadb_since(110300) && part({K::create}) ? part({K::routine}) : part({K::databases, K::view});
      break;
    default:  // REPLICATION
      if (is_mysql()) {
        is_whole = part({K::client, K::slave});
      } else if (part({K::master})) {
        is_whole = part({K::admin});
      } else {
        is_whole = part({K::client, K::slave, K::replica});
        part({K::admin});
      }
  }
  if (!is_whole) {
    fail();
  }
  return made.done();
}

// BINLOG ADMIN and the like, which are two words or three.
Node* Parser::mariadb_privilege_or_role() {
  auto of_two = [&](std::initializer_list<Keyword> seconds) {
    Production made(*this, NodeKind::privilege, current().keyword);
    advance();
    if (!is_one_of(seconds)) {
      fail();
    }
    made.add(Role::part, keyword_leaf());
    return made.done();
  };
  switch (current().keyword) {
    case K::binlog:
      return of_two({K::admin, K::monitor, K::replay});
    case K::connection:
    case K::federated:
    case K::read_only:
      return of_two({K::admin});
    case K::replica:
    case K::slave:
      return of_two({K::monitor});
    case K::set:
      return of_two({K::user});
    case K::read: {
      Production made(*this, NodeKind::privilege, K::read_only);
      advance();
      expect(K::only);
      made.add(Role::part, keyword_leaf());
      return made.done();
    }
    default:
      return role_name();
  }
}

// [TABLE | FUNCTION | PROCEDURE] *.*, d.*, *, d.t, t.
Node* Parser::grant_object() {
  Keyword type = K::table;
  bool has_type = is_one_of({K::table, K::function, K::procedure}) || (is_mysql_since(90200) && is(K::library)) ||
                  (is_mariadb() && has_mode(sql_mode::oracle) && is(K::package));
  if (has_type && !next_is(Symbol::dot)) {
    type = current().keyword;
    advance();
    if (type == K::package && accept(K::body)) {
      type = K::body;
    }
  }
  Production made(*this, NodeKind::object_name, type);
  bool is_everywhere = is(Symbol::star);
  Node* first = is_everywhere ? leaf(NodeKind::star) : identifier_leaf();
  if (!accept(Symbol::dot)) {
    made.add(Role::name, first);
    return made.done();
  }
  made.add(Role::qualifier, first);
  if (is_everywhere && !is(Symbol::star)) {
    fail();
  }
  made.add(Role::name, is(Symbol::star) ? leaf(NodeKind::star) : identifier_behind_dot());
  return made.done();
}

}  // namespace sallyport::sql
