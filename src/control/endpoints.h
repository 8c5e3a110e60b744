// What the admin listener answers: a request value to a response value, no sockets.
//
//   GET /healthz      200 while the process lives
//   GET /readyz       200 when every check holds, else 503; the checks as JSON
//   GET /metrics      the counters as Prometheus text
//   GET /catalogues   how each connection's catalogue is, as JSON
// (POST /witness/add-checkpoint is net::WitnessServer's.)
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "control/metrics.h"

namespace sallyport::control {

struct Request {
  std::string_view method;  // as the client wrote it
  std::string_view target;  // path and, after '?', a query that is ignored
};

struct Response {
  std::uint16_t status = 200;
  std::string content_type;
  std::string body;   // empty for HEAD
  std::string allow;  // of the header Allow, with status 405; else empty
};

enum class CheckState : std::uint8_t { holds, fails };

// One reason why the gateway can or can't serve, e.g. {"listener main", holds, "127.0.0.1:3307"}.
struct ReadinessCheck {
  std::string name;
  CheckState state = CheckState::fails;
  std::string detail;  // for an operator; no secret
};

// Where the answers come from; called on the thread of `respond`.
struct Sources {
  std::function<std::vector<ReadinessCheck>()> readiness;  // none at all means not ready
  std::function<MetricsSnapshot()> metrics;
  std::function<std::vector<CatalogueStatus>()> catalogues;
};

Response respond(const Request& request, const Sources& sources);

}  // namespace sallyport::control
