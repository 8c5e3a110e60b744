// The table of settings as a JSON schema and as documentation.
#pragma once

#include <string>

namespace sallyport::config {

// A JSON schema (draft 2020-12) of the document, as docs/configuration.schema.json holds it. It knows the form of
// every value; what takes two values or a file to judge only `parse` does.
std::string json_schema();

// The tables of docs/configuration.md, one section of it for each section of the document.
std::string settings_reference();

}  // namespace sallyport::config
