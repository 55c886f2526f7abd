// ConditionScan over template columns: a verdict a template, tests of the slots that stay open, whole values where
// neither decides.
#include <algorithm>

#include "storage/scan/condition_scan.h"

namespace dendro {
namespace {

/// Values that no verdict decided are put together and asked this much at a time.
constexpr std::size_t kAskedTextBytes = std::size_t{1} << 20;

}  // namespace

const TemplateVerdict& ConditionScan::verdict_on(const ColumnTemplates& templates, KnownTemplates& known,
                                                 std::uint32_t number) {
  std::optional<TemplateVerdict>& verdict = known.verdicts[number];
  if (!verdict) {
    const TemplateView& view = templates.templates[number];
    verdict = question_->ask(view.text, {templates.slots.data() + view.first_slot, view.slot_count});
    if (!question_decides_ && verdict->kind != TemplateVerdict::Kind::never) {
      verdict->kind = TemplateVerdict::Kind::maybe;
    }
  }
  return *verdict;
}

/// The search of one template column of one row group.
class ConditionScan::TemplateSearch {
 public:
  TemplateSearch(ConditionScan& scan, RowGroupReader& reader, const ColumnEntry& column, FilterProbe& probe,
                 RowBitmap& values)
      : scan_(scan),
        reader_(reader),
        column_(column),
        probe_(probe),
        values_(values),
        templates_(reader.dictionary().templates(column.column)),
        known_(scan.known_[{reader.segment().info().id, column.column}]) {
    known_.verdicts.resize(templates_.templates.size());
  }

  Status run() {
    DENDRO_TRY_ASSIGN(texts_, TemplateValues::open(reader_, column_));
    const TemplateColumn& head = texts_->head();
    for (std::uint32_t local = 0; local < head.locals.size(); ++local) DENDRO_TRY(search_local(local));
    return ask_values();
  }

 private:
  Status search_local(std::uint32_t local) {
    const TemplateColumn& head = texts_->head();
    const TemplateColumn::Local& own = head.locals[local];
    if (own.number == TemplateTable::kWhole) return search_whole(own);
    if (scan_.question_ == nullptr) {
      add_local(own, asked_);
      return {};
    }
    const TemplateVerdict& verdict = scan_.verdict_on(templates_, known_, own.number);
    note_verdict(verdict.kind);
    switch (verdict.kind) {
      case TemplateVerdict::Kind::never:
        return {};
      case TemplateVerdict::Kind::always:
        for (std::uint32_t i = 0; i < own.value_count; ++i) values_.set(head.grouped[own.first_value + i]);
        return {};
      case TemplateVerdict::Kind::maybe:
        add_local(own, asked_);
        return {};
      case TemplateVerdict::Kind::tests:
        break;
    }
    for (const auto& alternative : verdict.alternatives) DENDRO_TRY(search_slots(local, alternative));
    return {};
  }

  void note_verdict(TemplateVerdict::Kind kind) {
    ReadTally& tally = reader_.tally();
    if (kind == TemplateVerdict::Kind::never) {
      ++tally.templates_no;
    } else if (kind == TemplateVerdict::Kind::always) {
      ++tally.templates_yes;
    } else {
      ++tally.templates_maybe;
    }
  }

  void add_local(const TemplateColumn::Local& own, std::vector<std::uint32_t>& values) const {
    const auto first = texts_->head().grouped.begin() + own.first_value;
    values.insert(values.end(), first, first + own.value_count);
  }

  Status search_whole(const TemplateColumn::Local& own) {
    DENDRO_TRY_ASSIGN(const auto whole, reader_.whole_values(column_, texts_->head()));
    RowBitmap found(own.value_count);
    DENDRO_TRY(scan_.find_in_entries(*whole, ValueType::text, found));
    found.for_each([&](std::uint32_t rank) { values_.set(texts_->head().grouped[own.first_value + rank]); });
    return {};
  }

  Status search_slots(std::uint32_t local, const std::vector<TemplateVerdict::SlotTest>& alternative) {
    for (const TemplateVerdict::SlotTest& open : alternative) {
      DENDRO_TRY_ASSIGN(const bool may_be_there, may_be_in_filter(open.test));
      if (!may_be_there) return {};
    }
    ranks_.clear();
    DENDRO_TRY(find_ranks(local, alternative.front()));
    const TemplateColumn::Local& own = texts_->head().locals[local];
    for (const std::uint32_t rank : ranks_) {
      bool holds = true;
      for (std::size_t i = 1; i < alternative.size() && holds; ++i) {
        DENDRO_TRY_ASSIGN(const std::string_view value, texts_->slot_value(local, alternative[i].slot, rank));
        holds = test(alternative[i].test).matches(value);
      }
      if (holds) values_.set(texts_->head().grouped[own.first_value + rank]);
    }
    return {};
  }

  Result<bool> may_be_in_filter(std::uint32_t number) {
    if (filter_says_.size() <= number) filter_says_.resize(number + 1);
    if (!filter_says_[number]) {
      DENDRO_TRY_ASSIGN(const bool may_be_there, probe_.may_contain_all(test(number).filter_keys()));
      filter_says_[number] = may_be_there;
    }
    return *filter_says_[number];
  }

  const TokenTest& test(std::uint32_t number) const { return scan_.question_->tests()[number]; }

  /// Ranks of the values of a template whose slot passes the test, ascending, into ranks_.
  Status find_ranks(std::uint32_t local, TemplateVerdict::SlotTest open) {
    const TemplateColumn& head = texts_->head();
    const TemplateColumn::Local& own = head.locals[local];
    const TemplateColumn::Slot* slot = &head.slots[own.first_slot + open.slot];
    while (slot->mode == SlotMode::slot) {
      open.slot = slot->target;
      slot = &head.slots[own.first_slot + open.slot];
    }
    switch (slot->mode) {
      case SlotMode::constant: {
        DENDRO_TRY_ASSIGN(const std::string_view value, texts_->slot_value(local, open.slot, 0));
        for (std::uint32_t rank = 0; rank < own.value_count && test(open.test).matches(value); ++rank) {
          ranks_.push_back(rank);
        }
        return {};
      }
      case SlotMode::chunk:
        return find_in_chunk(local, open);
      case SlotMode::pool:
        return find_in_pool(slot->target, own.value_count, open.test);
      default:
        return find_in_reference(slot->target, own, open.test);
    }
  }

  Status find_in_chunk(std::uint32_t local, TemplateVerdict::SlotTest open) {
    DENDRO_TRY_ASSIGN(const auto strings, reader_.slot_chunk(column_, texts_->head(), local, open.slot));
    std::vector<std::uint32_t> entries;
    test(open.test).find(strings->text(), strings->firsts().data(), strings->is_separated() ? 1 : 0, 0,
                         strings->entry_count(), entries);
    if (!strings->has_codes() && !strings->is_constant()) {
      ranks_ = std::move(entries);
      return {};
    }
    if (entries.empty()) return {};
    std::vector<std::uint8_t> matches(strings->entry_count(), 0);
    for (const std::uint32_t entry : entries) matches[entry] = 1;
    for (std::uint32_t rank = 0; rank < strings->size(); ++rank) {
      if (matches[strings->entry_of(rank)] != 0) ranks_.push_back(rank);
    }
    return {};
  }

  /// Values [first, first + count) of the pool, which may lie in several blocks.
  Status find_in_pool(std::uint32_t first, std::uint32_t count, std::uint32_t number) {
    const std::vector<TemplateColumn::PoolBlock>& pool = texts_->head().pool;
    auto block = std::upper_bound(pool.begin(), pool.end(), first,
                                  [](std::uint32_t wanted, const TemplateColumn::PoolBlock& candidate) {
                                    return wanted < candidate.first_value;
                                  }) -
                 pool.begin() - 1;
    for (std::uint32_t done = 0; done < count; ++block) {
      const TemplateColumn::PoolBlock& at = pool[static_cast<std::size_t>(block)];
      const std::uint32_t inside = first + done - at.first_value;
      const std::uint32_t taken = std::min(count - done, at.value_count - inside);
      const std::size_t before = ranks_.size();
      DENDRO_TRY(find_in_pool_block(static_cast<std::size_t>(block), inside, inside + taken, number));
      for (std::size_t i = before; i < ranks_.size(); ++i) ranks_[i] = ranks_[i] - inside + done;
      done += taken;
    }
    return {};
  }

  /// Values [first, last) of a pool block that pass the test, appended to ranks_. Where many slots of a block are asked
  /// the same, one search over all of it is cheaper than one over each.
  Status find_in_pool_block(std::size_t block, std::uint32_t first, std::uint32_t last, std::uint32_t number) {
    constexpr std::uint32_t kSearchesBeforeWhole = 8;
    PoolBlockSearch& search = pool_searches_[{block, number}];
    if (search.strings == nullptr) {
      DENDRO_TRY_ASSIGN(search.strings, reader_.pool_block(column_, texts_->head(), block));
    }
    const StringValues& strings = *search.strings;
    if (++search.searches <= kSearchesBeforeWhole) {
      test(number).find(strings.text(), strings.firsts().data(), 1, first, last, ranks_);
      return {};
    }
    if (!search.is_whole) {
      test(number).find(strings.text(), strings.firsts().data(), 1, 0, strings.size(), search.found);
      search.is_whole = true;
    }
    const auto begin = std::lower_bound(search.found.begin(), search.found.end(), first);
    ranks_.insert(ranks_.end(), begin, std::lower_bound(begin, search.found.end(), last));
    return {};
  }

  /// The slot repeats another column: that one is searched once for all templates.
  Status find_in_reference(std::uint32_t reference, const TemplateColumn::Local& own, std::uint32_t number) {
    std::optional<RowBitmap>& rows = reference_rows_[{reference, number}];
    if (!rows) {
      const ColumnEntry& other = *reader_.entry().find_column(texts_->head().references[reference]);
      DENDRO_TRY_ASSIGN(const auto strings, reader_.strings(other));
      DENDRO_TRY_ASSIGN(const auto map, reader_.rows_of(other));
      std::vector<std::uint32_t> entries;
      test(number).find(strings->text(), strings->firsts().data(), strings->is_separated() ? 1 : 0, 0,
                        strings->entry_count(), entries);
      std::vector<std::uint8_t> matches(strings->entry_count(), 0);
      for (const std::uint32_t entry : entries) matches[entry] = 1;
      rows.emplace(reader_.entry().record_count);
      for (std::size_t value = 0; value < strings->size() && !entries.empty(); ++value) {
        if (matches[strings->entry_of(value)] != 0) rows->set(map->row_of(value));
      }
    }
    if (rows->none()) return {};
    DENDRO_TRY_ASSIGN(const auto own_rows, reader_.rows_of(column_));
    for (std::uint32_t rank = 0; rank < own.value_count; ++rank) {
      if (rows->test(own_rows->row_of(texts_->head().grouped[own.first_value + rank]))) ranks_.push_back(rank);
    }
    return {};
  }

  /// The values that no verdict decided, put together and asked a megabyte at a time.
  Status ask_values() {
    std::string text;
    std::vector<std::uint32_t> ends;
    std::size_t first = 0;
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      DENDRO_TRY(texts_->append_value(asked_[i], text));
      ends.push_back(static_cast<std::uint32_t>(text.size()));
      if (text.size() < kAskedTextBytes && i + 1 < asked_.size()) continue;
      ask_texts(text, ends, first);
      first = i + 1;
      text.clear();
      ends.clear();
    }
    return {};
  }

  void ask_texts(const std::string& text, const std::vector<std::uint32_t>& ends, std::size_t first) {
    if (const auto* regex = std::get_if<RegexMatch>(&scan_.condition_)) {
      std::vector<std::uint8_t> verdicts;
      regex->regex->match_many(text, ends, verdicts);
      for (std::size_t i = 0; i < ends.size(); ++i) {
        if (verdicts[i] != 0) values_.set(asked_[first + i]);
      }
      return;
    }
    std::uint32_t begin = 0;
    for (std::size_t i = 0; i < ends.size(); ++i) {
      const std::string_view value = std::string_view(text).substr(begin, ends[i] - begin);
      if (scan_.test_.matches(Value::of_text(value))) values_.set(asked_[first + i]);
      begin = ends[i];
    }
  }

  ConditionScan& scan_;
  RowGroupReader& reader_;
  const ColumnEntry& column_;
  FilterProbe& probe_;
  RowBitmap& values_;
  const ColumnTemplates& templates_;
  KnownTemplates& known_;
  std::unique_ptr<TemplateValues> texts_;
  std::vector<std::optional<bool>> filter_says_;  ///< by test
  std::vector<std::uint32_t> ranks_;
  std::vector<std::uint32_t> asked_;  ///< values
  struct PoolBlockSearch {
    std::shared_ptr<const StringValues> strings;
    std::uint32_t searches = 0;
    bool is_whole = false;
    std::vector<std::uint32_t> found;  ///< by the search over all of it
  };
  std::map<std::pair<std::size_t, std::uint32_t>, PoolBlockSearch> pool_searches_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::optional<RowBitmap>> reference_rows_;
};

Status ConditionScan::find_in_templates(RowGroupReader& reader, const ColumnEntry& column, FilterProbe& probe,
                                        RowBitmap& values) {
  return TemplateSearch(*this, reader, column, probe, values).run();
}

}  // namespace dendro
