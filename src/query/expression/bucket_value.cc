#include "query/expression/bucket_value.h"

#include <arpa/inet.h>

#include <cmath>
#include <optional>

#include "base/timestamp.h"
#include "filter/literal.h"
#include "filter/number.h"

namespace dendro {
namespace {

constexpr std::int64_t kNanosPerWeek = 7 * kNanosPerDay;
constexpr std::int64_t kFirstMonday = 4 * kNanosPerDay;  // 1970-01-05

std::int64_t floor_to(std::int64_t number, std::int64_t step) {
  const std::int64_t rest = number % step;
  return number - (rest < 0 ? rest + step : rest);
}

std::optional<std::int64_t> instant_of(const Value& value) {
  if (value.type == ValueType::time) return value.integer;
  const auto parsed = value.type == ValueType::text ? parse_rfc3339(value.text) : std::nullopt;
  return parsed ? std::optional(parsed->number()) : std::nullopt;
}

/// Start of the month or year of a local time.
std::int64_t calendar_start(BucketKind kind, std::int64_t local) {
  const CivilTime civil = to_civil(Timestamp(local));
  return days_from_civil(civil.year, kind == BucketKind::year ? 1 : civil.month, 1) * kNanosPerDay;
}

/// Buckets from a day on begin at local midnight, weeks on Monday: local times, whatever their clocks do in between.
std::int64_t local_bucket_start(const Bucket& bucket, std::int64_t local) {
  switch (bucket.kind) {
    case BucketKind::month:
    case BucketKind::year:
      return calendar_start(bucket.kind, local);
    case BucketKind::week:
      return floor_to(local - kFirstMonday, kNanosPerWeek) + kFirstMonday;
    default:
      break;
  }
  const std::int64_t shift = bucket.width_ns % kNanosPerWeek == 0 ? kFirstMonday : 0;
  return floor_to(local - shift, bucket.width_ns) + shift;
}

bool is_local_bucket(const Bucket& bucket) {
  return bucket.kind != BucketKind::duration || bucket.width_ns >= kNanosPerDay;
}

/// Shorter buckets than a day begin at multiples since the epoch.
Timestamp time_bucket_start(const Bucket& bucket, Timestamp instant, const TimeZone& zone) {
  if (!is_local_bucket(bucket)) return Timestamp(floor_to(instant.number(), bucket.width_ns));
  return zone.instant_of(local_bucket_start(bucket, zone.local_ns(instant)));
}

Value number_bucket(const Bucket& bucket, const Value& value) {
  const auto number = number_of_value(value);
  if (!number) return Value::of_null();
  const double step = bucket.step;
  if (number->is_int64() && step == std::floor(step) && step < 9e15) {
    return Value::of_int64(floor_to(number->int64(), static_cast<std::int64_t>(step)));
  }
  return Value::of_float64(std::floor(number->to_double() / step) * step);
}

Value ip_bucket(const Bucket& bucket, const Value& value, std::string& scratch) {
  const auto parsed = value.type == ValueType::text ? parse_ip(value.text) : std::nullopt;
  if (!parsed) return Value::of_null();
  IpAddress network = *parsed;
  const int bits = network.family == 4 ? 32 : 128;
  const int kept = std::min(bucket.prefix_bits, bits);
  for (int bit = kept; bit < bits; ++bit) {
    auto& byte = network.bytes[static_cast<std::size_t>(bit / 8)];
    byte = static_cast<std::uint8_t>(byte & ~(0x80u >> (bit % 8)));
  }
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(network.family == 4 ? AF_INET : AF_INET6, network.bytes.data(), text, sizeof text);
  scratch = std::string(text) + "/" + std::to_string(kept);
  return Value::of_text(scratch);
}

}  // namespace

Value bucket_value(const Bucket& bucket, const Value& value, const TimeZone& zone, std::string& scratch) {
  if (value.is_missing() || bucket.kind == BucketKind::none) return value;
  if (bucket.kind == BucketKind::number) return number_bucket(bucket, value);
  if (bucket.kind == BucketKind::ip_prefix) return ip_bucket(bucket, value, scratch);
  const auto instant = instant_of(value);
  if (!instant) return Value::of_null();
  return Value::of_time(time_bucket_start(bucket, Timestamp(*instant), zone), 9);
}

double bucket_seconds(const Bucket& bucket, const Value& start, const TimeZone& zone) {
  const bool is_time = bucket.kind != BucketKind::none && bucket.kind != BucketKind::number &&
                       bucket.kind != BucketKind::ip_prefix && start.type == ValueType::time;
  if (!is_time) return 0;
  if (!is_local_bucket(bucket)) return static_cast<double>(bucket.width_ns) / 1e9;
  const std::int64_t local = zone.local_ns(Timestamp(start.integer));
  std::int64_t longest = bucket.kind == BucketKind::month ? 31 * kNanosPerDay : 366 * kNanosPerDay;
  if (bucket.kind == BucketKind::week) longest = kNanosPerWeek;
  if (bucket.kind == BucketKind::duration) longest = bucket.width_ns;
  const Timestamp next = zone.instant_of(local_bucket_start(bucket, local + longest));
  return static_cast<double>(next.number() - start.integer) / 1e9;
}

}  // namespace dendro
