#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "apps/live_table.h"
#include "base/result.h"

namespace dendro {

/// One server-sent event.
struct ServerEvent {
  std::string name;  ///< "message" where none is given
  std::string id;    ///< empty: none
  std::string data;
};

/// Cuts a text/event-stream into events, whatever pieces it comes in. Not thread-safe.
class EventReader {
 public:
  /// Events that these bytes complete. An event that the connection broke off is dropped, as it must be.
  std::vector<ServerEvent> feed(std::string_view bytes);

 private:
  void take_line(std::string_view line, std::vector<ServerEvent>& events);

  std::string pending_;
  ServerEvent event_;
  bool has_data_ = false;
};

/// The elements of a JSON array as they are written, without a number or a key changed. Borrowed from `array`.
std::vector<std::string_view> split_json_array(std::string_view array);

enum class TailOutput : std::uint8_t { text, ndjson };

/// What becomes of a table that comes anew each time.
enum class TailTables : std::uint8_t { one_below_the_other, in_place };

/// What frames of a tail look like on a terminal or in a pipe: rows on `out`, all else on `err`.
class TailPrinter {
 public:
  /// `in_place`: `out` is a terminal.
  TailPrinter(TailOutput output, std::FILE* out, std::FILE* err, TailTables tables = TailTables::one_below_the_other)
      : output_(output), out_(out), err_(err), tables_(tables), table_(out) {}
  /// The last table stays.
  ~TailPrinter() { table_.keep(); }
  TailPrinter(const TailPrinter&) = delete;
  TailPrinter& operator=(const TailPrinter&) = delete;
  /// Errors: cancelled (the reader of `out` is gone); io_error (not what a tail sends).
  Status print(const ServerEvent& event);
  /// The `end` frame came; its reason.
  const std::string& end_reason() const { return end_reason_; }

 private:
  Status print_rows(std::string_view rows_json);
  Status draw_table(std::string_view data);
  void print_gap(std::string_view data);
  std::string line_of(std::string_view row) const;

  const TailOutput output_;
  std::FILE* const out_;
  std::FILE* const err_;
  const TailTables tables_;
  LiveTable table_;
  std::string end_reason_;
};

}  // namespace dendro
