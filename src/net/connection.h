// The shell around one session: a client's socket, a backend's socket, and the session that says what passes.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <vector>

#include "net/leg.h"
#include "net/loop.h"
#include "session/session.h"

namespace sallyport::net {

class Connection final : public Leg::Owner, public std::enable_shared_from_this<Connection> {
 public:
  struct Client {
    Socket socket;
    const session::ListenerProfile& listener;  // lives as long as the process
    std::size_t listener_index;
    session::Session::Opening opening;
  };
  Connection(Loop& loop, Client client);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Greets; the connection lives on in the loop's set.
  void start();

  // From the loop.
  void audit_done(bool committed, Now now);
  void environment_changed(std::shared_ptr<const session::Environment> environment, Now now);
  void drain(Now now);
  void stop(Now now);
  void time_passed(Now now);
  MonoTime deadline() const;

  void leg_ready() override { pump(); }

 private:
  void pump();
  void perform(session::Action action);
  bool exchange();
  bool receive_from_backend();
  void wait_for_events();

  void start_client_tls();
  bool continue_client_tls();
  void verify_token();

  void connect_backend();
  void connect_next();
  void on_backend_connected();
  void start_backend_tls();
  bool continue_backend_tls();
  void close_backend();
  void drop_backend();

  void begin_linger();
  void discard_client();
  void finish();

  Loop& loop_;
  std::size_t listener_index_;
  std::shared_ptr<Leg> client_;
  std::shared_ptr<Leg> backend_;  // null unless connected
  bool waited_for_keys_ = false;
  bool lingering_ = false;
  bool finished_ = false;
  MonoTime linger_until_;
  session::Session session_;

  boost::asio::ip::tcp::resolver resolver_;
  std::optional<Socket> connecting_;
  std::vector<boost::asio::generic::stream_protocol::endpoint> endpoints_;
  std::size_t next_endpoint_ = 0;
  std::shared_ptr<const Runtime> runtime_;  // of the backend's login
};

}  // namespace sallyport::net
