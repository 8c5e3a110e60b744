#include "identity/accounts.h"

#include <gtest/gtest.h>

#include <chrono>

namespace sallyport::identity {
namespace {

using Kind = ClaimMatcher::Kind;

Principal principal_of(std::string_view claims, std::string issuer_name = "dev") {
  Principal principal;
  principal.issuer_name = std::move(issuer_name);
  auto parsed = parse_json(claims, {});
  SALLYPORT_CHECK(parsed.has_value());
  principal.claims = std::move(*parsed);
  return principal;
}

ClaimMatcher matcher(std::string claim, Kind kind, std::string value) {
  return {std::move(claim), kind, std::move(value), {}};
}

ServiceAccount account(std::string name, std::vector<ClaimMatcher> claims) {
  ServiceAccount made;
  made.name = std::move(name);
  made.match = {{"dev", std::move(claims)}};
  made.grants = {
      {"shop", "reporter", "reader", "shop_reader"}, {"shop", "writer", "writer", ""}, {"crm", "main", "m", ""}};
  return made;
}

TEST(Glob, MatchesWholeTexts) {
  struct Case {
    std::string_view pattern, text;
    bool expected;
  };
  for (const auto& [pattern, text, expected] :
       std::initializer_list<Case>{{"", "", true},
                                   {"", "a", false},
                                   {"*", "", true},
                                   {"*", "abc", true},
                                   {"*", "a/b", false},
                                   {"**", "a/b/c", true},
                                   {"a*c", "abbc", true},
                                   {"a*c", "abcd", false},
                                   {"a?c", "abc", true},
                                   {"a?c", "ac", false},
                                   {"a?c", "a/c", false},
                                   {"agent-*", "agent-7", true},
                                   {"agent-*", "agent", false},
                                   {"*-*-*", "a-b-c-d", true},
                                   {"spiffe://d/ns/*/sa/*", "spiffe://d/ns/x/sa/y", true},
                                   {"spiffe://d/ns/*/sa/*", "spiffe://d/ns/x/y/sa/z", false},
                                   {"spiffe://d/**", "spiffe://d/a/b", true},
                                   {"**/b", "a/x/b", true},
                                   {"***", "a/b", true},
                                   {"a**", "a", true},
                                   {"[a]", "[a]", true},
                                   {"a.c", "abc", false},
                                   {"A", "a", false},
                                   {"*a", "aaab", false},
                                   {"*a*", "bab", true},
                                   {"?", "", false},
                                   {"*/*", "a/b", true},
                                   {"*/*", "a/b/c", false},
                                   {"\\*", "\\x", true}}) {
    EXPECT_EQ(glob_matches(pattern, text), expected) << pattern << " on " << text;
  }
}

TEST(Glob, TakesNoExponentialTime) {
  std::string pattern;
  for (int i = 0; i < 200; ++i) {
    pattern += "*a**";
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_FALSE(glob_matches(pattern + "b", std::string(5000, 'a')));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(ClaimMatcher, ComparesOnlyWhatIsOfItsForm) {
  const Principal principal = principal_of(
      R"({"sub":"agent-1","groups":["reporters","x y",7],"scope":"read write","n":5,"b":true,
          "realm_access":{"roles":["db"]},"https://c.example/env":"prod","list":["agent-1"],"empty":""})");
  struct Case {
    ClaimMatcher matcher;
    bool expected;
  };
  for (const auto& [tried, expected] :
       std::initializer_list<Case>{{matcher("sub", Kind::equals, "agent-1"), true},
                                   {matcher("sub", Kind::equals, "agent"), false},
                                   {matcher("sub", Kind::equals, "Agent-1"), false},
                                   {matcher("list", Kind::equals, "agent-1"), false},
                                   {matcher("n", Kind::equals, "5"), false},
                                   {matcher("b", Kind::equals, "true"), false},
                                   {matcher("missing", Kind::equals, ""), false},
                                   {matcher("empty", Kind::equals, ""), true},
                                   {matcher("sub", Kind::glob, "agent-*"), true},
                                   {matcher("list", Kind::glob, "*"), false},
                                   {matcher("missing", Kind::glob, "*"), false},
                                   {matcher("groups", Kind::contains, "reporters"), true},
                                   {matcher("groups", Kind::contains, "report"), false},
                                   {matcher("groups", Kind::contains, "x"), false},
                                   {matcher("groups", Kind::contains, "7"), false},
                                   {matcher("scope", Kind::contains, "write"), true},
                                   {matcher("scope", Kind::contains, "writ"), false},
                                   {matcher("scope", Kind::contains, "read write"), false},
                                   {matcher("scope", Kind::contains, ""), false},
                                   {matcher("n", Kind::contains, "5"), false},
                                   {matcher("realm_access.roles", Kind::contains, "db"), true},
                                   {matcher("https://c.example/env", Kind::equals, "prod"), true},
                                   {{"sub", Kind::one_of, "", {"x", "agent-1"}}, true},
                                   {{"sub", Kind::one_of, "agent-1", {}}, false},
                                   {{"list", Kind::one_of, "", {"agent-1"}}, false}}) {
    EXPECT_EQ(matches(tried, principal.claims), expected) << tried.claim << " " << tried.value;
  }
}

TEST(AccountDirectory, FindsTheOneAccountThatMatches) {
  const AccountDirectory directory({account("reporter", {matcher("sub", Kind::equals, "r")}),
                                    account("writer", {matcher("sub", Kind::equals, "w")})});
  EXPECT_EQ((*directory.resolve(principal_of(R"({"sub":"w"})")))->name, "writer");
  EXPECT_EQ(directory.resolve(principal_of(R"({"sub":"x"})")).error(), AccountError::account_unknown);
  EXPECT_EQ(directory.resolve(principal_of(R"({"sub":"w"})", "other")).error(), AccountError::account_unknown);
  EXPECT_EQ(directory.find("writer")->name, "writer");
  EXPECT_EQ(directory.find("nobody"), nullptr);
}

TEST(AccountDirectory, AllMatchersOfARuleAndAnyRuleOfAnAccountDecide) {
  ServiceAccount both = account("a", {matcher("sub", Kind::equals, "r"), matcher("env", Kind::equals, "prod")});
  both.match.push_back({"other", {matcher("sub", Kind::equals, "z")}});
  const AccountDirectory directory({both});
  EXPECT_FALSE(directory.resolve(principal_of(R"({"sub":"r"})")));
  EXPECT_TRUE(directory.resolve(principal_of(R"({"sub":"r","env":"prod"})")));
  EXPECT_TRUE(directory.resolve(principal_of(R"({"sub":"z"})", "other")));
}

TEST(AccountDirectory, ARuleWithoutMatchersMatchesNobody) {
  EXPECT_EQ(AccountDirectory({account("a", {})}).resolve(principal_of("{}")).error(), AccountError::account_unknown);
}

TEST(AccountDirectory, SeveralAccountsAreAmbiguousEvenWhenOneIsDisabled) {
  ServiceAccount one = account("one", {matcher("sub", Kind::equals, "r")});
  ServiceAccount two = account("two", {matcher("sub", Kind::glob, "*")});
  two.disabled = true;
  const AccountDirectory directory({one, two});
  EXPECT_EQ(directory.resolve(principal_of(R"({"sub":"r"})")).error(), AccountError::account_ambiguous);
  EXPECT_EQ(directory.resolve(principal_of(R"({"sub":"s"})")).error(), AccountError::account_disabled);
  one.match.push_back(one.match[0]);
  EXPECT_TRUE(AccountDirectory({one}).resolve(principal_of(R"({"sub":"r"})")));
}

TEST(ClientUser, IsAConnectionAndPerhapsARole) {
  EXPECT_EQ(parse_client_user("shop")->connection, "shop");
  EXPECT_EQ(parse_client_user("shop")->role, "");
  EXPECT_EQ(parse_client_user("shop.writer")->connection, "shop");
  EXPECT_EQ(parse_client_user("shop.writer")->role, "writer");
  EXPECT_EQ(parse_client_user("shop.a.b")->role, "a.b");
  for (const std::string& bad :
       {std::string(), std::string("."), std::string(".role"), std::string("shop."), std::string(257, 'a')}) {
    EXPECT_EQ(parse_client_user(bad).error(), AccountError::connection_not_granted) << bad;
  }
}

TEST(Grant, IsTheFirstOfTheConnectionOrTheOneOfTheRole) {
  const ServiceAccount reporter = account("reporter", {});
  const auto login = [&](std::string_view user) {
    const auto grant = AccountDirectory::grant_for(reporter, *parse_client_user(user));
    return grant ? (*grant)->login : std::string(reason_code(grant.error()));
  };
  EXPECT_EQ(login("shop"), "reader");
  EXPECT_EQ(login("shop.writer"), "writer");
  EXPECT_EQ(login("crm"), "m");
  for (const char* const other : {"shop.admin", "crm.writer", "hr", "Shop", "shop.Writer"}) {
    EXPECT_EQ(login(other), "connection_not_granted") << other;
  }
}

TEST(AccountError, EachHasACodeAndASentence) {
  for (const AccountError error : {AccountError::account_unknown, AccountError::account_ambiguous,
                                   AccountError::account_disabled, AccountError::connection_not_granted}) {
    EXPECT_NE(reason_code(error), "unknown");
    EXPECT_TRUE(explain(error).ends_with('.'));
  }
}

}  // namespace
}  // namespace sallyport::identity
