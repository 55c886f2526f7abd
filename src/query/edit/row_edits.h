#pragma once

#include <cstring>
#include <string_view>
#include <vector>

#include "parse/text_arena.h"
#include "query/rows/row_batch.h"

namespace dendro {

/// What a pipe changes of one row. Names and values are borrowed until clear(); keep() makes them last that long. Not
/// thread-safe.
class RowEdits {
 public:
  struct Edit {
    std::string_view name;
    Value value;  ///< null: the field is taken away
  };

  void clear() {
    is_dropped_ = false;
    edits_.clear();
    arena_.clear();
  }
  /// A later value of a name replaces an earlier one.
  void set(std::string_view name, const Value& value) {
    for (Edit& edit : edits_) {
      if (edit.name != name) continue;
      edit.value = value;
      return;
    }
    edits_.push_back({name, value});
  }
  /// As set, of a name that is known to be new to the row: many of them stay cheap.
  void add(std::string_view name, const Value& value) { edits_.push_back({name, value}); }
  void remove(std::string_view name) { set(name, Value::of_null()); }
  std::string_view keep(std::string_view text) {
    if (text.empty()) return {};
    char* room = arena_.take(text.size());
    std::memcpy(room, text.data(), text.size());
    return {room, text.size()};
  }
  Value keep_text(std::string_view text) { return value_of_string(keep(text)); }
  TextArena& arena() { return arena_; }
  const std::vector<Edit>& list() const { return edits_; }
  bool empty() const { return edits_.empty() && !is_dropped_; }
  /// The row does not go on.
  void drop_row() { is_dropped_ = true; }
  bool is_dropped() const { return is_dropped_; }

 private:
  bool is_dropped_ = false;
  std::vector<Edit> edits_;
  TextArena arena_;
};

/// The work of one pipe that changes rows one by one (query-language.md 8.1). Not thread-safe.
class RowEditor {
 public:
  virtual ~RowEditor() = default;
  /// Fills `edits`, which is empty. Values may borrow the row's batch.
  virtual void edit(const RowBatch& rows, std::size_t index, RowEdits& edits) = 0;
  /// For pipes that make several rows of one: true as long as another one follows, whose edits it fills in anew.
  virtual bool edit_again(const RowBatch&, std::size_t /*index*/, RowEdits&) { return false; }
};

}  // namespace dendro
