#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/translate/logql_text.h"

namespace dendro {

/// What a LogQL selector and the stages behind it become.
struct LogqlPipeline {
  std::string query;                     ///< a filter and pipes, never empty
  bool makes_labels = false;             ///< a parser or a format set labels that a series has, too
  std::string unwrapped;                 ///< the field that holds the numbers; empty: none
  std::optional<std::int64_t> range_ns;  ///< `[5m]`
};

/// `{a="b"} |= "x" | json | a > 5s [5m]`. One use. Not thread-safe.
class LogqlStages {
 public:
  enum class Use : std::uint8_t { records, samples };  ///< samples: `[5m]` and `unwrap` may stand there
  /// `text` stands at the selector; both outlive this.
  LogqlStages(LogqlText& text, std::vector<std::string>& warnings, Use use)
      : text_(text), warnings_(warnings), use_(use) {}

  /// Up to the end, or of samples up to what can be no stage. Errors: invalid_argument.
  Result<LogqlPipeline> run();

 private:
  Result<std::string> take_selector();
  Status take_range();
  Status take_stage();
  Status take_line_filter(std::string_view kind, bool is_negated);
  Status take_parser(const std::string& format);
  Status take_pattern();
  Status take_regexp();
  Status take_names(const std::string& pipe, const std::string& behind);
  Status take_line_format();
  Status take_label_format();
  Status take_unwrap();
  Result<std::string> take_label_or();
  Result<std::string> take_label_and();
  Result<std::string> take_label_filter();
  Result<std::string> take_comparison(const std::string& field, const std::string& op);
  void pipe(const std::string& text);
  Result<std::string> template_text(const std::string& text) const;

  LogqlText& text_;
  std::vector<std::string>& warnings_;
  const Use use_;
  LogqlPipeline out_;
  int depth_ = 0;
  bool has_piped_ = false;  ///< line filters are pipes from now on
};

}  // namespace dendro
