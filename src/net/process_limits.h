// What the process asks of the system once, at its start.
#pragma once

#include <cstdint>

namespace sallyport::net {

// Raises the limit of open descriptors as far as it may be. Returns how many can be open.
std::uint64_t raise_descriptor_limit();

// Keeps the allocator from giving memory back to the system and taking it again with each answer that passes.
void settle_allocator();

}  // namespace sallyport::net
