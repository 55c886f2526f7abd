#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace dendro {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

/// One name and its text in a line of dendro's own log. Never a secret, never a record's body.
struct LogField {
  std::string_view name;
  std::string value;
};

/// Receives dendro's own log lines. Thread-safe. The sink of the product stands in `src/apps`.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual bool enabled(LogLevel level) const = 0;
  virtual void write(LogLevel level, std::string_view part, std::string_view message,
                     std::initializer_list<LogField> fields) = 0;
};

/// Sets where own log lines go; null (the default) drops them. The sink must outlive all threads that log. Call before
/// they start.
void set_log_sink(LogSink* sink);
bool log_enabled(LogLevel level);

/// `part` is the layer that speaks ("storage"), `message` a fixed text; what varies goes into `fields`.
void log(LogLevel level, std::string_view part, std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace dendro
