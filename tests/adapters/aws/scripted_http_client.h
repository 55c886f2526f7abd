#pragma once

#include <deque>
#include <string>
#include <vector>

#include "io/http_client.h"

namespace dendro {

/// Answers from a list, one after the other, then `otherwise`; keeps what it was asked. One thread.
class ScriptedHttpClient final : public HttpClient {
 public:
  Result<HttpClientReply> exchange(const HttpClientRequest& request, const HttpBodySink&) override {
    seen.push_back(request);
    if (answers.empty()) return otherwise;
    Result<HttpClientReply> answer = std::move(answers.front());
    answers.pop_front();
    return answer;
  }
  std::string header_of(std::size_t index, std::string_view name) const {
    for (const auto& [known, value] : seen.at(index).headers) {
      if (known == name) return value;
    }
    return "";
  }
  std::vector<std::string> dates() const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < seen.size(); ++i) all.push_back(header_of(i, "X-Amz-Date"));
    return all;
  }

  std::deque<Result<HttpClientReply>> answers;
  Result<HttpClientReply> otherwise = Error(ErrorCode::internal, "no answer is left");
  std::vector<HttpClientRequest> seen;
};

}  // namespace dendro
