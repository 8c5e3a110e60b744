#include "audit/gateway_records.h"

#include "audit/record.h"

namespace sallyport::audit {

void append_configuration_loaded(std::string& line, const ConfigurationLoaded& loaded, WallTime now) {
  RecordWriter record{line};
  record.hex("configuration", loaded.configuration);
  if (loaded.previous) {
    record.hex("previous", *loaded.previous);
  }
  record.time("time", now);
  record.text("type", "configuration_loaded");
  record.end();
}

void append_configuration_refused(std::string& line, const ConfigurationRefused& refused, WallTime now) {
  RecordWriter record{line};
  if (refused.configuration) {
    record.hex("configuration", *refused.configuration);
  }
  record.text("error", refused.error);
  record.time("time", now);
  record.text("type", "configuration_refused");
  record.end();
}

void append_witness_state(std::string& line, const WitnessChange& change, WallTime now) {
  RecordWriter record{line};
  record.text_if_any("detail", change.detail);
  record.number("records", change.records);
  record.text("state", change.state);
  record.time("time", now);
  record.text("type", "witness_state");
  record.text("witness", change.witness);
  record.end();
}

}  // namespace sallyport::audit
