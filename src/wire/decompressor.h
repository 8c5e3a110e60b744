// The decompressors behind CompressedReader.
#pragma once

#include "wire/compressed.h"

namespace sallyport::wire {

// Null when there is no memory for it.
std::unique_ptr<Decompressor> make_decompressor(CompressionAlgorithm algorithm, int zstd_window_log_max);

}  // namespace sallyport::wire
