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

std::string seconds_text(double seconds) {
  return std::to_string(static_cast<std::int64_t>(seconds)) + "." +
         std::to_string(static_cast<std::int64_t>(seconds * 10) % 10);
}

std::string json_of(const CatalogueStatus& status) {
  std::string json = "{\"connection\":" + json_text(status.connection);
  auto number = [&](std::string_view name, std::uint64_t value) {
    json += ",\"" + std::string(name) + "\":" + std::to_string(value);
  };
  number("version", status.version);
  if (status.version != 0) {
    json += ",\"server\":" + json_text(status.server);
    json += ",\"age_seconds\":" + seconds_text(status.age_seconds);
    json += std::string(",\"complete\":") + (status.complete ? "true" : "false");
    number("schemas", status.schemas);
    number("tables", status.tables);
    number("columns", status.columns);
    number("routines", status.routines);
  }
  number("failures", status.failures);
  if (!status.last_failure.empty()) {
    json += ",\"last_failure\":" + json_text(status.last_failure);
  }
  return json + "}";
}

Response catalogues(const std::vector<CatalogueStatus>& statuses) {
  std::string body = "{\"catalogues\":[";
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    body += (i > 0 ? "," : "") + json_of(statuses[i]);
  }
  return {.status = 200, .content_type = std::string(json_type), .body = body + "]}\n", .allow = {}};
}

}  // namespace

Response respond(const Request& request, const Sources& sources) {
  auto path = request.target.substr(0, request.target.find('?'));
  bool known = path == "/healthz" || path == "/readyz" || path == "/metrics" || path == "/catalogues";
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
  } else if (path == "/catalogues") {
    response = catalogues(sources.catalogues());
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
