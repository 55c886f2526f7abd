#include "ingest/dead_letter.h"

#include "ingest/limits.h"

namespace dendro {
namespace {

/// At most kMaxDeadLetterRawBytes, not cutting a UTF-8 sequence in two.
std::string_view raw_front(std::string_view raw) {
  if (raw.size() <= kMaxDeadLetterRawBytes) return raw;
  std::size_t size = kMaxDeadLetterRawBytes;
  constexpr std::size_t kMaxContinuations = 3;
  for (std::size_t i = 0; i < kMaxContinuations && (static_cast<unsigned char>(raw[size]) & 0xC0) == 0x80; ++i) --size;
  return raw.substr(0, size);
}

}  // namespace

void add_dead_letter(BatchFiller& filler, const RejectedRecord& record, const DeadLetterOrigin& origin) {
  const std::string_view raw = raw_front(record.raw);
  const std::size_t text_bytes =
      raw.size() + record.cause.detail.size() + origin.dialect.size() + origin.request_id.size();
  constexpr std::size_t kNamesBytes = 512;
  RecordBatchBuilder& builder = filler.builder_for(text_bytes + kNamesBytes);
  builder.begin_record();
  builder.set_severity(kSeverityWarn);
  const auto add = [&builder](std::string_view name, std::string_view text) {
    builder.add_leaf(LeafRole::attribute, name, name, value_of_string(text));
  };
  add("dendro.reason", reject_reason_name(record.cause.reason));
  add("dendro.detail", record.cause.detail);
  add("dendro.dialect", origin.dialect);
  add("dendro.raw", raw);
  add("dendro.request_id", origin.request_id);
  builder.add_label("dendro.source", Value::of_text("dead_letter"));
  builder.end_record();
}

}  // namespace dendro
