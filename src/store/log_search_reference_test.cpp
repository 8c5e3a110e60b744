// Searches of random logs, in small blocks and segments, against a look at each record.
#include "store/log_search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "store/log_test_support.h"

namespace sallyport::store {
namespace {

using Texts = std::vector<std::string>;

// What can be asked of a record: of each field all that a pattern may be compared with.
struct Facts {
  std::string json;
  std::string session;
  std::array<Texts, field_count> values;
  Texts texts;
  std::int64_t time = 0;
  bool is_command = false;
  std::optional<std::uint64_t> outcome;  // its number

  Texts& of(Field field) { return values[static_cast<std::size_t>(field)]; }
};

bool is_like(std::string_view pattern, std::string_view text) {
  if (pattern.empty() || text.empty()) {
    return pattern.find_first_not_of('*') == std::string_view::npos && text.empty();
  }
  if (pattern.front() == '*') {
    return is_like(pattern.substr(1), text) || is_like(pattern, text.substr(1));
  }
  return pattern.front() == text.front() && is_like(pattern.substr(1), text.substr(1));
}

bool any_is_like(const Texts& patterns, const Texts& values) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return std::any_of(values.begin(), values.end(), [&](const std::string& value) { return is_like(pattern, value); });
  });
}

bool is_found(const LogQuery& query, const Facts& facts) {
  for (std::size_t field = 0; field < field_count; ++field) {
    if (!query.fields[field].empty() && !any_is_like(query.fields[field], facts.values[field])) {
      return false;
    }
  }
  const Texts& types = facts.values[static_cast<std::size_t>(Field::type)];
  bool is_shown = types != Texts{"outcome"} || !query.field(Field::type).empty();
  bool is_of_session = query.sessions.empty() ||
                       std::find(query.sessions.begin(), query.sessions.end(), facts.session) != query.sessions.end();
  return is_shown && is_of_session && facts.time >= query.since && facts.time < query.until &&
         std::all_of(query.texts.begin(), query.texts.end(), [&](const std::string& wanted) {
           return std::any_of(facts.texts.begin(), facts.texts.end(),
                              [&](const std::string& text) { return text.find(wanted) != std::string::npos; });
         });
}

class RandomLog {
 public:
  RandomLog(std::uint32_t seed, std::size_t records) : random_(seed) {
    while (facts_.size() < records) {
      add_any();
    }
  }

  const std::vector<Facts>& facts() const { return facts_; }

  void write(const test::TestLog& log, std::size_t segment_records_max = 100) {
    for (std::size_t at = 0; at < facts_.size();) {
      Texts records;
      for (std::size_t size = 1 + random_() % segment_records_max; size > 0 && at + records.size() < facts_.size();
           --size) {
        records.push_back(facts_[at + records.size()].json);
      }
      bool is_last = at + records.size() == facts_.size();
      is_last ? test::write_open(log, at, records) : test::write_closed(log, at, records, 1 + random_() % 9);
      at += records.size();
    }
  }

  std::size_t number_below(std::size_t bound) { return random_() % bound; }

  // Some conditions on some fields.
  LogQuery query() {
    static const std::array<Texts, field_count> patterns{
        {{"one", "o*", "*wo", "nobody", "*"},
         {"s1", "*2"},
         {"shop", "ord*"},
         {"10.0.0.1", "10.0.0.1:5", "*:5", "::1", "[::1]*", "[::1]:99", "[*", "*]:99", "10.0.0.1*", "*1"},
         {"u1", "u*"},
         {"orders", "shop.*", "a.b.c", "*.c", "loose", "*"},
         {"select", "ins*", "*"},
         {"d1", "d*"},
         {"ok", "error", "denied", "*"},
         {"policy", "client_quit", "*"},
         {"allow", "den*"},
         {"command", "outcome", "login*", "audit_*", "*"}}};
    LogQuery query;
    for (std::size_t conditions = 1 + random_() % 3; conditions > 0; --conditions) {
      std::size_t field = random_() % field_count;
      query.fields[field].push_back(one_of(patterns[field]));
    }
    if (random_() % 4 == 0) {
      query.texts.push_back(one_of({"SELECT", "\"q\"", "ü", "sent", "none"}));
    }
    if (random_() % 5 == 0) {
      query.sessions.push_back("s" + std::to_string(random_() % static_cast<std::size_t>(named_)));
    }
    if (random_() % 4 == 0) {
      query.since = facts_[random_() % facts_.size()].time;
    }
    if (random_() % 4 == 0) {
      query.until = facts_[random_() % facts_.size()].time;
    }
    if (random_() % 3 == 0) {
      query.from_record = random_() % facts_.size();
    }
    return query;
  }

 private:
  struct Session {
    std::string id;
    Facts who;
    std::uint64_t seq = 1;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> waiting;  // seq and number of commands
  };

  const std::string& one_of(const Texts& texts) { return texts[random_() % texts.size()]; }

  // `members` come before those of `who` and the type.
  Facts& add(Facts facts, const std::string& type, const std::string& members) {
    std::uint64_t seconds = facts_.size() * 3 + random_() % 5;
    facts.time = (1'769'817'600 + static_cast<std::int64_t>(seconds)) * 1'000'000'000;
    facts.json = "{" + members + R"("x":1)" + test::tail(seconds, type);
    facts.of(Field::type) = {type};
    facts_.push_back(std::move(facts));
    return facts_.back();
  }

  static std::string of_session(Session& session) {
    return R"("seq":)" + std::to_string(session.seq++) + R"(,"session":")" + session.id + R"(",)";
  }

  std::string set(Facts& facts, Field field, const std::string& name, const std::string& value) {
    facts.of(field) = {value};
    return "\"" + name + R"(":")" + value + R"(",)";
  }

  void add_login() {
    Session session{.id = "s" + std::to_string(named_++), .who = {}, .waiting = {}};
    Facts& who = session.who;
    who.session = session.id;
    std::string client = one_of({"10.0.0.1:5", "10.0.0.1:50", "10.0.0.11:3", "[::1]:99", "::1"});
    std::string account = random_() % 5 == 0 ? "" : set(who, Field::account, "account", one_of({"one", "two", "on"}));
    std::string members = account + set(who, Field::client, "client", client) +
                          set(who, Field::connection, "connection", one_of({"shop", "orders"}));
    if (client == "[::1]:99") {
      who.of(Field::client).emplace_back("::1");
    } else if (client != "::1") {
      who.of(Field::client).push_back(client.substr(0, client.find(':')));
    }
    members += of_session(session) + set(who, Field::subject, "subject", one_of({"s1", "s2"})) +
               set(who, Field::user, "user", one_of({"u1", "u2"}));
    add(who, "login_accepted", members);
    sessions_.push_back(std::move(session));
  }

  std::string statement(Facts& facts) {
    std::string members;
    if (random_() % 4 != 0) {
      members += set(facts, Field::decision, "decision", one_of({"allow", "deny"})) +
                 set(facts, Field::digest, "digest", one_of({"d1", "d2"})) +
                 set(facts, Field::kind, "kind", one_of({"select", "insert"}));
    }
    if (random_() % 2 == 0) {
      static const std::vector<std::pair<std::string, Texts>> objects{
          {R"({"name":"Orders","schema":"shop"})", {"orders", "shop.orders"}},
          {R"({"name":"loose"})", {"loose"}},
          {R"({"name":"c","schema":"a.b"})", {"c", "a.b.c"}},
          {R"({"name":"b.c","schema":"a"})", {"b.c", "a.b.c"}}};
      const auto& [json, names] = objects[random_() % objects.size()];
      members += R"("objects":[)" + json + "],";
      facts.of(Field::object) = names;
    }
    return members;
  }

  void add_command(Session& session) {
    Facts facts = session.who;
    facts.is_command = true;
    std::string members = statement(facts);
    if (random_() % 5 == 0) {
      facts.texts.emplace_back("sent as is");
      members += R"("sent":"sent as is",)";
    }
    facts.texts.push_back(one_of({"SELECT 1", "say \"q\"", "für"}));
    session.waiting.emplace_back(session.seq, facts_.size());
    members += of_session(session) + R"("text":)" + test::json_text(facts.texts.back()) + ",";
    add(std::move(facts), "command", members);
  }

  void add_outcome(Session& session) {
    auto waiting = session.waiting.begin() + static_cast<std::ptrdiff_t>(random_() % session.waiting.size());
    auto [of, number] = *waiting;
    session.waiting.erase(waiting);
    Facts facts = session.who;
    std::string members = R"("of":)" + std::to_string(of) + ",";
    std::string status = one_of({"ok", "ok", "denied", "error"});
    if (status == "denied") {
      members += set(facts, Field::reason, "reason", one_of({"policy", "client_quit"}));
    }
    members += of_session(session) + set(facts, Field::status, "status", status);
    facts_[number].outcome = facts_.size();
    facts_[number].of(Field::status) = facts.of(Field::status);
    facts_[number].of(Field::reason) = facts.of(Field::reason);
    add(std::move(facts), "outcome", members);
  }

  void add_without_session() {
    Facts facts;
    switch (random_() % 8) {
      case 0:
        sessions_.clear();
        add(facts, "audit_start", "");
        break;
      case 1:
        add(facts, "command", statement(facts));
        break;
      default: {
        std::string members = set(facts, Field::account, "account", one_of({"one", "two"})) +
                              set(facts, Field::reason, "reason", one_of({"disk_full", "policy"}));
        add(facts, "audit_gap", members);
      }
    }
  }

  void add_any() {
    std::size_t what = random_() % 100;
    if (sessions_.empty() || what < 4) {
      add_login();
      return;
    }
    if (what < 8) {
      add_without_session();
      return;
    }
    // One is busier than the others.
    Session& session = sessions_[random_() % 2 == 0 ? 0 : random_() % sessions_.size()];
    if (what < 10) {
      Facts facts = session.who;
      std::string members = set(facts, Field::reason, "reason", "client_quit") + of_session(session);
      add(std::move(facts), "session_end", members);
      sessions_.erase(sessions_.begin() + (&session - sessions_.data()));
    } else if (session.waiting.empty() || what < 55) {
      add_command(session);
    } else {
      add_outcome(session);
    }
  }

  std::mt19937 random_;
  std::vector<Facts> facts_;
  std::vector<Session> sessions_;
  int named_ = 0;
};

// Numbers of records and of their outcomes.
using Found = std::vector<std::pair<std::uint64_t, std::optional<std::uint64_t>>>;

Found find(const std::vector<Facts>& facts, const LogQuery& query) {
  Found found;
  for (std::uint64_t number = 0; number < facts.size(); ++number) {
    if (is_found(query, facts[number])) {
      found.emplace_back(number, facts[number].outcome);
    }
  }
  bool newest_first = query.order == LogQuery::Order::newest_first;
  if (newest_first) {
    std::reverse(found.begin(), found.end());
  }
  std::erase_if(found, [&](const auto& hit) {
    return query.from_record && (newest_first ? hit.first > *query.from_record : hit.first < *query.from_record);
  });
  return found;
}

Found search(const Log& log, const LogQuery& query) {
  Found found;
  auto done = log.search(query, [&](const LogHit& hit) {
    found.emplace_back(hit.record.number, hit.outcome ? std::optional(hit.outcome->number) : std::nullopt);
    return true;
  });
  EXPECT_TRUE(done) << (done ? "" : done.error());
  return found;
}

std::string shown(const LogQuery& query) {
  std::string out = query.order == LogQuery::Order::newest_first ? "newest first" : "oldest first";
  for (std::size_t field = 0; field < field_count; ++field) {
    for (const std::string& pattern : query.fields[field]) {
      out += ", field " + std::to_string(field) + " " + pattern;
    }
  }
  for (const std::string& text : query.texts) {
    out += ", text " + text;
  }
  for (const std::string& session : query.sessions) {
    out += ", session " + session;
  }
  return out + (query.from_record ? ", from " + std::to_string(*query.from_record) : "");
}

TEST(LogSearch, FindsWhatALookAtEachRecordFinds) {
  for (std::uint32_t seed = 0; seed < 40; ++seed) {
    RandomLog random(seed, 50 + 10 * seed);
    test::TestLog log;
    random.write(log);
    auto opened = Log::open(log.directory(), seed % 2 == 0 ? IndexUse::files : IndexUse::none);
    ASSERT_TRUE(opened);
    EXPECT_EQ(opened->end(), random.facts().size());
    for (int asked = 0; asked < 40; ++asked) {
      LogQuery query = random.query();
      for (LogQuery::Order order : {LogQuery::Order::oldest_first, LogQuery::Order::newest_first}) {
        query.order = order;
        EXPECT_EQ(search(*opened, query), find(random.facts(), query)) << "seed " << seed << ", " << shown(query);
      }
    }
  }
}

// As a text of all that is told of each.
Texts sessions_of(const Log& log, const LogQuery& query) {
  Texts sessions;
  auto found = log.sessions(query);
  EXPECT_TRUE(found) << (found ? "" : found.error());
  for (const SessionSummary& one : found ? *found : std::vector<SessionSummary>{}) {
    std::string text = one.id + " " + one.account + " " + one.subject + " " + one.connection + " " + one.client + " " +
                       one.user + " " + one.end_reason + (one.is_carried_on ? " open" : "");
    for (auto number : {static_cast<std::uint64_t>(one.end), one.first_record, one.records, one.commands, one.denied,
                        one.errors, one.aborted, one.rows, one.bytes}) {
      text += " " + std::to_string(number);
    }
    for (std::int64_t time : {one.began, one.time_min, one.time_max}) {
      text += " " + std::to_string(time);
    }
    sessions.push_back(text);
  }
  return sessions;
}

std::vector<std::string> sessions_under_way(const std::vector<Facts>& facts, const LogQuery& query) {
  std::vector<std::string> ids;
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> times;
  for (const Facts& one : facts) {
    if (!one.session.empty()) {
      auto [place, is_new] = times.try_emplace(one.session, one.time, one.time);
      place->second = {std::min(place->second.first, one.time), std::max(place->second.second, one.time)};
      ids.insert(ids.end(), is_new ? 1 : 0, one.session);
    }
  }
  std::erase_if(
      ids, [&](const std::string& id) { return times[id].second < query.since || times[id].first >= query.until; });
  return ids;
}

TEST(LogSessions, AreTheSameHoweverTheLogIsCut) {
  for (std::uint32_t seed = 0; seed < 20; ++seed) {
    RandomLog random(seed, 100 + 10 * seed);
    test::TestLog whole;
    random.write(whole, 1);
    test::TestLog cut;
    random.write(cut, 100);
    auto one = Log::open(whole.directory(), IndexUse::files);
    auto other = Log::open(cut.directory(), IndexUse::files);
    ASSERT_TRUE(one && other);
    for (int asked = 0; asked < 20; ++asked) {
      LogQuery query;
      const std::vector<Facts>& facts = random.facts();
      query.since = facts[random.number_below(facts.size())].time;
      query.until = facts[random.number_below(facts.size())].time;
      Texts found = sessions_of(*one, query);
      EXPECT_EQ(found, sessions_of(*other, query)) << "seed " << seed;
      std::vector<std::string> ids;
      for (const std::string& text : found) {
        ids.push_back(text.substr(0, text.find(' ')));
      }
      EXPECT_EQ(ids, sessions_under_way(facts, query));
    }
  }
}

}  // namespace
}  // namespace sallyport::store
