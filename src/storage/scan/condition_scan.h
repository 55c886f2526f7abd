#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "filter/predicate.h"
#include "filter/value_test.h"
#include "storage/scan/row_bitmap.h"
#include "storage/scan/template_match.h"
#include "storage/segment/row_group_reader.h"
#include "storage/segment/template_values.h"

namespace dendro {

/// Asks the token filter of a row group. Borrows the reader. Not thread-safe.
class FilterProbe {
 public:
  explicit FilterProbe(RowGroupReader& reader) : reader_(reader) {}
  /// False: surely no token that the filter covers has all these keys. Errors: those of RowGroupReader.
  Result<bool> may_contain_all(const std::vector<std::uint64_t>& keys);

 private:
  RowGroupReader& reader_;
  std::shared_ptr<const TokenFilterPiece> filter_;
};

/// One condition of a query, asked of columns instead of records. It keeps what it learnt of a segment's templates from
/// one row group to the next. Not thread-safe.
class ConditionScan {
 public:
  explicit ConditionScan(const Condition& condition);

  const ValueTest& test() const { return test_; }
  /// False: surely the condition holds for no value of the column, by the directory and the token filter alone.
  /// Errors: those of RowGroupReader.
  Result<bool> may_find(const RowGroupReader& reader, const ColumnEntry& column, FilterProbe& probe) const;
  /// Sets in `rows` each record that has a value in the column for which the condition holds. Exact.
  /// Errors: those of RowGroupReader.
  Status find(RowGroupReader& reader, const ColumnEntry& column, FilterProbe& probe, RowBitmap& rows);

 private:
  /// Verdicts on the templates of one column of one segment, as far as they were needed.
  struct KnownTemplates {
    std::vector<std::optional<TemplateVerdict>> verdicts;
  };
  Status find_values(RowGroupReader& reader, const ColumnEntry& column, FilterProbe& probe, RowBitmap& values);
  Status find_in_strings(RowGroupReader& reader, const ColumnEntry& column, FilterProbe& probe, RowBitmap& values);
  Status find_in_templates(RowGroupReader& reader, const ColumnEntry& column, FilterProbe& probe, RowBitmap& values);
  Status find_in_entries(const StringValues& strings, ValueType type, RowBitmap& values) const;
  void find_in_integers(const NumberColumn<std::int64_t>& numbers, ValueType type, RowBitmap& values) const;
  std::optional<std::pair<std::int64_t, std::int64_t>> integer_range() const;
  bool may_hold(const ColumnEntry& column, ValueType type) const;
  Result<bool> may_be_in_filter(const ColumnEntry& column, FilterProbe& probe) const;
  const TemplateVerdict& verdict_on(const ColumnTemplates& templates, KnownTemplates& known, std::uint32_t number);

  class TemplateSearch;

  const Condition condition_;
  const ValueTest test_;
  std::unique_ptr<TextQuestion> question_;  ///< null: every value of a template column must be asked
  bool question_decides_ = false;           ///< otherwise a value that it lets pass is still to be asked
  std::optional<TokenTest> pattern_;        ///< of a TextPattern, over whole values
  std::vector<std::uint64_t> equal_keys_;   ///< what a value equal to a quoted literal has put into the token filter
  std::map<std::pair<SegmentId, std::uint32_t>, KnownTemplates> known_;
};

}  // namespace dendro
