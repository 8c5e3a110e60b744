#include "control/endpoints.h"

#include <algorithm>
#include <utility>

#include "base/json_text.h"

namespace sallyport::control {

namespace {

constexpr std::string_view json_type = "application/json";
constexpr std::string_view text_type = "text/plain; charset=utf-8";
constexpr std::string_view prometheus_type = "text/plain; version=0.0.4; charset=utf-8";

std::string json_text(std::string_view text) {
  std::string json;
  append_json_string(json, is_utf8(text) ? text : "(not UTF-8)");
  return json;
}

Response healthy() {
  return {.status = 200, .content_type = std::string(text_type), .body = "ok\n", .allow = {}};
}

Response readiness(const std::vector<ReadinessCheck>& checks) {
  bool ready = !checks.empty() && std::all_of(checks.begin(), checks.end(), [](const ReadinessCheck& check) {
    return check.state == CheckState::holds;
  });
  std::string body = std::string("{\"ready\":") + (ready ? "true" : "false") + ",\"checks\":[";
  for (std::size_t i = 0; i < checks.size(); ++i) {
    body += i > 0 ? "," : "";
    body += "{\"name\":" + json_text(checks[i].name) +
            ",\"ok\":" + (checks[i].state == CheckState::holds ? "true" : "false") +
            ",\"detail\":" + json_text(checks[i].detail) + "}";
  }
  body += "]}\n";
  return {.status = static_cast<std::uint16_t>(ready ? 200 : 503),
          .content_type = std::string(json_type),
          .body = std::move(body),
          .allow = {}};
}

}  // namespace

Response respond(const Request& request, const Sources& sources) {
  auto path = request.target.substr(0, request.target.find('?'));
  bool known = path == "/healthz" || path == "/readyz" || path == "/metrics";
  if (!known) {
    return {.status = 404, .content_type = std::string(text_type), .body = "not found\n", .allow = {}};
  }
  if (request.method != "GET" && request.method != "HEAD") {
    return {
        .status = 405, .content_type = std::string(text_type), .body = "method not allowed\n", .allow = "GET, HEAD"};
  }
  Response response;
  if (path == "/healthz") {
    response = healthy();
  } else if (path == "/readyz") {
    response = readiness(sources.readiness());
  } else {
    response = {.status = 200,
                .content_type = std::string(prometheus_type),
                .body = to_prometheus_text(sources.metrics()),
                .allow = {}};
  }
  if (request.method == "HEAD") {
    response.body.clear();
  }
  return response;
}

}  // namespace sallyport::control
