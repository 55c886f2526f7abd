#include "services/evidence/head_anchors.h"

#include <algorithm>
#include <thread>

#include "base/hex.h"
#include "base/hmac.h"
#include "base/log.h"
#include "base/mutex.h"
#include "storage/store_paths.h"

namespace dendro {
namespace {

class FileAnchor final : public HeadAnchor {
 public:
  FileAnchor(FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

  Status anchor(const ChainHead& head) override {
    const bool is_new = !files_.exists(path_);
    DENDRO_TRY_ASSIGN(const auto file,
                      files_.open_writable(path_, is_new ? OpenMode::create_new : OpenMode::open_existing));
    DENDRO_TRY_ASSIGN(const std::uint64_t size, file->size());
    const std::string line = chain_head_json(head) + "\n";
    const std::string_view bytes = line;
    DENDRO_TRY(file->write_at(size, {&bytes, 1}));
    DENDRO_TRY(file->sync());
    if (!is_new) return {};
    return files_.sync_directory(path_.substr(0, std::max<std::size_t>(path_.rfind('/'), 1)));
  }

 private:
  FileSystem& files_;
  const std::string path_;
};

class ObjectAnchor final : public HeadAnchor {
 public:
  ObjectAnchor(ObjectStore& objects, std::string bucket) : objects_(objects), bucket_(std::move(bucket)) {}

  Status anchor(const ChainHead& head) override {
    constexpr std::size_t kIndexDigits = 20;
    std::string index = std::to_string(head.index);
    index.insert(0, kIndexDigits - index.size(), '0');
    DENDRO_TRY_ASSIGN(const TenantId tenant, TenantId::parse(head.tenant));
    const std::string key = StorePaths::escape_tenant(tenant) + "/" + index + ".json";
    return objects_.put(bucket_, key, chain_head_json(head) + "\n");
  }

 private:
  ObjectStore& objects_;
  const std::string bucket_;
};

class WebhookAnchor final : public HeadAnchor {
 public:
  explicit WebhookAnchor(WebhookAnchorParts parts) : parts_(std::move(parts)), thread_([this] { run(); }) {}
  ~WebhookAnchor() override {
    {
      MutexLock lock(mutex_);
      is_stopping_ = true;
      cancel_.cancel();
      wake_.notify_all();
    }
    thread_.join();
  }

  Status anchor(const ChainHead& head) override {
    const QueueMessage message{chain_head_json(head), {}};
    DENDRO_TRY(parts_.queue.send({&message, 1}));
    MutexLock lock(mutex_);
    has_news_ = true;
    wake_.notify_all();
    return {};
  }

 private:
  static constexpr std::chrono::hours kRetryLast{1};
  static constexpr std::chrono::seconds kTimeout{30};
  static constexpr std::chrono::minutes kLease{5};

  void run() {
    std::chrono::milliseconds pause = parts_.retry_first;
    for (;;) {
      const Result<bool> sent = send_one();
      if (sent && *sent) {
        pause = parts_.retry_first;
        MutexLock lock(mutex_);
        if (is_stopping_) return;
        continue;
      }
      if (!sent) {
        log(LogLevel::warning, "evidence", "a head of a chain could not be sent; trying again",
            {{"reason", sent.error().message()}, {"in_s", std::to_string(pause.count() / 1'000)}});
      }
      MutexLock lock(mutex_);
      if (!is_stopping_ && !(sent && has_news_)) wake_.wait_for(mutex_, sent ? kRetryLast : pause);
      if (is_stopping_) return;
      has_news_ = false;
      pause = sent ? parts_.retry_first : std::min<std::chrono::milliseconds>(2 * pause, kRetryLast);
    }
  }

  /// False: nothing waits. Errors: the one at hand stays in the queue.
  Result<bool> send_one() {
    DENDRO_TRY_ASSIGN(const auto messages, parts_.queue.receive(1, kLease));
    if (messages.empty()) return false;
    const std::vector<std::string> receipt = {messages.front().receipt};
    const Status posted = post(messages.front().message.body);
    if (posted) {
      DENDRO_TRY(parts_.queue.acknowledge(receipt));
      return true;
    }
    // A queue gives a message up that came back too often; a head must not be: it is queued anew, then this one goes.
    DENDRO_TRY(parts_.queue.send({&messages.front().message, 1}));
    DENDRO_TRY(parts_.queue.acknowledge(receipt));
    return posted.error();
  }

  Status post(const std::string& body) {
    HttpClientRequest request;
    request.method = "POST";
    request.url = parts_.url;
    request.headers = {{"Content-Type", "application/json"}};
    if (!parts_.secret.empty()) {
      request.headers.emplace_back("X-Dendro-Signature", "sha256=" + to_hex(hmac_sha256(parts_.secret, body)));
    }
    request.body = body;
    request.timeout = kTimeout;
    request.reply_bytes_max = std::uint64_t{64} << 10;
    request.cancel = cancel_;
    DENDRO_TRY_ASSIGN(const HttpClientReply reply, parts_.http.exchange(request, {}));
    if (reply.status >= 200 && reply.status < 300) return {};
    return Error(ErrorCode::unavailable, "the receiver of heads answered " + std::to_string(reply.status));
  }

  const WebhookAnchorParts parts_;
  CancelToken cancel_;
  Mutex mutex_;
  CondVar wake_;
  bool is_stopping_ DENDRO_GUARDED_BY(mutex_) = false;
  bool has_news_ DENDRO_GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace

std::unique_ptr<HeadAnchor> make_file_anchor(FileSystem& files, std::string path) {
  return std::make_unique<FileAnchor>(files, std::move(path));
}

std::unique_ptr<HeadAnchor> make_object_anchor(ObjectStore& objects, std::string bucket) {
  return std::make_unique<ObjectAnchor>(objects, std::move(bucket));
}

std::unique_ptr<HeadAnchor> make_webhook_anchor(WebhookAnchorParts parts) {
  return std::make_unique<WebhookAnchor>(std::move(parts));
}

}  // namespace dendro
