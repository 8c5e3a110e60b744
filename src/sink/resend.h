// Where a connection begins that is to send once more what an earlier one may have lost, when connections end before
// they got through it. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

namespace sallyport::sink {

// Of the messages that were acknowledged last, so many a receiver's kernel may have thrown away unread when the
// connection ended: more than the buffer holds that a socket has of which nothing is read (128 KiB by default).
inline constexpr std::size_t unread_messages_max = 1000;

class Resend {
 public:
  // The records `from` to `end` (behind the last) are sent once more.
  void begin(std::uint64_t from, std::uint64_t end) {
    from_ = from;
    end_ = end;
    read_until_ = from;
    messages_ = 0;
    batches_.clear();
  }
  // On this connection, in their order. `first`: the index of the first message.
  void acknowledged(std::uint64_t first, std::size_t messages) {
    batches_.push_back({.first = first, .messages = messages});
    messages_ += messages;
    while (messages_ - batches_.front().messages >= unread_messages_max) {
      messages_ -= batches_.front().messages;
      batches_.pop_front();
      read_until_ = batches_.front().first;
    }
  }

  std::uint64_t from() const { return from_; }
  std::uint64_t end() const { return end_; }
  bool has_begun() const { return !batches_.empty(); }
  // Whether the receiver has read more than nothing of it, and not all. Then the next connection may go on from there.
  bool is_halfway() const { return read_until_ > from_ && read_until_ < end_; }
  std::uint64_t read_until() const { return read_until_; }

 private:
  struct Batch {
    std::uint64_t first;
    std::size_t messages;
  };
  std::uint64_t from_ = 0;
  std::uint64_t end_ = 0;
  std::uint64_t read_until_ = 0;  // what is before was certainly read by the receiver
  std::size_t messages_ = 0;      // of batches_
  std::deque<Batch> batches_;     // from read_until_ on
};

}  // namespace sallyport::sink
