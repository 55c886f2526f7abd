#include "record/record_sink.h"

#include <future>

#include "base/bytes.h"
#include "base/checksum.h"

namespace dendro {

Bytes16 batch_key_id(const TenantId& tenant, std::string_view dialect, std::string_view key) {
  std::string joined;
  append_sized(joined, tenant.text());
  append_sized(joined, dialect);
  append_sized(joined, key);
  return xxh3_128(joined);
}

Result<CommitReply> append_and_wait(RecordSink& sink, CommitRequest request) {
  std::promise<Result<CommitReply>> promise;
  std::future<Result<CommitReply>> future = promise.get_future();
  DENDRO_TRY(
      sink.append(std::move(request), [&promise](Result<CommitReply> reply) { promise.set_value(std::move(reply)); }));
  return future.get();
}

}  // namespace dendro
