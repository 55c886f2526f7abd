#include "record/shape.h"

#include <algorithm>

namespace dendro {

const StreamLabel* Stream::find(std::string_view path) const {
  const auto row = std::lower_bound(labels.begin(), labels.end(), path,
                                    [](const StreamLabel& label, std::string_view p) { return label.path < p; });
  return row != labels.end() && row->path == path ? &*row : nullptr;
}

std::string to_stream_text(const Stream& stream) {
  std::string text = "{";
  std::string scratch;
  for (const StreamLabel& label : stream.labels) {
    if (text.size() > 1) text.push_back(',');
    text.append(label.path);
    text += "=\"";
    for (const char c : value_text(label.value, scratch)) {
      if (c == '"' || c == '\\') text.push_back('\\');
      text.push_back(c);
    }
    text.push_back('"');
  }
  text.push_back('}');
  return text;
}

}  // namespace dendro
