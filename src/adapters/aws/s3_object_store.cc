#include "adapters/aws/s3_object_store.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "adapters/aws/aws_encoding.h"
#include "adapters/aws/aws_xml.h"

namespace dendro {
namespace {

constexpr std::string_view kS3DefaultRegion = "us-east-1";
constexpr std::size_t kS3PartsMax = 10'000;
/// Beside the range itself: nothing of a reply to a ranged get is longer.
constexpr std::uint64_t kS3ReplySlack = 64 << 10;
constexpr std::size_t kKnownBucketRegionsMax = 10'000;

/// encoding-type=url: form encoding.
std::string decode_listed_key(std::string_view text) {
  std::string plain(text);
  std::replace(plain.begin(), plain.end(), '+', ' ');
  return aws_percent_decode(plain).value_or(std::string(text));
}

std::string xml_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::optional<std::uint64_t> parse_size_text(std::string_view text) {
  std::uint64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

/// Complete answers 200 before it knows: the body may be an error.
std::optional<AwsFault> fault_behind_200(const HttpClientReply& reply) {
  const Result<AwsXmlElement> root = parse_aws_xml(reply.body);
  if (root && root->name != "Error") return std::nullopt;
  AwsFault fault = read_aws_fault(reply);
  if (!root) fault = {reply.status, "InternalError", "the reply is cut", ""};
  if (fault.status < 300) fault.status = 500;
  return fault;
}

/// What a call is about, and which of it is there already.
struct S3Call {
  std::string method = "GET";
  std::string bucket, key;  ///< no key: the bucket itself
  AwsPairs query, headers;
  std::string body;
  std::uint64_t reply_bytes_max = kAwsXmlBytesMax;
  bool is_repeatable = true;
};

/// Addresses, regions of buckets, and errors of S3.
class S3Caller {
 public:
  S3Caller(AwsClient& client, const AwsSettings& settings, S3Options::Addressing addressing)
      : client_(client), settings_(settings), addressing_(addressing) {}

  Result<AwsReply> call(const S3Call& s3) {
    DENDRO_TRY_ASSIGN(AwsReply reply, call_in(s3, region_of(s3.bucket)));
    if (!reply.fault || !names_other_region(*reply.fault, region_of(s3.bucket))) return reply;
    remember_region(s3.bucket, reply.fault->region);
    return call_in(s3, region_of(s3.bucket));
  }

  Result<HttpClientReply> call_or_error(const S3Call& s3) {
    DENDRO_TRY_ASSIGN(AwsReply reply, call(s3));
    if (reply.fault) return aws_error(*reply.fault);
    return std::move(reply.http);
  }

 private:
  Result<AwsReply> call_in(const S3Call& s3, const std::string& region) {
    AwsCall call;
    call.scope = {region, "s3"};
    DENDRO_TRY_ASSIGN(call.endpoint, aws_endpoint(settings_, "s3", region));
    const bool in_host = uses_virtual_host(s3.bucket, call.endpoint);
    if (in_host) call.endpoint.host = s3.bucket + "." + call.endpoint.host;
    call.path = in_host ? "/" + s3.key : "/" + s3.bucket + (s3.key.empty() ? "" : "/" + s3.key);
    call.method = s3.method;
    call.query = s3.query;
    call.headers = s3.headers;
    call.body = s3.body;
    call.reply_bytes_max = s3.reply_bytes_max;
    call.is_repeatable = s3.is_repeatable;
    return client_.call(call);
  }

  bool uses_virtual_host(const std::string& bucket, const AwsEndpoint& endpoint) const {
    if (!is_dns_bucket(bucket) || addressing_ == S3Options::Addressing::path || settings_.s3_addressing == "path") {
      return false;
    }
    return !endpoint.is_override || addressing_ == S3Options::Addressing::virtual_host ||
           settings_.s3_addressing == "virtual";
  }

  static bool names_other_region(const AwsFault& fault, const std::string& region) {
    const bool is_about_region = fault.status == 301 || fault.status == 307 || fault.status == 400;
    return is_about_region && is_aws_region(fault.region.empty() ? "-" : fault.region) && fault.region != region;
  }

  std::string region_of(const std::string& bucket) {
    MutexLock lock(mutex_);
    if (const auto found = regions_.find(bucket); found != regions_.end()) return found->second;
    return settings_.region.empty() ? std::string(kS3DefaultRegion) : settings_.region;
  }

  void remember_region(const std::string& bucket, const std::string& region) {
    MutexLock lock(mutex_);
    if (regions_.size() >= kKnownBucketRegionsMax) regions_.clear();
    regions_[bucket] = region;
  }

  AwsClient& client_;
  const AwsSettings& settings_;
  const S3Options::Addressing addressing_;
  Mutex mutex_;
  std::map<std::string, std::string> regions_ DENDRO_GUARDED_BY(mutex_);
};

/// An object, a range at a time.
class S3ObjectSource final : public ByteSource {
 public:
  S3ObjectSource(std::shared_ptr<S3Caller> caller, std::string bucket, std::string key, std::size_t range_bytes)
      : caller_(std::move(caller)), bucket_(std::move(bucket)), key_(std::move(key)), range_bytes_(range_bytes) {}

  /// The first range: says whether there is such an object, and of which version all others must be.
  Status open(const std::optional<std::string>& etag) {
    etag_ = etag;
    return fetch();
  }

  Result<std::size_t> read(std::span<char> out) override {
    if (failure_) return *failure_;
    if (at_ == range_.size() && next_offset_ < total_bytes_) {
      if (Status fetched = fetch(); !fetched) {
        failure_ = fetched.error();
        return *failure_;
      }
    }
    const std::size_t count = range_.copy(out.data(), out.size(), at_);
    at_ += count;
    return count;
  }

 private:
  Status fetch() {
    S3Call call;
    call.bucket = bucket_;
    call.key = key_;
    call.reply_bytes_max = range_bytes_ + kS3ReplySlack;
    call.headers = {
        {"Range", "bytes=" + std::to_string(next_offset_) + "-" + std::to_string(next_offset_ + range_bytes_ - 1)}};
    if (etag_) call.headers.emplace_back("If-Match", "\"" + *etag_ + "\"");
    range_ = std::string();  // before the next is there: one range in memory, not two
    at_ = 0;
    DENDRO_TRY_ASSIGN(AwsReply reply, caller_->call(call));
    if (reply.fault && reply.fault->status == 416 && next_offset_ == 0) return Status();  // an empty object
    if (reply.fault) return aws_error(*reply.fault);
    return take(reply.http);
  }

  /// "bytes 0-8388607/123456789"
  Status take(HttpClientReply& reply) {
    std::uint64_t total = reply.body.size();
    if (reply.status == 206) {
      const std::string_view range = reply.header("content-range");
      const std::string start = "bytes " + std::to_string(next_offset_) + "-";
      const std::size_t slash = range.find('/');
      const auto said = parse_size_text(slash == std::string_view::npos ? "" : range.substr(slash + 1));
      if (!range.starts_with(start) || !said) return broken("the reply is of another range");
      total = *said;
    } else if (next_offset_ != 0) {
      return broken("a range was asked for, all of it came");
    }
    if (next_offset_ != 0 && total != total_bytes_) return broken("its size changed while it was read");
    const std::uint64_t expected = std::min<std::uint64_t>(range_bytes_, total - next_offset_);
    if (reply.status == 206 && reply.body.size() != expected) return broken("a range came cut");
    if (!etag_) {
      std::string_view etag = reply.header("etag");
      if (etag.size() >= 2 && etag.starts_with('"')) etag = etag.substr(1, etag.size() - 2);
      if (!etag.empty()) etag_ = etag;
    }
    total_bytes_ = total;
    next_offset_ += reply.body.size();
    range_ = std::move(reply.body);
    return {};
  }

  Error broken(const std::string& what) const {
    return Error(ErrorCode::io_error, "IncompleteBody: object " + key_ + ": " + what);
  }

  const std::shared_ptr<S3Caller> caller_;
  const std::string bucket_, key_;
  const std::size_t range_bytes_;
  std::optional<std::string> etag_;
  std::uint64_t next_offset_ = 0, total_bytes_ = 0;
  std::string range_;
  std::size_t at_ = 0;
  std::optional<Error> failure_;
};

class S3ObjectStore final : public ObjectStore {
 public:
  S3ObjectStore(AwsClient& client, const AwsSettings& settings, const S3Options& options)
      : options_(options), caller_(std::make_shared<S3Caller>(client, settings, options.addressing)) {}

  Result<ObjectPage> list(const std::string& bucket, const std::string& prefix,
                          const std::optional<std::string>& continuation_token) override {
    DENDRO_TRY(check_bucket(bucket));
    S3Call call;
    call.bucket = bucket;
    call.query = {{"list-type", "2"}, {"encoding-type", "url"}, {"prefix", prefix}};
    call.query.emplace_back("max-keys", std::to_string(options_.page_objects_max));
    if (continuation_token) call.query.emplace_back("continuation-token", *continuation_token);
    DENDRO_TRY_ASSIGN(const HttpClientReply reply, caller_->call_or_error(call));
    DENDRO_TRY_ASSIGN(const AwsXmlElement root, parse_aws_xml(reply.body));
    return read_page(root);
  }

  Result<std::unique_ptr<ByteSource>> get(const std::string& bucket, const std::string& key,
                                          const std::optional<std::string>& etag) override {
    DENDRO_TRY(check_place(bucket, key));
    auto source = std::make_unique<S3ObjectSource>(caller_, bucket, key, options_.range_bytes);
    DENDRO_TRY(source->open(etag));
    return std::unique_ptr<ByteSource>(std::move(source));
  }

  Status put(const std::string& bucket, const std::string& key, std::string_view bytes) override {
    DENDRO_TRY(check_place(bucket, key));
    if (bytes.size() > options_.put_bytes_max) return put_parts(bucket, key, bytes);
    S3Call call = write_call("PUT", bucket, key);
    call.body = bytes;
    call.headers = {{"Content-Type", "application/octet-stream"}};
    DENDRO_TRY(caller_->call_or_error(call));
    return {};
  }

 private:
  /// What could change the address that the request goes to.
  static Status check_bucket(const std::string& bucket) {
    const bool is_good = !bucket.empty() && bucket.size() <= 255 && bucket != "." && bucket != ".." &&
                         std::all_of(bucket.begin(), bucket.end(), [](char c) {
                           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                                  c == '-' || c == '.' || c == '_';
                         });
    // A name that S3 cannot have is a bucket that is not there.
    return is_good ? Status() : Status(Error(ErrorCode::not_found, "NoSuchBucket: '" + bucket + "' is no bucket name"));
  }
  static Status check_place(const std::string& bucket, const std::string& key) {
    DENDRO_TRY(check_bucket(bucket));
    if (!key.empty() && key.size() <= 1'024) return {};
    return Error(ErrorCode::invalid_argument, "InvalidRequest: object keys have 1 to 1024 bytes");
  }

  static S3Call write_call(std::string method, const std::string& bucket, const std::string& key) {
    S3Call call;
    call.method = std::move(method);
    call.bucket = bucket;
    call.key = key;
    return call;
  }

  static Result<ObjectPage> read_page(const AwsXmlElement& root) {
    if (root.name != "ListBucketResult") {
      return Error(ErrorCode::io_error, "MalformedXML: the reply is no listing of S3");
    }
    const bool is_encoded = root.text_of("EncodingType") == "url";
    ObjectPage page;
    for (const AwsXmlElement& row : root.children) {
      if (row.name != "Contents") continue;
      ObjectInfo object;
      object.key = is_encoded ? decode_listed_key(row.text_of("Key")) : std::string(row.text_of("Key"));
      const auto size = parse_size_text(row.text_of("Size"));
      const auto modified = parse_rfc3339(row.text_of("LastModified"));
      if (object.key.empty() || !size || !modified) {
        return Error(ErrorCode::io_error, "MalformedXML: an object of the listing lacks key, size or time");
      }
      object.size_bytes = *size;
      object.last_modified = *modified;
      std::string_view etag = row.text_of("ETag");
      if (etag.size() >= 2 && etag.starts_with('"')) etag = etag.substr(1, etag.size() - 2);
      object.etag = etag;
      object.storage_class = row.text_of("StorageClass");
      page.objects.push_back(std::move(object));
    }
    const std::string_view next = root.text_of("NextContinuationToken");
    if (root.text_of("IsTruncated") == "true") {
      // Without a token the rest could not be asked for: never half a listing without a word.
      if (next.empty()) return Error(ErrorCode::io_error, "MalformedXML: the listing goes on but names no token");
      page.continuation_token = next;
    }
    return page;
  }

  Status put_parts(const std::string& bucket, const std::string& key, std::string_view bytes) {
    S3Call start = write_call("POST", bucket, key);
    start.query = {{"uploads", ""}};
    start.headers = {{"Content-Type", "application/octet-stream"}};
    DENDRO_TRY_ASSIGN(const HttpClientReply started, caller_->call_or_error(start));
    DENDRO_TRY_ASSIGN(const AwsXmlElement root, parse_aws_xml(started.body));
    const std::string upload_id(root.text_of("UploadId"));
    if (upload_id.empty()) return Error(ErrorCode::io_error, "MalformedXML: the reply names no upload");
    Status sent = send_parts(bucket, key, upload_id, bytes);
    if (!sent) {
      // Parts that stay are paid for. What was wrong before is what the caller hears.
      S3Call abort = write_call("DELETE", bucket, key);
      abort.query = {{"uploadId", upload_id}};
      [[maybe_unused]] const auto aborted = caller_->call_or_error(abort);
    }
    return sent;
  }

  Status send_parts(const std::string& bucket, const std::string& key, const std::string& upload_id,
                    std::string_view bytes) {
    const std::size_t part_bytes = std::max(options_.part_bytes_min, (bytes.size() + kS3PartsMax - 1) / kS3PartsMax);
    std::string list = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
    for (std::size_t number = 1, first = 0; first < bytes.size(); ++number, first += part_bytes) {
      S3Call part = write_call("PUT", bucket, key);
      part.query = {{"partNumber", std::to_string(number)}, {"uploadId", upload_id}};
      part.headers = {{"Content-Type", "application/octet-stream"}};
      part.body = bytes.substr(first, part_bytes);
      DENDRO_TRY_ASSIGN(const HttpClientReply reply, caller_->call_or_error(part));
      list += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + xml_text(reply.header("etag")) +
              "</ETag></Part>";
    }
    S3Call complete = write_call("POST", bucket, key);
    complete.query = {{"uploadId", upload_id}};
    complete.headers = {{"Content-Type", "application/xml"}};
    complete.body = list + "</CompleteMultipartUpload>";
    complete.is_repeatable = false;  // a repetition of one that was done says NoSuchUpload
    DENDRO_TRY_ASSIGN(const HttpClientReply reply, caller_->call_or_error(complete));
    if (const auto fault = fault_behind_200(reply)) return aws_error(*fault);
    return {};
  }

  const S3Options options_;
  const std::shared_ptr<S3Caller> caller_;
};

}  // namespace

std::unique_ptr<ObjectStore> make_s3_object_store(AwsClient& client, const AwsSettings& settings, S3Options options) {
  return std::make_unique<S3ObjectStore>(client, settings, options);
}

}  // namespace dendro
