#include "net/admin_server.h"

#include <boost/asio/post.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

namespace sallyport::net {

namespace beast = boost::beast;
namespace http = boost::beast::http;

namespace {

constexpr std::size_t connections_max = 64;
constexpr std::chrono::milliseconds pause_after_failure{100};
constexpr std::uint32_t header_bytes_max = 8U << 10;
constexpr std::chrono::seconds exchange_timeout{10};
constexpr std::string_view witness_path = "/witness/add-checkpoint";
static_assert(header_bytes_max >= audit::add_checkpoint_bytes_max);

}  // namespace

// One connection: requests one after the other until one asks to close.
class AdminServer::Exchange : public std::enable_shared_from_this<AdminServer::Exchange> {
 public:
  Exchange(boost::asio::ip::tcp::socket socket, AdminServer& server)
      : stream_(std::move(socket)), server_(server), open_(server.open_) {
    ++*open_;
  }
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
  ~Exchange() { --*open_; }

  void read() {
    parser_.emplace();
    parser_->header_limit(header_bytes_max);
    parser_->body_limit(header_bytes_max);
    stream_.expires_after(exchange_timeout);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error) {
        self->answer();
      }
    });
  }

 private:
  void answer() {
    const auto& request = parser_->get();
    if (server_.witness_ != nullptr &&
        std::string_view(request.target().data(), request.target().size()) == witness_path) {
      ask_witness();
      return;
    }
    write(control::respond({.method = {request.method_string().data(), request.method_string().size()},
                            .target = {request.target().data(), request.target().size()}},
                           server_.sources_));
  }

  void ask_witness() {
    if (parser_->get().method() != http::verb::post) {
      write({.status = 405, .content_type = "text/plain; charset=utf-8", .body = "", .allow = "POST"});
      return;
    }
    server_.witness_->add_checkpoint(
        std::move(parser_->get().body()), [self = shared_from_this()](audit::WitnessAnswer answer) {
          boost::asio::post(self->stream_.get_executor(), [self, answer = std::move(answer)]() mutable {
            self->write({.status = answer.status,
                         .content_type = std::move(answer.content_type),
                         .body = std::move(answer.body),
                         .allow = {}});
          });
        });
  }

  void write(control::Response made) {
    const auto& request = parser_->get();
    response_ = {};
    response_.version(request.version());
    response_.result(made.status);
    response_.set(http::field::content_type, made.content_type);
    response_.set(http::field::cache_control, "no-store");
    if (!made.allow.empty()) {
      response_.set(http::field::allow, made.allow);
    }
    response_.keep_alive(request.keep_alive());
    response_.body() = std::move(made.body);
    response_.prepare_payload();
    http::async_write(stream_, response_, [self = shared_from_this()](beast::error_code error, std::size_t) {
      if (!error && self->response_.keep_alive()) {
        self->read();
      }
    });
  }

  beast::tcp_stream stream_;
  AdminServer& server_;
  std::shared_ptr<std::size_t> open_;
  beast::flat_buffer buffer_{2 * header_bytes_max};
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
};

Result<std::unique_ptr<AdminServer>, std::string> AdminServer::open(boost::asio::io_context& context,
                                                                    const AdminSettings& settings,
                                                                    control::Sources sources) {
  std::unique_ptr<AdminServer> server(new AdminServer(context, std::move(sources)));
  boost::system::error_code error;
  auto address = boost::asio::ip::make_address(settings.address, error);
  boost::asio::ip::tcp::endpoint endpoint(address, settings.port);
  if (!error) {
    server->acceptor_.open(endpoint.protocol(), error);
  }
  if (!error) {
    server->acceptor_.set_option(boost::asio::socket_base::reuse_address(true), error);
    server->acceptor_.bind(endpoint, error);
  }
  if (!error) {
    server->acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
  }
  if (error) {
    return Unexpected("admin listener " + settings.address + ":" + std::to_string(settings.port) + ": " +
                      error.message());
  }
  server->port_ = server->acceptor_.local_endpoint(error).port();
  server->accept();
  return server;
}

void AdminServer::accept() {
  acceptor_.async_accept([this](const boost::system::error_code& error, boost::asio::ip::tcp::socket socket) {
    if (error == boost::asio::error::operation_aborted) {
      return;
    }
    if (error) {  // for want of descriptors, say
      pause_.expires_after(pause_after_failure);
      pause_.async_wait([this](const boost::system::error_code& ended) {
        if (!ended) {
          accept();
        }
      });
      return;
    }
    if (*open_ < connections_max) {
      std::make_shared<Exchange>(std::move(socket), *this)->read();
    }
    accept();
  });
}

void AdminServer::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

}  // namespace sallyport::net
