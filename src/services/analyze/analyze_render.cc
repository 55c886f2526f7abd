#include "services/analyze/analyze_render.h"

#include <algorithm>
#include <string_view>

#include "base/json_writer.h"
#include "base/utf8.h"

namespace dendro {
namespace {

/// The text of a control character as it may reach a terminal.
std::string printable(std::string_view text) {
  std::string out;
  append_utf8_lossy(out, text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, '?');
  return out;
}

void write_details(JsonWriter& json, const AnalyzeReport& report) {
  json.key("details");
  json.begin_object();
  json.key("object");
  if (report.objects.size() == 1) {
    json.value(report.objects.front());
  } else {
    json.value(report.objects);
  }
  json.member("bytes", report.counted.bytes);
  json.member("lines", report.counted.lines);
  json.member("counted", report.counted.total);
  json.key("skipped");
  json.begin_object();
  for (std::size_t i = 0; i < kSkipReasonCount; ++i) {
    json.member(skip_reason_name(static_cast<SkipReason>(i)), report.counted.skipped_by_reason[i]);
  }
  json.end_object();
  json.end_object();
}

std::string render_compact(const AnalyzeReport& report, AnalyzeDetails details) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.member("total", report.counted.total);
  json.key("byService");
  json.begin_object();
  for (const auto& [service, count] : report.counted.by_service) json.member(service, count);
  json.end_object();
  json.member("alert", report.alert);
  if (details == AnalyzeDetails::shown) write_details(json, report);
  json.end_object();
  return out;
}

/// Spreads compact JSON over lines, two blanks a level; empty containers stay `{}` and `[]`.
std::string indent_json(std::string_view compact) {
  std::string out;
  std::size_t depth = 0;
  bool in_string = false;
  const auto new_line = [&] { out.append("\n").append(2 * depth, ' '); };
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[i];
    if (in_string) {
      out.push_back(c);
      if (c == '\\') out.push_back(compact[++i]);
      if (c == '"') in_string = false;
      continue;
    }
    const bool closes = c == '}' || c == ']';
    const bool empty = closes && (compact[i - 1] == '{' || compact[i - 1] == '[');
    if (closes) --depth;
    if (closes && !empty) new_line();
    out.push_back(c);
    if (c == '"') in_string = true;
    if (c == ':') out.push_back(' ');
    if (c == '{' || c == '[') {
      ++depth;
      if (compact[i + 1] != '}' && compact[i + 1] != ']') new_line();
    }
    if (c == ',') new_line();
  }
  return out + "\n";
}

std::string render_csv(const AnalyzeReport& report) {
  std::string out = "service,count\n";
  for (const auto& [service, count] : report.counted.by_service) {
    if (service.find_first_of(",\"\r\n") == std::string::npos) {
      out += service;
    } else {
      out.push_back('"');
      for (const char c : service) out.append(c == '"' ? 2 : 1, c);
      out.push_back('"');
    }
    out += "," + std::to_string(count) + "\n";
  }
  return out;
}

std::string render_table(const AnalyzeReport& report, AnalyzeColours colours) {
  const auto painted = [&](std::string_view code, const std::string& text) {
    return colours == AnalyzeColours::ansi ? "\033[" + std::string(code) + "m" + text + "\033[0m" : text;
  };
  constexpr std::string_view kServiceTitle = "SERVICE";
  constexpr std::string_view kCountTitle = "COUNT";
  std::size_t service_width = kServiceTitle.size();
  std::size_t count_width = std::max(kCountTitle.size(), std::to_string(report.counted.total).size());
  for (const auto& entry : report.counted.by_service) {
    service_width = std::max(service_width, count_code_points(printable(entry.first)));
  }
  const auto row = [&](const std::string& service, const std::string& count) {
    const std::size_t gap = service_width - count_code_points(service) + 2 + count_width - count.size();
    return service + std::string(gap, ' ') + count;
  };
  std::string out = painted("1", row(std::string(kServiceTitle), std::string(kCountTitle))) + "\n";
  for (const auto& [service, count] : report.counted.by_service)
    out += row(printable(service), std::to_string(count)) + "\n";
  out += painted("1", row("total", std::to_string(report.counted.total))) + "\n";
  const std::string alert = std::string("alert: ") + (report.alert ? "yes" : "no");
  return out + (report.alert ? painted("1;31", alert) : alert) + " (threshold " + std::to_string(report.threshold) +
         ")\n";
}

}  // namespace

std::string render_report(const AnalyzeReport& report, AnalyzeFormat format, AnalyzeDetails details,
                          AnalyzeColours colours) {
  switch (format) {
    case AnalyzeFormat::json:
      return indent_json(render_compact(report, details));
    case AnalyzeFormat::json_compact:
      return render_compact(report, details);
    case AnalyzeFormat::table:
      return render_table(report, colours);
    case AnalyzeFormat::csv:
      return render_csv(report);
  }
  return {};
}

std::string skipped_text(const CountResult& counted) {
  const std::uint64_t skipped = counted.skipped();
  if (skipped == 0) return {};
  std::string text = std::to_string(skipped) + (skipped == 1 ? " line skipped: " : " lines skipped: ");
  bool first = true;
  for (std::size_t i = 0; i < kSkipReasonCount; ++i) {
    if (counted.skipped_by_reason[i] == 0) continue;
    if (!first) text += ", ";
    first = false;
    text +=
        std::to_string(counted.skipped_by_reason[i]) + " " + std::string(skip_reason_text(static_cast<SkipReason>(i)));
  }
  return text;
}

}  // namespace dendro
