// Configuration: whatever the document, either a configuration or mistakes that name a place in it; no exception.
#include "config/config.h"

#include "base/check.h"
#include "fuzz/targets.h"

namespace sallyport::fuzz {

void fuzz_config(Bytes input) {
  auto config = config::parse(text_of(input), "sallyport.yaml", "/nonexistent");
  if (config) {
    SALLYPORT_CHECK(!input.empty());
    return;
  }
  SALLYPORT_CHECK(!config.error().empty());
  for (const config::Mistake& mistake : config.error()) {
    SALLYPORT_CHECK(mistake.file == "sallyport.yaml");
    SALLYPORT_CHECK(mistake.line > 0 && mistake.column > 0);
    SALLYPORT_CHECK(!mistake.message.empty() && !mistake.mend.empty());
    SALLYPORT_CHECK(!config::to_string(mistake).empty());
  }
}

}  // namespace sallyport::fuzz
