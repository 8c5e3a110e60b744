// The floor that the gateway is measured against: a relay that reads from one socket and writes to the other, and does
// nothing else. One thread, one epoll set, one buffer for all connections.
//
//   relay -l PORT | -u SOCKET -p BACKEND_PORT [-T CERTIFICATE -k KEY]
//
// Listens on 127.0.0.1:PORT or a Unix socket and connects to 127.0.0.1:BACKEND_PORT. With -T it ends TLS towards the
// client the way that MySQL does it (greeting in clear, SSLRequest, TLS from there on) and speaks plain to the server.
// It takes part in the login only as far as TLS makes it: see LoginFrames. A measuring instrument: it has no limits and
// no timeouts, and a connection ends in both directions at once.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr std::size_t buffer_bytes = 64U << 10;
constexpr std::size_t frame_header_bytes = 4;
constexpr std::size_t ssl_request_bytes = 36;  // with its frame header
constexpr std::uint16_t capability_ssl = 0x0800;

using Span = std::span<const std::uint8_t>;

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&&) = delete;
  ~File() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

// Frames of one direction during the login, collected until whole, so that each one's sequence id can be moved: the
// server never sees the client's SSLRequest, so what the client sends bears one more than the server expects.
class LoginFrames {
 public:
  void add(Span bytes) { held_.insert(held_.end(), bytes.begin(), bytes.end()); }
  // Takes the next whole frame, empty while there is none.
  std::vector<std::uint8_t> take() {
    if (held_.size() < frame_header_bytes) {
      return {};
    }
    std::size_t size = frame_header_bytes + held_[0] + (std::size_t{held_[1]} << 8) + (std::size_t{held_[2]} << 16);
    if (held_.size() < size) {
      return {};
    }
    auto end = held_.begin() + static_cast<std::ptrdiff_t>(size);
    std::vector<std::uint8_t> frame(held_.begin(), end);
    held_.erase(held_.begin(), end);
    return frame;
  }
  std::vector<std::uint8_t> take_rest() { return std::exchange(held_, {}); }

 private:
  std::vector<std::uint8_t> held_;
};

enum class Phase : std::uint8_t { greeting, ssl_request, tls_handshake, login, relay };
enum class Transfer : std::uint8_t { some, would_block, ended };

struct Connection;

struct Side {
  explicit Side(File file) : socket(std::move(file)) {}

  File socket;
  Connection* connection = nullptr;
  Side* peer = nullptr;
  bool reads = true;                  // false while the peer takes no more
  std::vector<std::uint8_t> waiting;  // what the socket didn't take
  std::size_t waiting_begin = 0;
  LoginFrames frames;
};

struct Connection {
  Connection(File from_client, File to_server) : client(std::move(from_client)), server(std::move(to_server)) {
    client.connection = server.connection = this;
    client.peer = &server;
    server.peer = &client;
  }

  Side client;
  Side server;
  std::unique_ptr<SSL, FreeSsl> ssl;
  Phase phase = Phase::relay;
  bool ended = false;
};

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void set_no_delay(int socket) {
  int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

File listen_on(int family, const sockaddr* address, socklen_t size) {
  File listener{socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0)};
  int on = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (bind(listener.get(), address, size) != 0 || listen(listener.get(), 1024) != 0) {
    fail("relay: the address can't be listened on");
  }
  return listener;
}

File listen_on_port(std::uint16_t port) {
  sockaddr_in address = loopback(port);
  return listen_on(AF_INET, reinterpret_cast<sockaddr*>(&address), sizeof address);
}

File listen_on_path(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    errno = ENAMETOOLONG;
    fail("relay: the address can't be listened on");
  }
  path.copy(static_cast<char*>(address.sun_path), path.size());
  return listen_on(AF_UNIX, reinterpret_cast<sockaddr*>(&address), sizeof address);
}

class Relay {
 public:
  Relay(File listener, std::uint16_t backend_port, SSL_CTX* tls)
      : backend_port_(backend_port), tls_(tls), epoll_(epoll_create1(0)), listener_(std::move(listener)) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event);
  }

  [[noreturn]] void run() {
    std::array<epoll_event, 128> events{};
    for (;;) {
      int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      std::vector<Connection*> ended;
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<std::size_t>(i)];
        auto* side = static_cast<Side*>(event.data.ptr);
        if (side == nullptr) {
          accept();
        } else if (!side->connection->ended && !on_event(*side, event.events)) {
          side->connection->ended = true;
          ended.push_back(side->connection);
        }
      }
      for (Connection* connection : ended) {
        delete connection;
        ERR_clear_error();
      }
    }
  }

 private:
  void accept() {
    File client{accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK)};
    if (client.get() < 0) {
      return;
    }
    File server{socket(AF_INET, SOCK_STREAM, 0)};
    sockaddr_in address = loopback(backend_port_);
    if (connect(server.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
      return;
    }
    fcntl(server.get(), F_SETFL, O_NONBLOCK);
    set_no_delay(client.get());
    set_no_delay(server.get());
    // Owned by the epoll set from here on, and deleted in run().
    auto* connection = std::make_unique<Connection>(std::move(client), std::move(server)).release();
    connection->phase = tls_ == nullptr ? Phase::relay : Phase::greeting;
    watch(connection->client, EPOLL_CTL_ADD);
    watch(connection->server, EPOLL_CTL_ADD);
  }

  void watch(Side& side, int operation) {
    unsigned events = (side.reads ? EPOLLIN : 0U) | (side.waiting.empty() ? 0U : EPOLLOUT);
    epoll_event event{.events = events, .data = {.ptr = &side}};
    epoll_ctl(epoll_.get(), operation, side.socket.get(), &event);
  }

  // False when the connection is over; so with all that return bool.
  bool on_event(Side& side, std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && !write_waiting(side)) {
      return false;
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0 || !side.reads) {
      return (events & (EPOLLHUP | EPOLLERR)) == 0;
    }
    Connection& connection = *side.connection;
    if (&side == &connection.client && connection.phase == Phase::ssl_request) {
      return take_ssl_request(connection);
    }
    if (&side == &connection.client && connection.phase == Phase::tls_handshake && !shake_hands(connection)) {
      return false;
    }
    return connection.phase == Phase::tls_handshake || pass(side);
  }

  // Passes on what is there, up to one buffer; more raises the next event, save what OpenSSL holds already.
  bool pass(Side& side) {
    SSL* ssl = ssl_of(side);
    do {
      std::size_t count = 0;
      Transfer read = receive(side, count);
      if (read != Transfer::some) {
        return read == Transfer::would_block;
      }
      Span bytes = Span{buffer_}.first(count);
      if (!(side.connection->phase == Phase::relay ? send_on(*side.peer, bytes) : pass_login(side, bytes))) {
        return false;
      }
    } while (ssl != nullptr && side.reads && SSL_has_pending(ssl) == 1);
    return true;
  }

  static SSL* ssl_of(const Side& side) {
    return &side == &side.connection->client ? side.connection->ssl.get() : nullptr;
  }

  Transfer receive(Side& side, std::size_t& count) {
    if (SSL* ssl = ssl_of(side); ssl != nullptr) {
      int result = SSL_read(ssl, buffer_.data(), static_cast<int>(buffer_.size()));
      count = result > 0 ? static_cast<std::size_t>(result) : 0;
      return result > 0                                          ? Transfer::some
             : SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ ? Transfer::would_block
                                                                 : Transfer::ended;
    }
    ssize_t result = recv(side.socket.get(), buffer_.data(), buffer_.size(), 0);
    count = result > 0 ? static_cast<std::size_t>(result) : 0;
    return result > 0 ? Transfer::some : result < 0 && errno == EAGAIN ? Transfer::would_block : Transfer::ended;
  }

  // How many bytes the socket took, 0 when it takes none now; negative when the connection is over.
  static ssize_t transmit(Side& side, Span bytes) {
    if (SSL* ssl = ssl_of(side); ssl != nullptr) {
      int result = SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size()));
      return result > 0 ? result : SSL_get_error(ssl, result) == SSL_ERROR_WANT_WRITE ? 0 : -1;
    }
    ssize_t result = send(side.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    return result >= 0 ? result : errno == EAGAIN ? 0 : -1;
  }

  bool send_on(Side& to, Span bytes) {
    while (!bytes.empty() && to.waiting.empty()) {
      ssize_t sent = transmit(to, bytes);
      if (sent < 0) {
        return false;
      }
      if (sent == 0) {
        break;
      }
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
    }
    if (!bytes.empty()) {
      to.waiting.insert(to.waiting.end(), bytes.begin(), bytes.end());
      watch(to, EPOLL_CTL_MOD);
      to.peer->reads = false;
      watch(*to.peer, EPOLL_CTL_MOD);
    }
    return true;
  }

  bool write_waiting(Side& side) {
    while (side.waiting_begin < side.waiting.size()) {
      ssize_t sent = transmit(side, Span{side.waiting}.subspan(side.waiting_begin));
      if (sent <= 0) {
        return sent == 0;
      }
      side.waiting_begin += static_cast<std::size_t>(sent);
    }
    side.waiting = {};
    side.waiting_begin = 0;
    watch(side, EPOLL_CTL_MOD);
    side.peer->reads = true;
    watch(*side.peer, EPOLL_CTL_MOD);
    // OpenSSL may hold bytes that no event will announce.
    SSL* ssl = ssl_of(*side.peer);
    return ssl == nullptr || SSL_has_pending(ssl) == 0 || pass(*side.peer);
  }

  // The request alone is taken off the socket: what follows it is TLS.
  bool take_ssl_request(Connection& connection) {
    std::array<std::uint8_t, ssl_request_bytes> request{};
    int socket = connection.client.socket.get();
    ssize_t there = recv(socket, request.data(), request.size(), MSG_PEEK);
    if (there != static_cast<ssize_t>(request.size())) {
      return there > 0 || (there < 0 && errno == EAGAIN);
    }
    if (request[0] != ssl_request_bytes - frame_header_bytes) {
      std::fputs("relay: a client came without TLS\n", stderr);
      return false;
    }
    recv(socket, request.data(), request.size(), 0);
    connection.ssl.reset(SSL_new(tls_));
    SSL_set_fd(connection.ssl.get(), socket);
    SSL_set_accept_state(connection.ssl.get());
    connection.phase = Phase::tls_handshake;
    return true;
  }

  static bool shake_hands(Connection& connection) {
    ERR_clear_error();
    int result = SSL_do_handshake(connection.ssl.get());
    if (result == 1) {
      connection.phase = Phase::login;
      return true;
    }
    return SSL_get_error(connection.ssl.get(), result) == SSL_ERROR_WANT_READ;
  }

  bool pass_login(Side& from, Span bytes) {
    Connection& connection = *from.connection;
    from.frames.add(bytes);
    for (auto frame = from.frames.take(); !frame.empty(); frame = from.frames.take()) {
      if (connection.phase == Phase::greeting) {
        connection.phase = Phase::ssl_request;
      } else if (&from == &connection.client) {
        move_client_frame(frame);
      } else {
        frame[3] = static_cast<std::uint8_t>(frame[3] + 1);
        std::uint8_t header = frame.size() > frame_header_bytes ? frame[frame_header_bytes] : std::uint8_t{0};
        if (header == 0x00 || header == 0xFF) {  // OK or ERR: the login is over
          connection.phase = Phase::relay;
        }
      }
      if (!send_on(*from.peer, frame)) {
        return false;
      }
    }
    return connection.phase != Phase::relay || send_on(*from.peer, from.frames.take_rest());
  }

  // The first one is the handshake response: it no longer asks for TLS.
  static void move_client_frame(std::vector<std::uint8_t>& frame) {
    frame[3] = static_cast<std::uint8_t>(frame[3] - 1);
    if (frame[3] == 1 && frame.size() > frame_header_bytes + 1) {
      frame[frame_header_bytes + 1] &= static_cast<std::uint8_t>(~(capability_ssl >> 8));
    }
  }

  std::uint16_t backend_port_;
  SSL_CTX* tls_;
  File epoll_;
  File listener_;
  std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(buffer_bytes);
};

std::unique_ptr<SSL_CTX, FreeContext> make_tls(const std::string& certificate, const std::string& key) {
  std::unique_ptr<SSL_CTX, FreeContext> context{SSL_CTX_new(TLS_server_method())};
  SSL_CTX_set_mode(context.get(),
                   SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context.get(), 1);  // a record's header and body by one system call
  if (SSL_CTX_use_certificate_chain_file(context.get(), certificate.c_str()) != 1 ||
      SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1) {
    ERR_print_errors_fp(stderr);
    std::exit(1);
  }
  return context;
}

std::uint16_t read_port(const char* text) {
  std::uint16_t port = 0;
  auto [end, error] = std::from_chars(text, text + std::strlen(text), port);
  return error == std::errc{} && *end == '\0' ? port : std::uint16_t{0};
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 0;
  std::uint16_t backend_port = 0;
  std::string path;
  std::string certificate;
  std::string key;
  for (int option = 0; (option = getopt(argc, argv, "l:u:p:T:k:")) != -1;) {
    switch (option) {
      case 'l':
        port = read_port(optarg);
        break;
      case 'u':
        path = optarg;
        break;
      case 'p':
        backend_port = read_port(optarg);
        break;
      case 'T':
        certificate = optarg;
        break;
      case 'k':
        key = optarg;
        break;
      default:
        backend_port = 0;
        break;
    }
  }
  if ((port == 0) == path.empty() || backend_port == 0 || certificate.empty() != key.empty()) {
    std::fputs("usage: relay -l PORT | -u SOCKET -p BACKEND_PORT [-T CERTIFICATE -k KEY]\n", stderr);
    return 2;
  }
  auto tls = certificate.empty() ? nullptr : make_tls(certificate, key);
  Relay(path.empty() ? listen_on_port(port) : listen_on_path(path), backend_port, tls.get()).run();
}
