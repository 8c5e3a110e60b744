// Which statement it is.
#include "sql/parser.h"

namespace sallyport::sql {

Node* Parser::statement() {
  switch (current().keyword) {
    case K::select:
    case K::with:
    case K::values:
    case K::table:
      return query_statement();
    case K::insert:
    case K::replace:
      return insert();
    case K::update:
      return update();
    case K::delete_:
      return delete_();
    case K::do_:
      return do_();
    case K::call:
      return call();
    case K::load:
      return load();
    case K::handler:
      return handler();
    case K::explain:
    case K::describe:
    case K::desc:
      return explain();
    case K::truncate:
      return truncate();
    default:
      break;
  }
  if (is_parenthesised_query()) {
    return query_statement();
  }
  fail();
  return nullptr;
}

// A query, or behind a WITH an UPDATE or DELETE.
Node* Parser::query_statement() {
  if (!is(K::with)) {
    return query_expression();
  }
  Production made(*this, NodeKind::query);
  made.add(Role::with, with_clause());
  if (is_one_of({K::update, K::delete_})) {
    Node* changing = is(K::update) ? update() : delete_();
    if (changing == nullptr) {
      return nullptr;
    }
    Node* query = made.done();
    Node* with = query->first;
    with->next = changing->first;
    changing->first = with;
    changing->begin = with->begin;
    return changing;
  }
  made.add(Role::body, set_operation_from(query_primary(), 1));
  query_tail(made);
  return made.done();
}

}  // namespace sallyport::sql
