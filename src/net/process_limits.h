// What the process asks of the system once, at its start.
#pragma once

#include <cstdint>

namespace sallyport::net {

// Raises the limit of open descriptors as far as it may be. Returns how many can be open.
std::uint64_t raise_descriptor_limit();

// What so many clients' connections need, each with one to a server, and all else: listeners, the audit log, fetches of
// keys, requests to the admin listener.
std::uint64_t descriptors_for(std::uint32_t connections);
// Of `connections`, those for which so many descriptors suffice. At least one.
std::uint32_t connections_within(std::uint64_t descriptors, std::uint32_t connections);

// Keeps the allocator from giving memory back to the system and taking it again with each answer that passes.
void settle_allocator();

}  // namespace sallyport::net
