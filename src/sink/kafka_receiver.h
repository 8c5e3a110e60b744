// Produces messages to a topic of Kafka, by librdkafka.
#pragma once

#include <memory>
#include <string>

#include "sink/halt.h"
#include "sink/receiver.h"
#include "sink/settings.h"

namespace sallyport::sink {

// A message's key is the session's id, so that the records of a session are in one partition, in their order; records
// of no session have none. Acknowledged is what all replicas in step have (acks=all); the producer is idempotent.
class KafkaReceiver final : public Receiver {
 public:
  // `halt` outlives it. `message_bytes_max`: of a message's text.
  KafkaReceiver(KafkaSettings settings, std::uint64_t message_bytes_max, const Halt& halt);
  ~KafkaReceiver() override;

  Delivered deliver(const std::vector<Message>& messages) override;

 private:
  class Producer;
  KafkaSettings settings_;
  std::uint64_t message_bytes_max_;
  const Halt& halt_;
  std::unique_ptr<Producer> producer_;  // null after an error: the next attempt has a new one
};

}  // namespace sallyport::sink
