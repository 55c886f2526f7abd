#include "adapters/aws/aws_client.h"

#include <thread>

#include "base/bytes.h"

namespace dendro {
namespace {

/// Services take 5 to 15 minutes; smaller differences come from the network.
constexpr std::int64_t kSkewWorthLearning = 60 * kNanosPerSecond;
/// Within one attempt, so that a dead server leaves time for another.
constexpr std::chrono::milliseconds kConnectTimeMax{3'000};
constexpr std::chrono::seconds kStallTimeMax{10};

bool is_worth_repeating(const Error& error) {
  switch (error.code()) {
    case ErrorCode::unavailable:
    case ErrorCode::io_error:
    case ErrorCode::deadline_exceeded:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<Timestamp> parse_http_date(std::string_view text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
  const std::size_t month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  const std::string number = std::to_string(month / 3 + 1);
  const auto part = [text](std::size_t first, std::size_t size) { return std::string(text.substr(first, size)); };
  return parse_rfc3339(part(12, 4) + "-" + (number.size() == 1 ? "0" : "") + number + "-" + part(5, 2) + "T" +
                       part(17, 8) + "Z");
}

AwsClient::AwsClient(Parts parts, AwsClientOptions options) : parts_(parts), options_(std::move(options)) {}

/// One call's repetitions: who of them may still be made, and until when.
class AwsClient::Attempts {
 public:
  Attempts(AwsClient& client, const AwsCall& call)
      : client_(client), call_(call), until_(client.parts_.clock.monotonic() + call.time_max) {}

  std::chrono::milliseconds time_left() const {
    const auto left = until_ - client_.parts_.clock.monotonic();
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(left), std::chrono::milliseconds(0));
  }

  /// Waits where another attempt is allowed. `used_key`: who signed; empty: nobody.
  bool goes_on(const Result<AwsReply>& reply, const std::string& used_key) {
    if (reply && !reply->fault) {
      client_.budget_.give(paid_ > 0 ? paid_ : 1);
      return false;
    }
    if (reply && corrects_itself(*reply, used_key)) return true;
    const bool is_worth = reply ? is_retryable(*reply->fault) && (call_.is_repeatable || is_throttling(*reply->fault))
                                : is_worth_repeating(reply.error()) && call_.is_repeatable;
    if (!is_worth || ++made_ >= client_.options_.attempts_max || call_.cancel.cancelled()) return false;
    const std::chrono::milliseconds wait = client_.backoff(made_);
    if (wait >= time_left()) return false;
    const bool was_late = !reply && reply.error().code() == ErrorCode::deadline_exceeded;
    paid_ = was_late ? RetryBudget::kTimeoutCost : RetryBudget::kRetryCost;
    if (!client_.budget_.take(paid_)) return false;
    client_.options_.sleep ? client_.options_.sleep(wait) : std::this_thread::sleep_for(wait);
    return true;
  }

 private:
  /// A clock or a key pair that can be put right, once each.
  bool corrects_itself(const AwsReply& reply, const std::string& used_key) {
    if (client_.parts_.credentials == nullptr) return false;
    if (is_clock_fault(*reply.fault) && !corrected_clock_ && client_.learn_clock(reply.http)) {
      return corrected_clock_ = true;
    }
    if (is_credential_fault(*reply.fault) && !corrected_credentials_) {
      client_.parts_.credentials->forget(used_key);
      return corrected_credentials_ = true;
    }
    return false;
  }

  AwsClient& client_;
  const AwsCall& call_;
  const std::chrono::nanoseconds until_;
  int made_ = 0;
  int paid_ = 0;
  bool corrected_clock_ = false, corrected_credentials_ = false;
};

Result<AwsReply> AwsClient::call(const AwsCall& call) {
  Attempts attempts(*this, call);
  while (true) {
    std::optional<AwsCredentials> credentials;
    if (parts_.credentials != nullptr) {
      DENDRO_TRY_ASSIGN(credentials, parts_.credentials->get());
    }
    Result<AwsReply> reply = send(call, credentials, attempts.time_left());
    if (!attempts.goes_on(reply, credentials ? credentials->access_key_id : "")) return reply;
  }
}

Result<HttpClientReply> AwsClient::call_or_error(const AwsCall& call) {
  DENDRO_TRY_ASSIGN(AwsReply reply, this->call(call));
  if (reply.fault) return aws_error(*reply.fault);
  return std::move(reply.http);
}

Result<AwsReply> AwsClient::send(const AwsCall& call, const std::optional<AwsCredentials>& credentials,
                                 std::chrono::milliseconds timeout) {
  AwsSigningRequest unsigned_request{call.method, call.endpoint.host, call.endpoint.base_path + call.path,
                                     call.query,  call.headers,       hex_sha256(call.body)};
  AwsWireRequest wire;
  const Timestamp at(parts_.clock.now().number() + skew_ns_.load());
  if (credentials) {
    wire = signer_.sign(unsigned_request, *credentials, call.scope, at);
  } else {
    wire = signer_.sign(unsigned_request, {}, call.scope, at);  // for the target; what signs is left out
    wire.headers = call.headers;
  }
  HttpClientRequest request;
  request.method = call.method;
  request.url = call.endpoint.scheme + "://" + call.endpoint.host + wire.target;
  request.headers = std::move(wire.headers);
  request.body = call.body;
  request.connect_timeout = kConnectTimeMax;
  request.stall_timeout = kStallTimeMax;
  request.timeout = std::max(timeout, std::chrono::milliseconds(1));
  request.reply_bytes_max = call.reply_bytes_max;
  request.cancel = call.cancel;
  DENDRO_TRY_ASSIGN(HttpClientReply http, parts_.http.exchange(request, nullptr));
  AwsReply reply{std::move(http), std::nullopt};
  if (reply.http.status >= 300) reply.fault = read_aws_fault(reply.http);
  return reply;
}

/// False where the clock is not what was wrong.
bool AwsClient::learn_clock(const HttpClientReply& reply) {
  const std::optional<Timestamp> theirs = parse_http_date(reply.header("date"));
  if (!theirs) return false;
  const std::int64_t skew = theirs->number() - parts_.clock.now().number();
  const std::int64_t change = skew - skew_ns_.load();
  if (change < kSkewWorthLearning && change > -kSkewWorthLearning) return false;
  skew_ns_.store(skew);
  return true;
}

std::chrono::milliseconds AwsClient::backoff(int attempt) {
  std::int64_t most = options_.backoff_first.count();
  for (int i = 1; i < attempt && most < options_.backoff_max.count(); ++i) most *= 2;
  most = std::min<std::int64_t>(most, options_.backoff_max.count());
  std::uint8_t bytes[4] = {};
  parts_.random.fill(bytes);
  const std::uint32_t number = load_le<std::uint32_t>(bytes);
  return std::chrono::milliseconds(static_cast<std::int64_t>(number % static_cast<std::uint64_t>(most + 1)));
}

}  // namespace dendro
