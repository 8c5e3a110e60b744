// Session-track data: the entries cover the whole without gap, each view lies within its entry.
#include "base/check.h"
#include "fuzz/targets.h"
#include "wire/response.h"

namespace sallyport::fuzz {

void fuzz_session_track(Bytes input) {
  auto entries = wire::parse_session_track(input);
  if (!entries) {
    return;
  }
  std::size_t at = 0;
  for (const wire::SessionTrackEntry& entry : *entries) {
    SALLYPORT_CHECK(entry.raw.data() == input.data() + at && !entry.raw.empty() && entry.raw[0] == entry.raw_kind);
    SALLYPORT_CHECK(entry.name.size() + entry.value.size() < entry.raw.size());
    at += entry.raw.size();
    auto alone = wire::parse_session_track(entry.raw);
    SALLYPORT_CHECK(alone && alone->size() == 1 && (*alone)[0].value == entry.value);
  }
  SALLYPORT_CHECK(at == input.size());
}

}  // namespace sallyport::fuzz
