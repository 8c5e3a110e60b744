#include "store/journal_ring.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>

#include "base/check.h"
#include "base/descriptor.h"
#include "crypto/random.h"
#include "store/log_directory.h"

namespace sallyport::store {
namespace {

constexpr std::uint64_t page_bytes = 4096;
constexpr std::uint64_t journal_magic = 0x31304C4E524A5053;  // "SPJRNL01"
constexpr mode_t file_mode = 0600;
// Of Header::released.
constexpr std::size_t released_offset = 128;
// A journal whose header says more is none.
constexpr std::uint64_t capacity_max = std::uint64_t{16} << 30;

// As it lies in the ring, in the machine's byte order: a journal is read by the machine that wrote it.
struct FrameHeader {
  std::uint32_t payload_bytes;
  FrameKind kind;
  std::uint64_t number;
  std::uint64_t stamp_ns;
  std::uint64_t checksum;
};
static_assert(sizeof(FrameHeader) == 32);

std::uint64_t frame_bytes(std::uint64_t payload_bytes) {
  return sizeof(FrameHeader) + ((payload_bytes + 7) & ~std::uint64_t{7});
}

// Against pages that were not written and bits that fell over, not against anyone's intent.
std::uint64_t mix(std::uint64_t sum, std::uint64_t word) {
  sum = (sum ^ word) * 0x9FB21C651E98DF25;
  return sum ^ sum >> 32;
}

std::uint64_t checksum(const FrameHeader& header, const std::uint8_t* payload, std::uint64_t position,
                       std::uint64_t generation) {
  std::uint64_t one = mix(generation, position);
  one = mix(one, header.payload_bytes | std::uint64_t{static_cast<std::uint32_t>(header.kind)} << 32);
  std::uint64_t other = mix(mix(~generation, header.number), header.stamp_ns);
  std::uint64_t left = header.payload_bytes;
  std::array<std::uint64_t, 2> words{};
  for (; left >= sizeof(words); left -= sizeof(words), payload += sizeof(words)) {
    std::memcpy(words.data(), payload, sizeof(words));
    one = mix(one, words[0]);
    other = mix(other, words[1]);
  }
  words = {};
  std::memcpy(words.data(), payload, left);
  return mix(mix(one, words[0]), mix(other, words[1]));
}

std::string failure(std::string_view what, const std::filesystem::path& path, int error) {
  return std::string(what) + " " + path.string() + ": " + std::strerror(error);
}

// All pages are made now, writable, so that none has to be found later.
bool populate(std::uint8_t* mapping, std::uint64_t size) {
#ifdef MADV_POPULATE_WRITE
  if (::madvise(mapping, size, MADV_POPULATE_WRITE) == 0) {
    return true;
  }
  if (errno != EINVAL) {
    return false;
  }
#endif
  for (std::uint64_t at = 0; at < size; at += page_bytes) {
    auto* byte = static_cast<volatile std::uint8_t*>(mapping + at);
    *byte = *byte;
  }
  return true;
}

// The header, then the ring twice, one behind the other: a frame never wraps.
std::uint8_t* map(int descriptor, std::uint64_t capacity) {
  std::uint64_t size = page_bytes + 2 * capacity;
  void* whole = ::mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (whole == MAP_FAILED) {
    return nullptr;
  }
  auto* at = static_cast<std::uint8_t*>(whole);
  constexpr int access = PROT_READ | PROT_WRITE;
  constexpr int kind = MAP_SHARED | MAP_FIXED;
  if (::mmap(at, page_bytes + capacity, access, kind, descriptor, 0) == MAP_FAILED ||
      ::mmap(at + page_bytes + capacity, capacity, access, kind, descriptor, page_bytes) == MAP_FAILED ||
      !populate(at, size)) {
    int error = errno;
    ::munmap(whole, size);
    errno = error;
    return nullptr;
  }
  return at;
}

std::uint64_t random_generation() {
  std::array<std::uint8_t, 8> bytes{};
  crypto::random_bytes(bytes);
  std::uint64_t generation = 0;
  std::memcpy(&generation, bytes.data(), sizeof generation);
  return generation;
}

}  // namespace

struct JournalRing::Header {
  std::atomic<std::uint64_t> magic;
  std::uint64_t capacity;
  std::uint64_t generation;
  alignas(64) std::atomic<std::uint64_t> put_until;
  alignas(64) std::atomic<std::uint64_t> released;
};

Result<std::unique_ptr<JournalRing>, std::string> JournalRing::create(const std::filesystem::path& path,
                                                                      std::uint64_t capacity) {
  static_assert(sizeof(Header) <= page_bytes && std::atomic<std::uint64_t>::is_always_lock_free);
  static_assert(offsetof(Header, released) == released_offset);
  capacity = (std::max(capacity, page_bytes) + page_bytes - 1) / page_bytes * page_bytes;
  SALLYPORT_CHECK(capacity <= capacity_max);
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, file_mode));
  if (!file.is_open()) {
    return Unexpected(failure("cannot open", path, errno));
  }
  auto size = static_cast<off_t>(page_bytes + capacity);
  if (int error = ::posix_fallocate(file.number(), 0, size); error != 0) {
    return Unexpected(failure("no room for", path, error));
  }
  std::uint8_t* mapping = map(file.number(), capacity);
  if (mapping == nullptr) {
    return Unexpected(failure("cannot map", path, errno));
  }
  std::uint64_t generation = random_generation();
  auto* header = new (mapping) Header{};
  header->capacity = capacity;
  header->generation = generation;
  header->magic.store(journal_magic, std::memory_order_release);
  return std::unique_ptr<JournalRing>(new JournalRing(mapping, capacity, generation));
}

JournalRing::JournalRing(std::uint8_t* mapping, std::uint64_t capacity, std::uint64_t generation)
    : mapping_(mapping), capacity_(capacity), generation_(generation) {}

JournalRing::~JournalRing() {
  ::munmap(mapping_, page_bytes + 2 * capacity_);
}

JournalRing::Header& JournalRing::header() const {
  return *std::launder(reinterpret_cast<Header*>(mapping_));
}

std::uint8_t* JournalRing::place(std::uint64_t position) const {
  return mapping_ + page_bytes + position % capacity_;
}

std::uint64_t JournalRing::payload_bytes_max(std::uint64_t capacity) {
  return std::min<std::uint64_t>(capacity - sizeof(FrameHeader), UINT32_MAX);
}

bool JournalRing::has_room(std::uint64_t payload_bytes) const {
  return payload_bytes <= payload_bytes_max(capacity_) &&
         put_until_ + frame_bytes(payload_bytes) - header().released.load(std::memory_order_acquire) <= capacity_;
}

bool JournalRing::put(const FrameHead& head, std::string_view payload) {
  if (payload.size() > payload_bytes_max(capacity_)) {
    return false;
  }
  std::uint64_t end = put_until_ + frame_bytes(payload.size());
  if (end - released_as_known_ > capacity_) {
    released_as_known_ = header().released.load(std::memory_order_acquire);
    if (end - released_as_known_ > capacity_) {
      return false;
    }
  }
  std::uint8_t* at = place(put_until_);
  FrameHeader frame{.payload_bytes = static_cast<std::uint32_t>(payload.size()),
                    .kind = head.kind,
                    .number = head.number,
                    .stamp_ns = head.stamp_ns,
                    .checksum = 0};
  std::memcpy(at + sizeof frame, payload.data(), payload.size());
  frame.checksum = checksum(frame, reinterpret_cast<const std::uint8_t*>(payload.data()), put_until_, generation_);
  std::memcpy(at, &frame, sizeof frame);
  put_until_ = end;
  // In one order with what the sequencer says of its sleep: see LoopJournal.
  header().put_until.store(end, std::memory_order_seq_cst);
  return true;
}

std::optional<JournalRing::Frame> JournalRing::at(std::uint64_t position) const {
  if (position == header().put_until.load(std::memory_order_seq_cst)) {
    return std::nullopt;
  }
  const std::uint8_t* at = place(position);
  FrameHeader frame{};
  std::memcpy(&frame, at, sizeof frame);
  return Frame{.head = {.kind = frame.kind, .number = frame.number, .stamp_ns = frame.stamp_ns},
               .payload = {reinterpret_cast<const char*>(at + sizeof frame), frame.payload_bytes},
               .end = position + frame_bytes(frame.payload_bytes)};
}

void JournalRing::release(std::uint64_t position) {
  header().released.store(position, std::memory_order_release);
}

std::uint64_t JournalRing::released() const {
  return header().released.load(std::memory_order_acquire);
}

bool JournalRing::sync_header() {
  return ::msync(mapping_, page_bytes, MS_SYNC) == 0;
}

std::uint64_t JournalRing::waiting_bytes() const {
  std::uint64_t released = header().released.load(std::memory_order_acquire);
  return header().put_until.load(std::memory_order_acquire) - released;
}

Result<LeftJournal, std::string> read_journal(const std::filesystem::path& path) {
  auto read = read_small_file(path, page_bytes + capacity_max);
  if (!read || !read->has_value()) {
    return Unexpected(read ? failure("cannot read", path, ENOENT) : std::move(read).error());
  }
  const std::string& content = **read;
  struct {
    std::uint64_t magic, capacity, generation;
  } head{};
  LeftJournal left{.frames = {}, .readable = false};
  if (content.size() < page_bytes) {
    return left;
  }
  std::memcpy(&head, content.data(), sizeof head);
  std::uint64_t position = 0;
  std::memcpy(&position, content.data() + released_offset, sizeof position);
  if (head.magic != journal_magic || head.capacity < page_bytes || head.capacity > capacity_max ||
      head.capacity % page_bytes != 0 || content.size() != page_bytes + head.capacity || position % 8 != 0) {
    return left;
  }
  left.readable = true;
  // As it is mapped: twice.
  std::string ring = content.substr(page_bytes);
  ring += ring;
  for (std::uint64_t seen = 0; seen + sizeof(FrameHeader) <= head.capacity;) {
    const auto* at = reinterpret_cast<const std::uint8_t*>(ring.data()) + position % head.capacity;
    FrameHeader frame{};
    std::memcpy(&frame, at, sizeof frame);
    // Read to where the frames end, whatever the header says: after a loss of power it may be older than they are.
    std::uint64_t size = frame_bytes(frame.payload_bytes);
    if (size > head.capacity - seen ||
        checksum(frame, at + sizeof frame, position, head.generation) != frame.checksum) {
      break;
    }
    left.frames.push_back({.head = {.kind = frame.kind, .number = frame.number, .stamp_ns = frame.stamp_ns},
                           .payload = {reinterpret_cast<const char*>(at + sizeof frame), frame.payload_bytes}});
    position += size;
    seen += size;
  }
  return left;
}

}  // namespace sallyport::store
