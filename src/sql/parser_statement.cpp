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
      return next_is(K::index) ? index_cache() : load();
    case K::handler:
      return handler();
    case K::explain:
    case K::describe:
    case K::desc:
      return explain();
    case K::truncate:
      return truncate();
    case K::create:
      return create();
    case K::alter:
      return alter();
    case K::drop:
      return drop();
    case K::rename:
      if (next_is(K::table) || next_is(K::tables)) {
        return rename_table();
      }
      break;
    case K::import:
      return import_table();
    case K::begin:
      return begin();
    case K::if_:
    case K::case_:
    case K::loop:
    case K::while_:
    case K::repeat:
    case K::for_:
      if (is_mariadb()) {
        return compound_statement();
      }
      break;
    case K::declare:
      if (is_mariadb() && has_mode(sql_mode::oracle)) {
        fail(ParseErrorCode::not_supported);
      }
      break;
    case K::signal:
    case K::resignal:
      return signal();
    case K::get:
      return get_diagnostics();
    case K::prepare:
      return prepare();
    case K::execute:
      return execute();
    case K::deallocate:
      return deallocate();
    case K::start:
      if (next_is(K::transaction)) {
        return start_transaction();
      }
      break;
    case K::commit:
    case K::rollback:
      return end_transaction();
    case K::savepoint:
    case K::release:
      return savepoint();
    case K::xa:
      return xa();
    case K::lock:
      return lock();
    case K::unlock:
      return unlock();
    case K::set:
      if (is_set_for_statement()) {
        return set_for_statement();
      }
      break;
    default:
      break;
  }
  if (is_parenthesised_query()) {
    return query_statement();
  }
  return administration_statement();
}

// A query, or behind a WITH of MySQL's an UPDATE or DELETE.
Node* Parser::query_statement() {
  if (!is(K::with)) {
    return query_expression();
  }
  Production made(*this, NodeKind::query);
  made.add(Role::with, with_clause());
  if (is_mysql() && is_one_of({K::update, K::delete_})) {
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
