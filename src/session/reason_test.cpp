#include "session/reason.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

namespace sallyport::session {
namespace {

std::vector<std::string> token_and_account_codes() {
  std::vector<std::string> codes;
  for (int i = 0; i <= static_cast<int>(identity::TokenError::issuer_keys_unavailable); ++i) {
    codes.emplace_back(identity::reason_code(static_cast<identity::TokenError>(i)));
  }
  for (int i = 0; i <= static_cast<int>(identity::AccountError::connection_not_granted); ++i) {
    codes.emplace_back(identity::reason_code(static_cast<identity::AccountError>(i)));
  }
  return codes;
}

TEST(Reasons, TheTableStandsInTheOrderOfTheEnum) {
  for (std::size_t i = 0; i < all_reasons().size(); ++i) {
    EXPECT_EQ(static_cast<std::size_t>(all_reasons()[i].reason), i);
  }
}

TEST(Reasons, CodesAreUniqueAndInSnakeCase) {
  std::set<std::string_view> seen;
  for (const ReasonText& entry : all_reasons()) {
    if (entry.reason == Reason::token_refused || entry.reason == Reason::account_refused) {
      EXPECT_EQ(entry.code, "");  // theirs are those of identity
      continue;
    }
    EXPECT_TRUE(seen.insert(entry.code).second) << entry.code;
    EXPECT_TRUE(std::regex_match(std::string(entry.code), std::regex("[a-z][a-z0-9]*(_[a-z0-9]+)*"))) << entry.code;
  }
}

TEST(Reasons, WhatAClientIsToldHasANumberAStateAndAText) {
  for (const ReasonText& entry : all_reasons()) {
    if (entry.mysql_error == 0) {
      EXPECT_EQ(entry.sql_state, "") << entry.code;
      EXPECT_EQ(entry.text, "") << entry.code;
      continue;
    }
    EXPECT_EQ(entry.sql_state.size(), 5U) << entry.code;
    bool of_clients = (entry.mysql_error >= 2000 && entry.mysql_error < 3000) || entry.mysql_error >= 5000;
    EXPECT_FALSE(of_clients) << entry.code << ": libmariadb takes such an error for a malformed packet";
    ClientError error = client_error(entry.reason, "some_code", "Some text.");
    EXPECT_EQ(error.message, "Sallyport: Some text. [some_code]");
    EXPECT_LT(client_error(entry.reason).message.size(), 512U) << entry.code;  // MYSQL_ERRMSG_SIZE of drivers
  }
}

TEST(Reasons, EachCodeIsDocumented) {
  std::ifstream file(std::filesystem::path(__FILE__).parent_path().parent_path().parent_path() / "docs/reasons.md");
  std::stringstream content;
  content << file.rdbuf();
  std::set<std::string> documented;
  std::string text = content.str();
  std::regex row("\\n\\| `([a-z_]+)` \\|");
  for (std::sregex_iterator i(text.begin(), text.end(), row); i != std::sregex_iterator(); ++i) {
    EXPECT_TRUE(documented.insert((*i)[1]).second || (*i)[1] == "token_expired" || (*i)[1] == "account_disabled")
        << (*i)[1];
  }
  std::set<std::string> due;
  for (const std::string& code : token_and_account_codes()) {
    due.insert(code);
  }
  for (const ReasonText& entry : all_reasons()) {
    if (!entry.code.empty()) {
      due.insert(std::string(entry.code));
    }
  }
  EXPECT_EQ(documented, due);
}

}  // namespace
}  // namespace sallyport::session
