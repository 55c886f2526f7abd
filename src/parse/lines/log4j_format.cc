// What frameworks of many languages write: a time, then in any order a level, a thread, a process and a logger, then
// the message. log4j, logback, log4j2, Python's logging, gunicorn, spdlog, env_logger, tracing, Spring Boot,
// Elasticsearch, MySQL, Android, and their like.
#include "parse/lines/line_cutter.h"
#include "parse/lines/line_format.h"
#include "record/severity.h"

namespace dendro {
namespace {

/// Tokens between the time and the message; those that are more were no header.
constexpr int kHeaderTokensMax = 8;

bool is_upper_case(std::string_view word) {
  for (const char c : word) {
    if (c < 'A' || c > 'Z') return false;
  }
  return !word.empty();
}
bool is_number_word(std::string_view word) {
  return !word.empty() && word.find_first_not_of("0123456789") == std::string_view::npos;
}
bool is_header_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_logger_name(std::string_view word) {
  if (word.empty() || word.front() == '-' || (word.front() >= '0' && word.front() <= '9')) return false;
  for (const char c : word) {
    const bool is_name_char = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                              std::string_view("_.$/-@#:<>").find(c) != std::string_view::npos;
    if (!is_name_char) return false;
  }
  return true;
}
std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_header_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_header_blank(text.back())) text.remove_suffix(1);
  return text;
}

/// What stands between the time and the message.
class HeaderScan {
 public:
  explicit HeaderScan(std::string_view rest) : line_(rest) {}

  /// False: there is no level, so it is no such line.
  bool read() {
    for (int i = 0; i < kHeaderTokensMax && !is_over_; ++i) {
      skip_separators();
      if (is_over_) break;
      const bool took = line_.rest().starts_with('[') ? take_brackets() : take_word();
      if (!took) break;
    }
    return !level_.empty();
  }

  /// `LEVEL logger]`, `: LEVEL/process]`, of which the bracket was opened before the time.
  bool read_in_bracket() {
    const std::size_t close = line_.rest().find(']');
    if (close == std::string_view::npos) return false;
    std::string_view inner = line_.rest().substr(0, close);
    while (!inner.empty() && (is_header_blank(inner.front()) || inner.front() == ':')) inner.remove_prefix(1);
    const std::string_view word = inner.substr(0, inner.find_first_of(" \t/"));
    if (!is_upper_case(word) || !severity_of_word(word)) return false;
    level_ = word;
    inner.remove_prefix(word.size());
    if (inner.starts_with('/')) {
      thread_ = inner.substr(1);
    } else {
      logger_ = trimmed(inner);
    }
    line_.skip(close + 1);
    return true;
  }

  void add_to(LineFields& fields) {
    fields.add("severity", Value::of_text(level_));
    if (!process_.empty()) fields.add_number("process.pid", process_);
    if (!thread_id_.empty()) fields.add_number("thread.id", thread_id_);
    if (!thread_.empty()) fields.add_text("thread.name", thread_);
    if (!logger_.empty()) fields.add_text("log.logger", logger_);
    line_.skip_blanks();
    fields.add_text("body", line_.rest());
  }

 private:
  /// Of `-`, `--`, `---`, `|`, `:`, `,` between blanks or brackets. Behind the level a message begins there, but for
  /// `|` and what Spring Boot writes.
  void skip_separators() {
    for (;;) {
      line_.skip_blanks();
      const std::string_view rest = line_.rest();
      std::size_t size = 0;
      while (size < rest.size() && size < 3 && rest[size] == '-') ++size;
      if (size == 0 && !rest.empty() && (rest[0] == '|' || rest[0] == ':' || rest[0] == ',')) size = 1;
      if (size == 0) return;
      const bool is_alone = size == rest.size() || is_header_blank(rest[size]) || rest[size] == '[';
      if (!is_alone) return;
      const char mark = rest[0];
      line_.skip(size);
      if (level_.empty() || mark == '|' || size == 3) continue;
      is_over_ = true;
      return;
    }
  }

  /// `[..]`, perhaps with such a pair inside.
  bool take_brackets() {
    const std::string_view rest = line_.rest();
    int depth = 0;
    std::size_t at = 0;
    for (; at < rest.size(); ++at) {
      if (rest[at] == '[') ++depth;
      if (rest[at] == ']' && --depth == 0) break;
    }
    if (at == rest.size()) return false;
    const std::string_view inner = trimmed(rest.substr(1, at - 1));
    if (level_.empty() && severity_of_word(inner)) {
      level_ = inner;
    } else if (is_number_word(inner) && process_.empty()) {
      process_ = inner;
    } else if (inner.find('.') != std::string_view::npos && is_logger_name(inner) && logger_.empty()) {
      logger_ = inner;
    } else if (thread_.empty()) {
      thread_ = inner;
    } else {
      return false;  // of the message
    }
    line_.skip(at + 1);
    return true;
  }

  bool take_word() {
    const std::string_view rest = line_.rest();
    std::size_t size = 0;
    while (size < rest.size() && !is_header_blank(rest[size]) && rest[size] != '[' && rest[size] != ',' &&
           rest[size] != '|')
      ++size;
    std::string_view word = rest.substr(0, size);
    const bool has_colon = word.ends_with(':');
    if (has_colon) word.remove_suffix(1);
    if (word.empty()) return false;
    if (!level_.empty()) return take_behind_level(word, size, has_colon);
    if (take_level(word, rest.substr(size), has_colon)) {
      line_.skip(size);
      is_over_ = is_over_ || has_colon;
      return true;
    }
    if (is_number_word(word) && !has_colon && thread_id_.empty()) {
      (process_.empty() ? process_ : thread_id_) = word;
    } else if (is_logger_name(word) && logger_.empty() && !has_colon && dash_follows(rest.substr(size))) {
      logger_ = word;
    } else {
      return false;  // words of a message, and no level so far
    }
    line_.skip(size);
    return true;
  }

  /// A level in capitals is one; in other letters only where it does not read as a sentence.
  bool take_level(std::string_view word, std::string_view behind, bool has_colon) {
    if (word.size() == 1 && !process_.empty() && !thread_id_.empty()) return take_android_level(word);
    if (!severity_of_word(word)) return false;
    const bool stands_apart = has_colon || behind.starts_with(',') || behind.starts_with('|') ||
                              behind.starts_with("  ") || dash_follows(behind);
    if (!is_upper_case(word) && !stands_apart) return false;
    level_ = word;
    return true;
  }

  bool take_android_level(std::string_view letter) {
    constexpr std::string_view kLetters = "VDIWEFA";
    constexpr std::string_view kWords[] = {"trace", "debug", "info", "warn", "error", "fatal", "fatal"};
    const std::size_t index = kLetters.find(letter[0]);
    const std::size_t colon = line_.rest().find(": ", 2);
    if (index == std::string_view::npos || colon == std::string_view::npos) return false;
    level_ = kWords[index];
    logger_ = trimmed(line_.rest().substr(1, colon - 1));
    line_.skip(colon + 1);  // of which the caller takes one more: the letter's
    is_over_ = true;
    return true;
  }

  /// A process or a logger in front of the message, or the message.
  bool take_behind_level(std::string_view word, std::size_t size, bool has_colon) {
    const std::string_view behind = line_.rest().substr(size);
    if (is_number_word(word) && !has_colon && process_.empty() && trimmed(behind).starts_with("---")) {
      process_ = word;
      line_.skip(size);
      return true;
    }
    if (!logger_.empty() || !is_logger_name(word)) return false;
    const bool is_column = is_upper_case(word) && word.size() <= 8 && behind.starts_with("  ");
    if (!has_colon && !is_column && !dash_follows(behind) && !colon_follows(behind)) return false;
    logger_ = word;
    line_.skip(size);
    if (has_colon || is_column) is_over_ = true;
    return true;
  }

  static bool dash_follows(std::string_view behind) { return behind.starts_with(" - "); }
  static bool colon_follows(std::string_view behind) {
    const std::string_view rest = trimmed(behind);
    return behind.size() > rest.size() && rest.starts_with(": ");
  }

  LineCutter line_;
  bool is_over_ = false;  ///< the message begins here
  std::string_view level_, thread_, logger_, process_, thread_id_;
};

class Log4jFormat final : public LineFormat {
 public:
  explicit Log4jFormat(const LineTimeDefaults& times) : times_(times) {}
  ParseFormat format() const override { return ParseFormat::log4j; }
  LineRole role() const override { return LineRole::opens; }
  double specificity() const override { return 0.8; }

  bool decode(std::string_view line, LineFields& fields) override {
    fields.clear();
    LineCutter cutter(line);
    const bool opens_bracket = cutter.take("[");
    const std::optional<LineTime> time = times_.read(cutter.rest());
    if (!time) return !opens_bracket && decode_without_time(line, fields);
    cutter.skip(time->size);
    const bool is_in_bracket = opens_bracket && !cutter.take("]");
    HeaderScan header(cutter.rest());
    if (!(is_in_bracket ? header.read_in_bracket() : header.read())) return false;
    fields.add_time(*time);
    header.add_to(fields);
    return true;
  }

 private:
  /// `ERROR:package.module:message`, as Python's logging writes unless told otherwise.
  static bool decode_without_time(std::string_view line, LineFields& fields) {
    LineCutter cutter(line);
    const std::string_view level = cutter.take_until(':');
    if (!is_upper_case(level) || !severity_of_word(level)) return false;
    const std::string_view logger = cutter.take_until(':');
    if (!is_logger_name(logger) || cutter.rest().empty()) return false;
    fields.add_text("severity", level);
    fields.add_text("log.logger", logger);
    fields.add_text("body", cutter.rest());
    return true;
  }

  LineTimeReader times_;
};

}  // namespace

std::unique_ptr<LineFormat> make_log4j_format(const LineTimeDefaults& times) {
  return std::make_unique<Log4jFormat>(times);
}

}  // namespace dendro
