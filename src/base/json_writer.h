#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace dendro {

/// Appends `text` as a JSON string with quotes. `"` `\` and controls are escaped, the rest is copied: `text` should be
/// UTF-8; ill-formed parts become U+FFFD, so that the output is always valid JSON.
void append_json_string(std::string& out, std::string_view text);
/// Shortest text that reads back as the same double, an integer without ".0"; null for NaN and infinities (JSON has
/// none).
void append_json_double(std::string& out, double number);
void append_json_int(std::string& out, std::int64_t number);
void append_json_uint(std::string& out, std::uint64_t number);

/// Compact JSON into a caller's string, commas placed by itself: `w.begin_object(); w.key("a"); w.value(1);
/// w.end_object();`. Borrows `out`. Nesting is the caller's to balance. Not thread-safe.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  void key(std::string_view name) {
    separate();
    append_json_string(out_, name);
    out_.push_back(':');
    needs_comma_ = false;
  }
  void value(std::string_view text) {
    separate();
    append_json_string(out_, text);
    needs_comma_ = true;
  }
  void value(const char* text) { value(std::string_view(text)); }
  void value(const std::string& text) { value(std::string_view(text)); }
  void value(bool truth) { raw(truth ? "true" : "false"); }
  void value(double number) {
    separate();
    append_json_double(out_, number);
    needs_comma_ = true;
  }
  template <std::signed_integral Number>
  void value(Number number) {
    separate();
    append_json_int(out_, number);
    needs_comma_ = true;
  }
  template <std::unsigned_integral Number>
    requires(!std::same_as<Number, bool>)
  void value(Number number) {
    separate();
    append_json_uint(out_, number);
    needs_comma_ = true;
  }
  void null() { raw("null"); }
  /// Inserts text that is one JSON value already.
  void raw(std::string_view json) {
    separate();
    out_.append(json);
    needs_comma_ = true;
  }
  void value(const std::vector<std::string>& texts) {
    begin_array();
    for (const std::string& text : texts) value(text);
    end_array();
  }
  template <typename T>
  void member(std::string_view name, const T& member_value) {
    key(name);
    value(member_value);
  }

 private:
  void separate() {
    if (needs_comma_) out_.push_back(',');
  }
  void open(char bracket) {
    separate();
    out_.push_back(bracket);
    needs_comma_ = false;
  }
  void close(char bracket) {
    out_.push_back(bracket);
    needs_comma_ = true;
  }
  std::string& out_;
  bool needs_comma_ = false;
};

}  // namespace dendro
