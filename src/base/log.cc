#include "base/log.h"

#include <atomic>

namespace dendro {
namespace {
std::atomic<LogSink*> g_log_sink{nullptr};
}

void set_log_sink(LogSink* sink) {
  g_log_sink.store(sink, std::memory_order_release);
}

bool log_enabled(LogLevel level) {
  const LogSink* sink = g_log_sink.load(std::memory_order_acquire);
  return sink != nullptr && sink->enabled(level);
}

void log(LogLevel level, std::string_view part, std::string_view message, std::initializer_list<LogField> fields) {
  LogSink* sink = g_log_sink.load(std::memory_order_acquire);
  if (sink != nullptr && sink->enabled(level)) sink->write(level, part, message, fields);
}

}  // namespace dendro
