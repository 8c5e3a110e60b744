// The load generator: one thread and one connection each for what N clients do, by MariaDB's client library.
//
//   load --workload NAME --connections N --seconds S --user NAME --port PORT [--socket PATH] [--host HOST]
//        [--tls-ca FILE] [--schema NAME] [--rows N]
//
// The password is taken from BENCH_PASSWORD, so that it stays out of the process list. What it expects of the server is
// bench/points.sql. It connects and prints "ready". For each line on standard input it works for S seconds (idle: each
// session asks once, which shows that it is still there) and prints the figures as one line of JSON. It keeps its
// connections until standard input ends: so whoever measures a process between these lines has its steady state alone.
// Status 1 when anything failed.
#include <getopt.h>
#include <mysql.h>
#include <strings.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iostream>
#include <latch>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

enum class Workload : std::uint8_t { point_text, point_prepared, login, large, idle };

struct WorkloadName {
  std::string_view name;
  Workload workload;
};
constexpr std::array workload_names{WorkloadName{"point-text", Workload::point_text},
                                    WorkloadName{"point-prepared", Workload::point_prepared},
                                    WorkloadName{"login", Workload::login}, WorkloadName{"large", Workload::large},
                                    WorkloadName{"idle", Workload::idle}};

struct Options {
  Workload workload = Workload::point_text;
  unsigned connections = 1;
  double seconds = 1;
  std::string host = "127.0.0.1";
  unsigned port = 0;
  std::string socket;
  std::string user;
  std::string password;
  std::string schema = "shop";
  std::string tls_ca;
  unsigned rows = 100'000;  // ids of the table are 1 to this
};

struct CloseConnection {
  void operator()(MYSQL* connection) const { mysql_close(connection); }
};
using Connection = std::unique_ptr<MYSQL, CloseConnection>;
struct CloseStatement {
  void operator()(MYSQL_STMT* statement) const { mysql_stmt_close(statement); }
};
using Statement = std::unique_ptr<MYSQL_STMT, CloseStatement>;

// What one connection did.
struct Tally {
  std::vector<std::uint64_t> latencies_ns;
  std::uint64_t bytes = 0;  // of column values
  std::uint64_t errors = 0;
  std::string first_error;

  void fail(std::string_view what) {
    if (errors++ == 0) {
      first_error = what;
    }
  }
};

const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

// Null after an error, which is in the tally.
Connection dial(const Options& options, Tally& tally) {
  Connection connection{mysql_init(nullptr)};
  my_bool tls = options.tls_ca.empty() ? 0 : 1;
  mysql_options(connection.get(), MYSQL_OPT_SSL_ENFORCE, &tls);
  if (tls != 0) {
    mysql_options(connection.get(), MYSQL_OPT_SSL_CA, options.tls_ca.c_str());
    mysql_options(connection.get(), MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &tls);
  }
  if (mysql_real_connect(connection.get(), options.socket.empty() ? options.host.c_str() : nullptr,
                         options.user.c_str(), options.password.c_str(), options.schema.c_str(), options.port,
                         or_null(options.socket), 0) == nullptr) {
    tally.fail(mysql_error(connection.get()));
    return nullptr;
  }
  return connection;
}

// Sends a query and reads its result to the end, row by row. False after an error.
bool ask(MYSQL* connection, std::string_view sql, Tally& tally) {
  if (mysql_real_query(connection, sql.data(), sql.size()) != 0) {
    tally.fail(mysql_error(connection));
    return false;
  }
  MYSQL_RES* result = mysql_use_result(connection);
  if (result == nullptr) {
    tally.fail("no result");
    return false;
  }
  unsigned columns = mysql_num_fields(result);
  std::uint64_t rows = 0;
  for (; mysql_fetch_row(result) != nullptr; ++rows) {
    const unsigned long* lengths = mysql_fetch_lengths(result);
    for (unsigned column = 0; column < columns; ++column) {
      tally.bytes += lengths[column];
    }
  }
  bool good = mysql_errno(connection) == 0 && rows > 0;
  if (!good) {
    tally.fail(rows == 0 ? "no row" : mysql_error(connection));
  }
  mysql_free_result(result);
  return good;
}

// SELECT of one row by its key, prepared once.
class PreparedPoint {
 public:
  bool prepare(MYSQL* connection, Tally& tally) {
    constexpr std::string_view sql = "SELECT c FROM points WHERE id = ?";
    statement_.reset(mysql_stmt_init(connection));
    parameter_.buffer_type = MYSQL_TYPE_LONG;
    parameter_.buffer = &id_;
    column_.buffer_type = MYSQL_TYPE_STRING;
    column_.buffer = text_.data();
    column_.buffer_length = text_.size();
    column_.length = &length_;
    if (mysql_stmt_prepare(statement_.get(), sql.data(), sql.size()) != 0 ||
        mysql_stmt_bind_param(statement_.get(), &parameter_) != 0 ||
        mysql_stmt_bind_result(statement_.get(), &column_) != 0) {
      tally.fail(mysql_stmt_error(statement_.get()));
      return false;
    }
    return true;
  }

  bool execute(unsigned id, Tally& tally) {
    id_ = static_cast<int>(id);
    if (mysql_stmt_execute(statement_.get()) != 0 || mysql_stmt_fetch(statement_.get()) != 0) {
      tally.fail(mysql_stmt_error(statement_.get()));
      return false;
    }
    tally.bytes += length_;
    if (mysql_stmt_fetch(statement_.get()) != MYSQL_NO_DATA) {
      tally.fail("more than one row");
      return false;
    }
    mysql_stmt_free_result(statement_.get());
    return true;
  }

 private:
  Statement statement_;
  MYSQL_BIND parameter_{};
  MYSQL_BIND column_{};
  int id_ = 0;
  std::array<char, 256> text_{};
  unsigned long length_ = 0;
};

// One client: made before the measurement, works during it.
class Client {
 public:
  Client(const Options& options, unsigned number) : options_(options), random_(number + 1) {}

  // Connects and does one operation, so that nothing of the measured time is a first time.
  bool make_ready() {
    if (options_.workload != Workload::login) {
      connection_ = dial(options_, tally_);
      if (connection_ == nullptr) {
        return false;
      }
    }
    if (options_.workload == Workload::point_prepared && !point_.prepare(connection_.get(), tally_)) {
      return false;
    }
    bool good = operate();
    tally_.bytes = 0;
    return good;
  }

  // False after an error.
  bool work_once() {
    auto start = Clock::now();
    if (!operate()) {
      return false;
    }
    tally_.latencies_ns.push_back(static_cast<std::uint64_t>((Clock::now() - start).count()));
    return true;
  }

  void work_until(Clock::time_point end) {
    for (auto start = Clock::now(); start < end;) {
      if (!operate()) {
        return;
      }
      auto now = Clock::now();
      tally_.latencies_ns.push_back(static_cast<std::uint64_t>((now - start).count()));
      start = now;
    }
  }

  const Tally& tally() const { return tally_; }
  void forget_tally() { tally_ = {}; }

 private:
  bool operate() {
    switch (options_.workload) {
      case Workload::point_text:
      case Workload::idle:
        return ask_point(connection_.get());
      case Workload::point_prepared:
        return point_.execute(random_id(), tally_);
      case Workload::login: {
        Connection fresh = dial(options_, tally_);
        return fresh != nullptr && ask_point(fresh.get());
      }
      case Workload::large:
        return ask(connection_.get(), "SELECT id, k, c, pad FROM points", tally_);
    }
    return false;
  }

  bool ask_point(MYSQL* connection) {
    std::array<char, 64> sql{};
    int length = std::snprintf(sql.data(), sql.size(), "SELECT c FROM points WHERE id = %u", random_id());
    return ask(connection, {sql.data(), static_cast<std::size_t>(length)}, tally_);
  }

  unsigned random_id() { return static_cast<unsigned>(random_() % options_.rows) + 1; }

  const Options& options_;
  std::minstd_rand random_;
  Connection connection_;
  PreparedPoint point_;  // after the connection: ends before it
  Tally tally_;
};

struct Figures {
  std::vector<std::uint64_t> latencies_ns;
  std::uint64_t bytes = 0;
  std::uint64_t errors = 0;
  std::string first_error;
  double seconds = 0;
};

double percentile_us(const std::vector<std::uint64_t>& sorted_ns, std::size_t percent) {
  return sorted_ns.empty() ? 0 : static_cast<double>(sorted_ns[(sorted_ns.size() - 1) * percent / 100]) / 1000;
}

std::string json_text(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return out + "\"";
}

void print(Figures& figures) {
  auto& sorted = figures.latencies_ns;
  std::sort(sorted.begin(), sorted.end());
  double rate = figures.seconds > 0 ? static_cast<double>(sorted.size()) / figures.seconds : 0;
  std::printf(
      "{\"operations\": %zu, \"seconds\": %.6f, \"rate\": %.3f, \"p50_us\": %.1f, \"p95_us\": %.1f, "
      "\"p99_us\": %.1f, \"bytes\": %llu, \"errors\": %llu, \"first_error\": %s}\n",
      sorted.size(), figures.seconds, rate, percentile_us(sorted, 50), percentile_us(sorted, 95),
      percentile_us(sorted, 99), static_cast<unsigned long long>(figures.bytes),
      static_cast<unsigned long long>(figures.errors), json_text(figures.first_error).c_str());
  std::fflush(stdout);
}

// Many idle sessions need no thread each.
constexpr unsigned dialling_threads_max = 8;

// Does it with each client; a thread stops at its first error.
template <typename Action>
void for_each(std::deque<Client>& clients, const Action& action) {
  std::atomic<std::size_t> next{0};
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < std::min<std::size_t>(dialling_threads_max, clients.size()); ++i) {
    threads.emplace_back([&] {
      mysql_thread_init();
      for (std::size_t at = next++; at < clients.size() && action(clients[at]); at = next++) {
      }
      mysql_thread_end();
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
}

double work_once(std::deque<Client>& clients) {
  auto begin = Clock::now();
  for_each(clients, [](Client& client) { return client.work_once(); });
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double work(std::deque<Client>& clients, double seconds) {
  std::vector<std::thread> threads;
  threads.reserve(clients.size());
  std::latch started{static_cast<std::ptrdiff_t>(clients.size()) + 1};
  Clock::time_point end;
  for (Client& client : clients) {
    threads.emplace_back([&] {
      mysql_thread_init();
      started.arrive_and_wait();
      client.work_until(end);
      mysql_thread_end();
    });
  }
  auto begin = Clock::now();
  end = begin + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  started.arrive_and_wait();
  for (std::thread& thread : threads) {
    thread.join();
  }
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::optional<Workload> workload_of(std::string_view name) {
  for (const WorkloadName& known : workload_names) {
    if (known.name == name) {
      return known.workload;
    }
  }
  return std::nullopt;
}

std::optional<Options> read_options(int argc, char** argv) {
  enum Option : int { workload = 1, connections, seconds, host, port, socket, user, schema, tls_ca, rows };
  const std::array known{option{"workload", required_argument, nullptr, workload},
                         option{"connections", required_argument, nullptr, connections},
                         option{"seconds", required_argument, nullptr, seconds},
                         option{"host", required_argument, nullptr, host},
                         option{"port", required_argument, nullptr, port},
                         option{"socket", required_argument, nullptr, socket},
                         option{"user", required_argument, nullptr, user},
                         option{"schema", required_argument, nullptr, schema},
                         option{"tls-ca", required_argument, nullptr, tls_ca},
                         option{"rows", required_argument, nullptr, rows},
                         option{nullptr, 0, nullptr, 0}};
  Options options;
  auto number = [] { return static_cast<unsigned>(std::strtoul(optarg, nullptr, 10)); };
  for (int found = 0; (found = getopt_long(argc, argv, "", known.data(), nullptr)) != -1;) {
    if (found == workload) {
      auto named = workload_of(optarg);
      if (!named) {
        return std::nullopt;
      }
      options.workload = *named;
    } else if (found == connections) {
      options.connections = number();
    } else if (found == seconds) {
      options.seconds = std::strtod(optarg, nullptr);
    } else if (found == host) {
      options.host = optarg;
    } else if (found == port) {
      options.port = number();
    } else if (found == socket) {
      options.socket = optarg;
    } else if (found == user) {
      options.user = optarg;
    } else if (found == schema) {
      options.schema = optarg;
    } else if (found == tls_ca) {
      options.tls_ca = optarg;
    } else if (found == rows) {
      options.rows = number();
    } else {
      return std::nullopt;
    }
  }
  if (const char* password = std::getenv("BENCH_PASSWORD"); password != nullptr) {
    options.password = password;
  }
  bool complete = optind == argc && !options.user.empty() && options.connections > 0 && options.rows > 0 &&
                  (options.port > 0 || !options.socket.empty());
  return complete ? std::optional(options) : std::nullopt;
}

Figures sum_up(const std::deque<Client>& clients, double seconds) {
  Figures figures;
  figures.seconds = seconds;
  for (const Client& client : clients) {
    const Tally& tally = client.tally();
    figures.latencies_ns.insert(figures.latencies_ns.end(), tally.latencies_ns.begin(), tally.latencies_ns.end());
    figures.bytes += tally.bytes;
    figures.errors += tally.errors;
    if (figures.first_error.empty()) {
      figures.first_error = tally.first_error;
    }
  }
  return figures;
}

// The number of errors.
std::uint64_t run(const Options& options) {
  std::deque<Client> clients;  // which don't move: statements are bound to their members
  for (unsigned number = 0; number < options.connections; ++number) {
    clients.emplace_back(options, number);
  }
  // One alone first: the client library loads its authentication plugins then, which threads at a time get wrong.
  if (clients.front().make_ready()) {
    for_each(clients, [&](Client& client) { return &client == &clients.front() || client.make_ready(); });
  }
  std::puts("ready");
  std::fflush(stdout);
  auto good = [](const Client& one) { return one.tally().errors == 0; };
  std::uint64_t errors = 0;
  for (std::string line; std::getline(std::cin, line);) {
    double seconds = 0;
    if (errors == 0 && std::all_of(clients.begin(), clients.end(), good)) {
      seconds = options.workload == Workload::idle ? work_once(clients) : work(clients, options.seconds);
    }
    Figures figures = sum_up(clients, seconds);
    errors += figures.errors;
    print(figures);
    for (Client& client : clients) {
      client.forget_tally();
    }
  }
  return errors;
}

}  // namespace

int main(int argc, char** argv) {
  auto options = read_options(argc, argv);
  if (!options) {
    std::fputs(
        "usage: load --workload point-text|point-prepared|login|large|idle --connections N --seconds S\n"
        "            --user NAME --port PORT [--socket PATH] [--host HOST] [--tls-ca FILE] [--schema NAME] [--rows "
        "N]\n",
        stderr);
    return 2;
  }
  mysql_library_init(0, nullptr, nullptr);
  std::uint64_t errors = run(*options);
  mysql_library_end();
  return errors == 0 ? 0 : 1;
}
