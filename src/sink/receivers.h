// Which receiver a sink's settings ask for.
#pragma once

#include <memory>

#include "sink/halt.h"
#include "sink/receiver.h"
#include "sink/settings.h"

namespace sallyport::sink {

// `halt` outlives it. What is wrong with the settings shows when something is delivered.
std::unique_ptr<Receiver> make_receiver(const SinkSettings& settings, const Halt& halt);

}  // namespace sallyport::sink
