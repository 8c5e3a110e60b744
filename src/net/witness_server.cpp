#include "net/witness_server.h"

#include <chrono>

#include "base/check.h"
#include "base/thread_name.h"
#include "store/signing_key.h"

namespace sallyport::net {
namespace {

constexpr Seconds telling_interval{10};

}  // namespace

Result<std::unique_ptr<WitnessServer>, std::string> WitnessServer::open(const audit::ServedWitnessSettings& settings,
                                                                        Log& log) {
  auto cosigner = store::load_or_make_cosigner(settings.signing_key, settings.name);
  if (!cosigner) {
    return Unexpected(std::move(cosigner).error());
  }
  std::vector<audit::NoteKey> keys;
  for (const std::string& line : settings.logs) {
    auto key = audit::NoteKey::parse(line);
    SALLYPORT_CHECK(key.has_value());  // the configuration was validated
    keys.push_back(std::move(key).value());
  }
  return std::unique_ptr<WitnessServer>(new WitnessServer(std::move(cosigner).value(), std::move(keys), settings, log));
}

WitnessServer::WitnessServer(audit::Cosigner cosigner, std::vector<audit::NoteKey> keys,
                             const audit::ServedWitnessSettings& settings, Log& log)
    : cosigner_(std::move(cosigner)),
      keys_(std::move(keys)),
      logs_(store::system_files(), settings.directory),
      log_(log),
      thread_([this] {
        name_this_thread("witness-server");
        work();
      }) {}

WitnessServer::~WitnessServer() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    requests_.clear();
  }
  wake_.notify_all();
  thread_.join();
}

void WitnessServer::add_checkpoint(std::string body, Done done) {
  {
    std::lock_guard lock(mutex_);
    if (requests_.size() < requests_max) {
      requests_.push_back({.body = std::move(body), .done = std::move(done)});
      wake_.notify_one();
      return;
    }
  }
  audit::WitnessAnswer busy;
  busy.status = 503;
  busy.body = "too many requests wait\n";
  done(std::move(busy));
}

void WitnessServer::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !requests_.empty(); });
    if (stopping_) {
      return;
    }
    Request request = std::move(requests_.front());
    requests_.pop_front();
    lock.unlock();
    request.done(answer(request.body));
    lock.lock();
  }
}

audit::WitnessAnswer WitnessServer::answer(const std::string& body) {
  auto checked = audit::check_add_checkpoint(body, keys_);
  if (!checked) {
    return std::move(checked).error();
  }
  const audit::Checkpoint& checkpoint = checked->checkpoint.checkpoint;
  audit::WitnessAnswer answer;
  auto known = logs_.newest(checkpoint.origin);
  auto kept = known ? Result<Unit, std::string>(Unit{}) : Unexpected(known.error());
  if (known) {
    answer = audit::judge(*checked, *known);
    if (answer.status == 200) {
      kept = logs_.put(checkpoint, checked->request.note);
    }
  }
  if (!kept) {
    log_.write(Severity::error, "a witnessed log's state can't be kept; nothing is cosigned",
               {{"error", kept.error()}});
    answer.status = 500;
    answer.body = "the witness' state can't be kept\n";
    return answer;
  }
  bool is_other_tree =
      *known && answer.status == 409 && (*known)->size == checkpoint.size && (*known)->root != checkpoint.root;
  if (answer.status == 422 || is_other_tree) {
    tell_of_other_history(checkpoint, *known ? (*known)->size : 0);
  }
  if (answer.status == 200) {
    answer.body = cosigner_.cosign(checked->checkpoint.note.text,
                                   std::chrono::time_point_cast<Nanoseconds>(std::chrono::system_clock::now()));
  }
  return answer;
}

// Anybody can send a proof that is wrong, so not each is told of.
void WitnessServer::tell_of_other_history(const audit::Checkpoint& checkpoint, std::uint64_t known_size) {
  MonoTime now = std::chrono::steady_clock::now();
  if (now < next_telling_) {
    return;
  }
  next_telling_ = now + telling_interval;
  log_.write(Severity::error, "a witnessed log's checkpoint does not go on from the one that was cosigned",
             {{"log", checkpoint.origin},
              {"records", std::to_string(checkpoint.size)},
              {"cosigned_records", std::to_string(known_size)}});
}

}  // namespace sallyport::net
