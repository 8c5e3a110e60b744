#include "sink/receivers.h"

#include "sink/file_receiver.h"
#include "sink/http_receiver.h"
#include "sink/kafka_receiver.h"
#include "sink/syslog_receiver.h"

namespace sallyport::sink {
namespace {

template <typename... Makers>
struct Overloaded : Makers... {
  using Makers::operator()...;
};
template <typename... Makers>
Overloaded(Makers...) -> Overloaded<Makers...>;

}  // namespace

std::unique_ptr<Receiver> make_receiver(const SinkSettings& settings, const Halt& halt) {
  using Made = std::unique_ptr<Receiver>;
  return std::visit(
      Overloaded{[](const FileSettings& file) -> Made { return std::make_unique<FileReceiver>(file); },
                 [&](const SyslogSettings& syslog) -> Made { return std::make_unique<SyslogReceiver>(syslog, halt); },
                 [&](const HttpSettings& http) -> Made { return std::make_unique<HttpReceiver>(http, halt); },
                 [&](const KafkaSettings& kafka) -> Made {
                   return std::make_unique<KafkaReceiver>(kafka, settings.message_bytes_max, halt);
                 }},
      settings.receiver);
}

}  // namespace sallyport::sink
