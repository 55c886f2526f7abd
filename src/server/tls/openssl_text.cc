#include "server/tls/openssl_text.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/err.h>

#include <ctime>
#include <memory>

namespace dendro {

std::string openssl_text(const std::function<void(BIO*)>& write) {
  const std::unique_ptr<BIO, int (*)(BIO*)> bio(BIO_new(BIO_s_mem()), &BIO_free);
  if (!bio) return {};
  write(bio.get());
  char* data = nullptr;
  const long bytes = BIO_get_mem_data(bio.get(), &data);
  return bytes <= 0 ? std::string() : std::string(data, static_cast<std::size_t>(bytes));
}

std::string openssl_reason() {
  // The first error is the cause, those behind it say who passed it on.
  const unsigned long code = ERR_get_error();
  const char* const reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return reason == nullptr ? "unknown cause" : reason;
}

Timestamp timestamp_of(const ASN1_TIME* time) {
  std::tm civil{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &civil) != 1) return kTimestampMax;
  const std::time_t seconds = ::timegm(&civil);
  constexpr std::int64_t kSecondsMax = kTimestampMax.number() / kNanosPerSecond;
  return seconds >= kSecondsMax ? kTimestampMax : Timestamp(seconds * kNanosPerSecond);
}

}  // namespace dendro
