// Statements that hold secrets, and their texts for those who may not see these: records, logs, whoever approves.
//
// What counts as a secret is what the servers themselves keep out of their logs (MySQL manual, "Passwords and Logging";
// MariaDB, server_audit): what passwords are set to, and their hashes; the passwords of replication, of CREATE SERVER,
// of CLONE; and further the connection strings of tables, the options and variables whose names speak of a secret, and
// texts that are statements themselves and speak of one. Where parts are joined into such a text any of them may be the
// secret, so that no literal of the statement is shown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/ast.h"
#include "sql/dialect.h"
#include "sql/printer.h"

namespace sallyport::sql {

// What a text says that may be, or become a part of, a statement with a secret.
struct StatementWords {
  bool speaks_of_secret = false;  // IDENTIFIED
  bool begins_statement = false;  // ALTER

  bool tell_of_secret() const { return speaks_of_secret && begins_statement; }
  void add(const StatementWords& other) {
    speaks_of_secret = speaks_of_secret || other.speaks_of_secret;
    begins_statement = begins_statement || other.begins_statement;
  }
};
StatementWords statement_words(std::string_view text);

struct Secrets {
  std::vector<std::uint32_t> places;   // where the literals and names begin that are some, in order
  bool in_any_literal = false;         // each may be a part of one
  bool parameters_are_secret = false;  // some may be, of those that the statement is executed with
  bool in_answer = false;              // a password that the server makes up (MySQL's RANDOM)
  // Of the texts that the statement makes with its parameters, for a variable or a procedure, by its literals. Nothing
  // where it makes none.
  std::optional<StatementWords> around_parameters;
};
Secrets find_secrets(const Node& root, std::string_view text);

struct WithoutSecrets {
  // The canonical text, which has no comments, with a question mark for each secret.
  std::string text;
  bool parameters_are_secret = false;
};

// `secrets`: of this statement. Nothing where it has none but in its answer. Of hidden literals those that are no
// secrets are not shown either.
std::optional<WithoutSecrets> without_secrets(const Secrets& secrets, const Node& root, std::string_view text,
                                              const Dialect& dialect, Literals literals = Literals::shown);

// As much of the beginning of a text as certainly holds no secret, where the text is not understood: all of one that
// begins as a query or a change of rows does and speaks of no secret; of any other no more than its first words, up to
// the first quote, comment or number, and to the first word that speaks of a secret.
std::string_view unread_text_without_secrets(std::string_view text);
// The same, and nothing that may be a literal.
std::string_view unread_text_without_literals(std::string_view text);

}  // namespace sallyport::sql
