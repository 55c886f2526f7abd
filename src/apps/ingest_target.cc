#include "apps/ingest_target.h"

#include <algorithm>
#include <charconv>
#include <random>
#include <thread>

#include "apps/folder_masking.h"
#include "apps/url_text.h"
#include "base/checksum.h"
#include "base/clock.h"
#include "base/json_document.h"
#include "base/random.h"
#include "ingest/decode_ingest.h"
#include "storage/store.h"

namespace dendro {
namespace {

constexpr std::size_t kErrorsShown = 5;

std::vector<std::string> split_names(const std::string& commas) {
  std::vector<std::string> names;
  for (std::size_t first = 0; first < commas.size();) {
    const std::size_t last = std::min(commas.find(',', first), commas.size());
    if (last > first) names.push_back(commas.substr(first, last - first));
    first = last + 1;
  }
  return names;
}

class ServerTarget final : public IngestTarget {
 public:
  ServerTarget(HttpClient& client, const std::string& url, const std::string& token, const IngestReading& reading,
               std::chrono::seconds patience)
      : client_(client), patience_(patience) {
    request_.method = "POST";
    request_.timeout = std::chrono::minutes(5);
    request_.url = url + "/api/v1/ingest";
    char separator = '?';
    const auto add = [&](const std::string& name, const std::string& value) {
      if (value.empty()) return;
      request_.url += separator + percent_encoded(name) + "=" + percent_encoded(value);
      separator = '&';
    };
    add("format", reading.format);
    add("time_field", reading.time_field);
    add("body_field", reading.body_field);
    add("severity_field", reading.severity_field);
    add("stream_fields", reading.stream_fields);
    for (const auto& [name, value] : reading.resource) add("resource." + name, value);
    if (!token.empty()) request_.headers.emplace_back("Authorization", "Bearer " + token);
    fixed_headers_ = request_.headers.size();
  }

  Result<IngestOutcome> send(const std::string& body, std::string_view content_type, const std::string& key) override {
    request_.headers.resize(fixed_headers_);
    request_.headers.emplace_back("Content-Type", std::string(content_type));
    request_.headers.emplace_back("Idempotency-Key", key);
    request_.body = body;
    const auto deadline = std::chrono::steady_clock::now() + patience_;
    for (std::chrono::milliseconds pause{200};; pause = std::min(pause * 2, std::chrono::milliseconds(10'000))) {
      Result<HttpClientReply> reply = client_.exchange(request_, nullptr);
      if (reply && reply->status != 429 && reply->status < 500) return outcome_of(*reply);
      if (reply && reply->status == 500) return problem_of(*reply);
      if (!reply && reply.error().code() == ErrorCode::invalid_argument) return std::move(reply).error();
      const std::chrono::milliseconds wait = reply ? std::max(pause, retry_after(*reply)) : pause;
      if (std::chrono::steady_clock::now() + wait > deadline)
        return reply ? problem_of(*reply) : std::move(reply).error();
      std::this_thread::sleep_for(wait +
                                  std::chrono::milliseconds(jitter_() % (static_cast<unsigned>(wait.count()) / 4 + 1)));
    }
  }

 private:
  static std::chrono::milliseconds retry_after(const HttpClientReply& reply) {
    const std::string_view text = reply.header("retry-after");
    std::int64_t seconds = 0;
    std::from_chars(text.data(), text.data() + text.size(), seconds);
    return std::chrono::milliseconds(std::clamp<std::int64_t>(seconds, 0, 60) * 1'000);
  }

  static Error problem_of(const HttpClientReply& reply) {
    const Result<JsonValue> document = parse_json_document(reply.body);
    const JsonValue* detail = document ? document->find("detail") : nullptr;
    const std::string text =
        detail != nullptr && detail->is_string() ? std::string(*detail->as_string()) : std::string();
    const ErrorCode code = reply.status == 429   ? ErrorCode::resource_exhausted
                           : reply.status == 503 ? ErrorCode::unavailable
                           : reply.status == 507 ? ErrorCode::storage_full
                           : reply.status < 500  ? ErrorCode::invalid_argument
                                                 : ErrorCode::io_error;
    return Error(code, "the server answered " + std::to_string(reply.status) + (text.empty() ? "" : ": " + text));
  }

  static Result<IngestOutcome> outcome_of(const HttpClientReply& reply) {
    const Result<JsonValue> document = parse_json_document(reply.body);
    const JsonValue* rejected = document ? document->find("rejected") : nullptr;
    // 400 with counts: every record of the body was refused and dead-lettered.
    if (reply.status != 200 && !(reply.status == 400 && rejected != nullptr)) return problem_of(reply);
    if (!document) return Error(ErrorCode::io_error, "the server's answer is not JSON: is this a dendro server?");
    const auto count_of = [&](const char* name) {
      const JsonValue* member = document->find(name);
      return member == nullptr ? 0 : static_cast<std::uint64_t>(member->as_int().value_or(0));
    };
    IngestOutcome outcome{count_of("accepted"), count_of("rejected"), false, {}};
    if (const JsonValue* replayed = document->find("replayed")) outcome.replayed = replayed->as_bool().value_or(false);
    if (const JsonValue* errors = document->find("errors")) {
      for (const JsonValue& row : errors->elements()) {
        if (outcome.errors.size() == kErrorsShown) break;
        const auto text_of = [&](const char* name) {
          const JsonValue* member = row.find(name);
          return member == nullptr ? std::string() : std::string(member->as_string().value_or(""));
        };
        const JsonValue* index = row.find("index");
        outcome.errors.push_back("record " + std::to_string(index == nullptr ? 0 : index->as_int().value_or(0)) +
                                 " of its request: " + text_of("reason") + ": " + text_of("detail"));
      }
    }
    return outcome;
  }

  HttpClient& client_;
  const std::chrono::seconds patience_;
  HttpClientRequest request_;
  std::size_t fixed_headers_ = 0;
  std::minstd_rand jitter_{std::random_device()()};
};

class FolderTarget final : public IngestTarget {
 public:
  FolderTarget(std::unique_ptr<FileSystem> files, IngestOptions options)
      : files_(std::move(files)), options_(std::move(options)) {}

  Status open(const std::string& directory) {
    StoreOptions store_options;
    store_options.directory = directory;
    DENDRO_TRY_ASSIGN(store_, Store::open(std::move(store_options), *files_, clock_, random_));
    DENDRO_TRY_ASSIGN(masking_, FolderMasking::open(directory, *files_, clock_, random_));
    store_->set_intake([this](CommitRequest& commit) { return masking_->rewrite(commit); });
    return {};
  }

  Result<IngestOutcome> send(const std::string& body, std::string_view content_type, const std::string& key) override {
    IngestRequest request;
    request.body = body;
    request.content_type = content_type;
    request.receive_time = clock_.now();
    DENDRO_TRY_ASSIGN(DecodedRequest decoded, decode_ingest(request, options_));
    IngestOutcome outcome{decoded.accepted, decoded.rejected, false, {}};
    for (const IngestError& error : decoded.errors) {
      if (outcome.errors.size() == kErrorsShown) break;
      outcome.errors.push_back("record " + std::to_string(error.index) + " of its request: " + error.detail);
    }
    if (decoded.batches.empty()) return outcome;
    const TenantId& tenant = TenantId::default_tenant();
    CommitRequest commit = to_commit_request(std::move(decoded), tenant, request.receive_time);
    commit.key = BatchKey{batch_key_id(tenant, options_.dialect, key), xxh3_128(body)};
    return commit_patiently(commit, std::move(outcome));
  }

 private:
  /// The journal is full now and then while a flush runs: that is no failure of a local load.
  Result<IngestOutcome> commit_patiently(const CommitRequest& commit, IngestOutcome outcome) {
    for (int attempt = 0;; ++attempt) {
      const Result<CommitReply> reply = append_and_wait(*store_, commit);
      if (reply) {
        outcome.replayed = reply->replayed;
        return outcome;
      }
      if (reply.error().code() != ErrorCode::resource_exhausted || attempt == 600) return reply.error();
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
  }

  std::unique_ptr<FileSystem> files_;
  SystemClock clock_;
  SystemRandom random_;
  IngestOptions options_;
  std::unique_ptr<FolderMasking> masking_;
  std::unique_ptr<Store> store_;
};

}  // namespace

std::unique_ptr<IngestTarget> make_server_target(HttpClient& client, const std::string& url, const std::string& token,
                                                 const IngestReading& reading, std::chrono::seconds patience) {
  return std::make_unique<ServerTarget>(client, url, token, reading, patience);
}

Result<std::unique_ptr<IngestTarget>> open_folder_target(const std::string& directory, const IngestReading& reading) {
  IngestOptions options;
  if (!reading.format.empty()) {
    const std::optional<ParseFormat> format = parse_format_of_name(reading.format);
    if (!format)
      return Error(ErrorCode::invalid_argument,
                   "unknown format '" + reading.format + "'; one of " + std::string(parse_format_names_text()));
    options.format = *format;
    options.format_is_given = true;
  }
  options.mapping.time_fields = split_names(reading.time_field);
  options.mapping.body_fields = split_names(reading.body_field);
  options.mapping.severity_fields = split_names(reading.severity_field);
  if (!reading.stream_fields.empty()) options.mapping.stream_fields = split_names(reading.stream_fields);
  options.mapping.labels = reading.resource;
  auto target = std::make_unique<FolderTarget>(make_posix_file_system(), std::move(options));
  DENDRO_TRY(target->open(directory));
  return std::unique_ptr<IngestTarget>(std::move(target));
}

}  // namespace dendro
