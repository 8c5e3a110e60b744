// Options of the sockets of clients and backends.
#pragma once

#include "net/settings.h"

namespace sallyport::net {

// No delay for small packets, keep-alive, and an end to connections whose peer is gone. What a socket does not have (a
// Unix socket has none of it) is left alone.
void set_socket_options(int socket, const TcpSettings& settings);

}  // namespace sallyport::net
