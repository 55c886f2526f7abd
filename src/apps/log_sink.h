#pragma once

#include <memory>
#include <string>

#include "base/log.h"

namespace dendro {

/// Own log lines on stderr, one each, synchronous: JSON {"time","level","part","message",..}, or text for people.
std::unique_ptr<LogSink> make_stderr_log_sink(LogLevel level, bool json);
LogLevel parse_log_level(const std::string& word);  ///< "debug" .. "error"; info for another word

}  // namespace dendro
