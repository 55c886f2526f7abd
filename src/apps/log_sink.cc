#include "apps/log_sink.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "base/clock.h"
#include "base/json_writer.h"

namespace dendro {
namespace {

constexpr std::string_view kLevelNames[] = {"debug", "info", "warning", "error"};

class StderrLogSink final : public LogSink {
 public:
  StderrLogSink(LogLevel level, bool json)
      : level_(level), json_(json), logger_("dendro", std::make_shared<spdlog::sinks::stderr_sink_mt>()) {
    logger_.set_pattern("%v");
    logger_.set_level(spdlog::level::trace);  // filtered here already
    logger_.flush_on(spdlog::level::trace);
  }

  bool enabled(LogLevel level) const override { return level >= level_; }

  void write(LogLevel level, std::string_view part, std::string_view message,
             std::initializer_list<LogField> fields) override {
    std::string line;
    const std::string_view name = kLevelNames[static_cast<std::size_t>(level)];
    const std::string time = to_rfc3339(SystemClock().now(), 6);
    if (json_) {
      JsonWriter json(line);
      json.begin_object();
      json.member("time", time);
      json.member("level", name);
      json.member("part", part);
      json.member("message", message);
      for (const LogField& field : fields) json.member(field.name, field.value);
      json.end_object();
    } else {
      line = time + " " + std::string(name) + " " + std::string(part) + ": " + std::string(message);
      for (const LogField& field : fields) {
        line += " " + std::string(field.name) + "=";
        append_json_string(line, field.value);
      }
    }
    logger_.info("{}", line);
  }

 private:
  const LogLevel level_;
  const bool json_;
  spdlog::logger logger_;
};

}  // namespace

std::unique_ptr<LogSink> make_stderr_log_sink(LogLevel level, bool json) {
  return std::make_unique<StderrLogSink>(level, json);
}

LogLevel parse_log_level(const std::string& word) {
  for (std::size_t i = 0; i < std::size(kLevelNames); ++i) {
    if (kLevelNames[i] == word) return static_cast<LogLevel>(i);
  }
  return LogLevel::info;
}

}  // namespace dendro
