#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "record/value.h"

namespace dendro {

/// A value that owns its text: what a table's row is made of.
class Cell {
 public:
  Cell() = default;
  explicit Cell(const Value& value) : value_(value), text_(value.text) {}

  /// Borrowed from this cell.
  Value value() const {
    Value view = value_;
    view.text = text_;
    return view;
  }
  bool is_missing() const { return value_.is_missing(); }
  std::size_t bytes() const { return sizeof(Cell) + text_.size(); }

 private:
  Value value_;  // its text is not used
  std::string text_;
};

}  // namespace dendro
