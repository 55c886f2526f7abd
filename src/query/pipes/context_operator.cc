// Records around those that match.
//
// C1 `queue_` holds rows in the order they came; the front goes out as soon as it is decided, so the order stays.
// C2 Of each stream at most n rows are undecided: those that a later match of the stream may still want.
// C3 A row is wanted if it matches, if one of the n rows of its stream before it matches, or one of the n behind it.
#include <deque>
#include <string>
#include <unordered_map>

#include "query/edit/record_rewriter.h"
#include "query/pipes/operator.h"

namespace dendro {
namespace {

constexpr std::size_t kContextRowsAtOnce = 1024;

class ContextOperator final : public Operator {
 public:
  ContextOperator(OperatorPtr input, const QueryStep& step, std::uint64_t count, QueryContext& context)
      : input_(std::move(input)), count_(count), context_(context), rewriter_(step.input, step.need) {}

  Result<std::optional<RowBatch>> next() override {
    if (!at_end_) {
      DENDRO_TRY_ASSIGN(std::optional<RowBatch> rows, input_->next());
      at_end_ = !rows.has_value() || !take(*rows);
      if (at_end_) decide_rest();
    }
    RowBatch out = pop_decided();
    if (out.empty() && at_end_ && queue_.empty()) return std::optional<RowBatch>();
    return std::optional<RowBatch>(std::move(out));
  }

 private:
  enum class Fate : std::uint8_t { open, wanted, unwanted };
  struct Waiting {
    RecordRow row;
    std::shared_ptr<const RecordBatch> batch;
    std::uint64_t bytes = 0;
    Fate fate = Fate::open;
  };
  struct StreamState {
    std::deque<std::uint64_t> open;  ///< numbers of undecided rows
    std::uint64_t wanted_next = 0;   ///< so many more rows behind the last match
  };

  /// False once no more rows may come in.
  bool take(const RowBatch& rows) {
    for (const RecordRow& row : rows.records) {
      Waiting waiting;
      waiting.row = row;
      for (const auto& held : rows.held) {
        if (held.get() == row.batch) waiting.batch = held;
      }
      waiting.bytes = sizeof(Waiting) + row.batch->encoded().size() / row.batch->size();
      const std::uint64_t bytes = waiting.bytes;
      decide(state_of(row), waiting);
      queue_.push_back(std::move(waiting));
      if (!context_.charge(bytes)) return false;
    }
    return true;
  }

  void decide(StreamState& state, Waiting& waiting) {
    const std::uint64_t number = first_number_ + queue_.size();
    if (waiting.row.is_match) {
      waiting.fate = Fate::wanted;
      for (const std::uint64_t open : state.open) at(open).fate = Fate::wanted;
      state.open.clear();
      state.wanted_next = count_;
    } else if (state.wanted_next > 0) {
      waiting.fate = Fate::wanted;
      --state.wanted_next;
    } else if (count_ == 0) {
      waiting.fate = Fate::unwanted;
    } else {
      state.open.push_back(number);
      if (state.open.size() <= count_) return;
      at(state.open.front()).fate = Fate::unwanted;
      state.open.pop_front();
    }
  }
  Waiting& at(std::uint64_t number) { return queue_[number - first_number_]; }

  /// Streams are looked up by their text once a batch: rows of one batch mostly follow each other.
  StreamState& state_of(const RecordRow& row) {
    if (row.batch->serial() != batch_serial_) {
      batch_serial_ = row.batch->serial();
      batch_states_.assign(row.batch->streams().size(), nullptr);
    }
    StreamState*& known = batch_states_[row.batch->stream_index(row.row)];
    if (known == nullptr) known = &find_state(row);
    return *known;
  }
  StreamState& find_state(const RecordRow& row) {
    std::string text = to_stream_text(row.record().stream());
    const std::size_t bytes = sizeof(StreamState) + text.size() + 64;
    const auto [state, is_new] = streams_.try_emplace(std::move(text));
    if (is_new) context_.charge(bytes);
    return state->second;
  }

  void decide_rest() {
    for (Waiting& waiting : queue_) {
      if (waiting.fate == Fate::open) waiting.fate = Fate::unwanted;
    }
  }

  RowBatch pop_decided() {
    RowBatch out;
    std::size_t count = 0;
    for (; !queue_.empty() && queue_.front().fate != Fate::open && count < kContextRowsAtOnce; queue_.pop_front()) {
      const Waiting& front = queue_.front();
      if (front.fate == Fate::wanted) {
        edits_.clear();
        edits_.set(kMatchField, Value::of_bool(front.row.is_match));
        rewriter_.add(front.row, edits_);
        ++count;
      }
      context_.release(front.bytes);
      ++first_number_;
    }
    rewriter_.take(out);
    return out;
  }

  OperatorPtr input_;
  const std::uint64_t count_;
  QueryContext& context_;
  RecordRewriter rewriter_;
  RowEdits edits_;
  std::deque<Waiting> queue_;
  std::uint64_t first_number_ = 0;  ///< of the front of queue_
  std::unordered_map<std::string, StreamState> streams_;
  std::uint64_t batch_serial_ = 0;
  std::vector<StreamState*> batch_states_;  ///< of its streams; null: not looked up yet
  bool at_end_ = false;
};

}  // namespace

OperatorPtr make_context_operator(OperatorPtr input, const QueryStep& step, std::uint64_t count,
                                  QueryContext& context) {
  return std::make_unique<ContextOperator>(std::move(input), step, count, context);
}

}  // namespace dendro
