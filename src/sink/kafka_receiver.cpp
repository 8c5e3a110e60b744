#include "sink/kafka_receiver.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <future>
#include <thread>
#include <utility>

#include "base/check.h"

namespace sallyport::sink {
namespace {

constexpr int poll_ms = 100;
constexpr Milliseconds destroyed_within{1000};
constexpr std::uint64_t message_overhead_bytes = 1024;  // key and framing, beside the text
constexpr std::uint64_t librdkafka_message_bytes_least = 1'000'000;

std::string_view name_of(SaslMechanism mechanism) {
  switch (mechanism) {
    case SaslMechanism::none:
      return "";
    case SaslMechanism::plain:
      return "PLAIN";
    case SaslMechanism::scram_sha_256:
      return "SCRAM-SHA-256";
    case SaslMechanism::scram_sha_512:
      return "SCRAM-SHA-512";
  }
  return "";
}

std::string protocol_of(const KafkaSettings& settings) {
  std::string transport = settings.transport == KafkaTransport::tls ? "ssl" : "plaintext";
  return settings.sasl == SaslMechanism::none ? transport : "sasl_" + transport;
}

// Those that the same attempt will meet again.
bool is_refusal(rd_kafka_resp_err_t error) {
  constexpr std::array refusals{RD_KAFKA_RESP_ERR__AUTHENTICATION,
                                RD_KAFKA_RESP_ERR__SSL,
                                RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC,
                                RD_KAFKA_RESP_ERR__INVALID_ARG,
                                RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
                                RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED,
                                RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
                                RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED,
                                RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION};
  return std::find(refusals.begin(), refusals.end(), error) != refusals.end();
}

DeliveryError error_of(rd_kafka_resp_err_t error, const std::string& detail) {
  return {.kind = is_refusal(error) ? DeliveryError::Kind::refused : DeliveryError::Kind::unreachable,
          .text = std::string(rd_kafka_err2str(error)) + (detail.empty() ? "" : ": " + detail),
          .retry_after = {}};
}

using Options = std::vector<std::pair<std::string, std::string>>;

Options options_of(const KafkaSettings& settings, std::uint64_t message_bytes_max) {
  std::string brokers;
  for (const std::string& broker : settings.brokers) {
    brokers += (brokers.empty() ? "" : ",") + broker;
  }
  Options options{{"bootstrap.servers", brokers},
                  {"client.id", "sallyport"},
                  {"acks", "all"},
                  {"enable.idempotence", "true"},
                  {"linger.ms", "0"},
                  {"message.timeout.ms", std::to_string(settings.timeout.count())},
                  {"message.max.bytes", std::to_string(std::max(message_bytes_max + message_overhead_bytes,
                                                                librdkafka_message_bytes_least))},
                  {"security.protocol", protocol_of(settings)}};
  auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) {
      options.emplace_back(name, value);
    }
  };
  if (settings.transport == KafkaTransport::tls) {
    add("enable.ssl.certificate.verification", "true");
    add("ssl.endpoint.identification.algorithm", "https");
    add("ssl.ca.location", settings.tls.ca_file.string());
    add("ssl.certificate.location", settings.tls.certificate_file.string());
    add("ssl.key.location", settings.tls.key_file.string());
  }
  if (settings.sasl != SaslMechanism::none) {
    add("sasl.mechanisms", std::string(name_of(settings.sasl)));
    add("sasl.username", settings.user);
  }
  return options;
}

// The client's threads may hang in a name lookup, which can't be ended: then they are left to end when that does.
void destroy(rd_kafka_t* producer) {
  std::promise<void> done;
  std::future<void> ended = done.get_future();
  std::thread([producer, done = std::move(done)]() mutable {
    rd_kafka_destroy(producer);
    done.set_value();
  }).detach();
  ended.wait_for(destroyed_within);
}

}  // namespace

class KafkaReceiver::Producer {
 public:
  static Result<std::unique_ptr<Producer>, DeliveryError> make(const KafkaSettings& settings,
                                                               std::uint64_t message_bytes_max, const Halt& halt);
  ~Producer() {
    if (producer_ != nullptr) {
      rd_kafka_purge(producer_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
      rd_kafka_poll(producer_, 0);
      destroy(producer_);
    }
  }
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;

  Delivered produce(const std::string& topic, const std::vector<Message>& messages);

 private:
  explicit Producer(const Halt& halt) : halt_(halt) {}

  // Called from rd_kafka_poll(), on our thread.
  static void settled(rd_kafka_t* /*producer*/, const rd_kafka_message_t* message, void* self);
  static void complained(rd_kafka_t* producer, int error, const char* reason, void* self);
  rd_kafka_resp_err_t put(const std::string& topic, const Message& message);

  const Halt& halt_;
  rd_kafka_t* producer_ = nullptr;
  std::size_t waiting_ = 0;
  rd_kafka_resp_err_t error_ = RD_KAFKA_RESP_ERR_NO_ERROR;      // of a message
  rd_kafka_resp_err_t complaint_ = RD_KAFKA_RESP_ERR_NO_ERROR;  // of the client itself
  std::string detail_;
};

Result<std::unique_ptr<KafkaReceiver::Producer>, DeliveryError> KafkaReceiver::Producer::make(
    const KafkaSettings& settings, std::uint64_t message_bytes_max, const Halt& halt) {
  std::unique_ptr<Producer> made(new Producer(halt));
  std::array<char, 512> fault{};
  std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)> conf(rd_kafka_conf_new(), rd_kafka_conf_destroy);
  auto refused = [&] {
    return Unexpected(DeliveryError{.kind = DeliveryError::Kind::refused, .text = fault.data(), .retry_after = {}});
  };
  for (const auto& [name, value] : options_of(settings, message_bytes_max)) {
    if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), fault.data(), fault.size()) != RD_KAFKA_CONF_OK) {
      return refused();
    }
  }
  if (settings.sasl != SaslMechanism::none) {
    Secret password(std::string(settings.password.reveal()));
    if (rd_kafka_conf_set(conf.get(), "sasl.password", password.reveal().data(), nullptr, 0) != RD_KAFKA_CONF_OK) {
      return Unexpected(
          DeliveryError{.kind = DeliveryError::Kind::refused, .text = "the password can't be used", .retry_after = {}});
    }
  }
  rd_kafka_conf_set_opaque(conf.get(), made.get());
  rd_kafka_conf_set_dr_msg_cb(conf.get(), &Producer::settled);
  rd_kafka_conf_set_error_cb(conf.get(), &Producer::complained);
  rd_kafka_conf_set_log_cb(conf.get(), [](const rd_kafka_t*, int, const char*, const char*) {});
  made->producer_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf.get(), fault.data(), fault.size());
  if (made->producer_ == nullptr) {
    return refused();
  }
  static_cast<void>(conf.release());  // is the producer's now
  return made;
}

void KafkaReceiver::Producer::settled(rd_kafka_t* /*producer*/, const rd_kafka_message_t* message, void* self) {
  auto& producer = *static_cast<Producer*>(self);
  SALLYPORT_CHECK(producer.waiting_ > 0);
  --producer.waiting_;
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && producer.error_ == RD_KAFKA_RESP_ERR_NO_ERROR) {
    producer.error_ = message->err;
  }
}

void KafkaReceiver::Producer::complained(rd_kafka_t* /*producer*/, int error, const char* reason, void* self) {
  auto& producer = *static_cast<Producer*>(self);
  producer.complaint_ = static_cast<rd_kafka_resp_err_t>(error);
  producer.detail_ = reason;
}

rd_kafka_resp_err_t KafkaReceiver::Producer::put(const std::string& topic, const Message& message) {
  std::array<rd_kafka_vu_t, 4> values{};
  values[0].vtype = RD_KAFKA_VTYPE_TOPIC;
  values[0].u.cstr = topic.c_str();
  values[1].vtype = RD_KAFKA_VTYPE_VALUE;
  values[1].u.mem.ptr = const_cast<char*>(message.text.data());  // is copied, as the flag says
  values[1].u.mem.size = message.text.size();
  values[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  values[2].u.i = RD_KAFKA_MSG_F_COPY;
  values[3].vtype = RD_KAFKA_VTYPE_KEY;
  values[3].u.mem.ptr = message.session.empty() ? nullptr : const_cast<char*>(message.session.data());
  values[3].u.mem.size = message.session.size();
  rd_kafka_error_t* error = rd_kafka_produceva(producer_, values.data(), values.size());
  rd_kafka_resp_err_t code = error == nullptr ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  return code;
}

Delivered KafkaReceiver::Producer::produce(const std::string& topic, const std::vector<Message>& messages) {
  detail_.clear();
  complaint_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  for (const Message& message : messages) {
    rd_kafka_resp_err_t error = put(topic, message);
    while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL && !halt_.is_due()) {
      rd_kafka_poll(producer_, poll_ms);
      error = put(topic, message);
    }
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return Unexpected(error_of(error, detail_));
    }
    ++waiting_;
  }
  // Whether a login or certificate is wrong shows as a complaint, while messages wait for better times.
  while (waiting_ > 0 && !halt_.is_due() && !is_refusal(complaint_)) {
    rd_kafka_poll(producer_, poll_ms);
  }
  if (waiting_ > 0) {
    return Unexpected(error_of(is_refusal(complaint_) ? complaint_ : RD_KAFKA_RESP_ERR__TIMED_OUT, detail_));
  }
  return error_ == RD_KAFKA_RESP_ERR_NO_ERROR ? Delivered(Unit{}) : Delivered(Unexpected(error_of(error_, detail_)));
}

KafkaReceiver::KafkaReceiver(KafkaSettings settings, std::uint64_t message_bytes_max, const Halt& halt)
    : settings_(std::move(settings)), message_bytes_max_(message_bytes_max), halt_(halt) {}

KafkaReceiver::~KafkaReceiver() = default;

Delivered KafkaReceiver::deliver(const std::vector<Message>& messages) {
  if (producer_ == nullptr) {
    auto made = Producer::make(settings_, message_bytes_max_, halt_);
    if (!made) {
      return Unexpected(std::move(made).error());
    }
    producer_ = std::move(*made);
  }
  auto done = producer_->produce(settings_.topic, messages);
  if (!done) {
    producer_.reset();
  }
  return done;
}

}  // namespace sallyport::sink
