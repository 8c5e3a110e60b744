// Random bytes from the operating system's generator.
#pragma once

#include "base/bytes.h"

namespace sallyport::crypto {

// Fills `out`; suitable for keys, nonces and identifiers. Does not fail.
void random_bytes(MutableBytes out);

}  // namespace sallyport::crypto
