#include "services/tail/sequence_input.h"

#include <charconv>

namespace dendro {
namespace {

class SequenceInput final : public QueryInput {
 public:
  SequenceInput(std::shared_ptr<const Snapshot> snapshot, SequenceRange range)
      : snapshot_(std::move(snapshot)), range_(range) {}
  Result<std::unique_ptr<BlockSource>> open(const ScanRequest& request) override {
    ScanRequest narrowed = request;
    narrowed.sequences = range_;
    return snapshot_->scan(std::move(narrowed));
  }
  bool is_ordered() const override { return true; }

 private:
  const std::shared_ptr<const Snapshot> snapshot_;
  const SequenceRange range_;
};

}  // namespace

std::string to_tail_cursor(SequenceNumber sequence) {
  return std::to_string(sequence.number());
}

std::optional<SequenceNumber> parse_tail_cursor(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
  return SequenceNumber(number);
}

SequenceRange range_of_gap(SequenceNumber from, SequenceNumber to) {
  constexpr SequenceNumber kLast{std::numeric_limits<std::uint64_t>::max()};
  return {from == kLast ? from : from.next(), to == kLast ? to : to.next()};
}

std::shared_ptr<QueryInput> make_sequence_input(std::shared_ptr<const Snapshot> snapshot, SequenceRange range) {
  return std::make_shared<SequenceInput>(std::move(snapshot), range);
}

}  // namespace dendro
