// What happens to each command and capability of the protocol. The code goes by these tables, docs/protocol.md shows
// them, and a test compares the two.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "session/reason.h"
#include "session/settings.h"
#include "sql/dialect.h"
#include "wire/capabilities.h"
#include "wire/command.h"

namespace sallyport::session {

enum class CommandHandling : std::uint8_t {
  forwarded,  // once its record is committed
  handled,    // the gateway has a part in it: the note says which
  refused     // with the rule's reason; the connection stays usable
};

struct CommandRule {
  wire::Command command;
  CommandHandling handling;
  std::string_view note;
};

// One rule for each command, in the order of wire::Command; the last is that of opcodes which are none.
std::span<const CommandRule> command_rules();
const CommandRule& rule_of(wire::Command command);

// MariaDB before 11.0 puts this in front of its version in the greeting, for replicas of old servers' sake, and its own
// clients know a server of version 10 or newer by it.
inline constexpr std::string_view mariadb_version_prefix = "5.5.5-";

// Whether listeners offer a capability to clients.
enum class ClientOffer : std::uint8_t {
  always,
  by_mysql_listeners,
  by_mariadb_listeners,
  by_mariadb_11_5_listeners,  // that greet as MariaDB 11.5.1 or later
  never
};

// Whether the gateway asks a server for it.
enum class BackendWish : std::uint8_t {
  always,          // where the server has it
  as_client,       // where client and server have it: what a server lacks is translated
  optional,        // where client and server have it: without it nothing is missed
  same,            // exactly where the client has it, because it changes what statements do or mean
  by_grant,        // where the client has it and its grant allows it
  by_tls_mode,     // as the connection's tls.mode says
  by_compression,  // as the connection's compression says
  never
};

struct CapabilityRule {
  wire::Capabilities flag;
  std::string_view name;
  ClientOffer offer;
  BackendWish wish;
  std::string_view note;
};

// By bit: MySQL's two words of 16 bits, then MariaDB's extended ones.
std::span<const CapabilityRule> capability_rules();

// The capabilities that a listener offers which greets with this version; empty: with its flavor's default.
wire::Capabilities offered_capabilities(Flavor flavor, std::string_view server_version);
// The capabilities of this wish.
wire::Capabilities wished_capabilities(BackendWish wish);

// How a server reads texts whose greeting has this version, as long as nobody sets anything: under no sql_mode, in
// UTF-8.
sql::Dialect dialect_of_version(std::string_view server_version);

// The two tables as docs/protocol.md has them.
std::string command_table();
std::string capability_table();

}  // namespace sallyport::session
