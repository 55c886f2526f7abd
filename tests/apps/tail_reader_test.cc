#include "apps/tail_reader.h"

#include <gtest/gtest.h>

#include <deque>

namespace dendro {
namespace {

/// Answers from a script and keeps what it was asked.
class ScriptedClient final : public HttpClient {
 public:
  struct Answer {
    int status = 200;
    std::string body;
    std::optional<Error> error;  ///< behind the body
  };
  Result<HttpClientReply> exchange(const HttpClientRequest& request, const HttpBodySink& sink) override {
    std::string& last_id = last_ids.emplace_back();
    for (const auto& [name, value] : request.headers) {
      if (name == "Last-Event-ID") last_id = value;
    }
    Answer answer{503, {}, {}};
    if (!answers.empty()) {
      answer = std::move(answers.front());
      answers.pop_front();
    }
    HttpClientReply reply;
    reply.status = answer.status;
    if (answer.status == 200) {
      DENDRO_TRY(sink(answer.body));
    } else {
      reply.body = answer.body;
    }
    if (answer.error) return *answer.error;
    return reply;
  }
  std::deque<Answer> answers;
  std::vector<std::string> last_ids;  ///< one a request
};

struct TailReaderFixture : testing::Test {
  TailOutcome follow(int waits_max) {
    std::FILE* nowhere = std::fopen("/dev/null", "w");
    TailPrinter printer(TailOutput::ndjson, nowhere, nowhere);
    const auto wait = [&](std::chrono::milliseconds span) {
      waits.push_back(span.count());
      return static_cast<int>(waits.size()) < waits_max;
    };
    const TailOutcome outcome = follow_tail(client, {"http://x", "", "a b", "3", {}}, printer, nowhere, wait);
    std::fclose(nowhere);
    return outcome;
  }
  static std::string rows(const char* id) {
    return "event: rows\nid: " + std::string(id) + "\ndata: {\"rows\":[{\"n\":1}]}\n\n";
  }
  const Error broken{ErrorCode::io_error, "cut"};
  ScriptedClient client;
  std::vector<std::int64_t> waits;
};

TEST_F(TailReaderFixture, GoesOnBehindTheLastFrameAndWaitsLongerEachTime) {
  client.answers = {{200, rows("5") + rows("7") + "event: rows\nid: 9\n", broken},
                    {503, "", {}},
                    {503, "", {}},
                    {200, rows("8"), broken}};
  EXPECT_EQ(follow(4).exit_code, 0);
  EXPECT_EQ(client.last_ids, (std::vector<std::string>{"3", "7", "7", "7"}));
  EXPECT_EQ(waits, (std::vector<std::int64_t>{500, 1000, 2000, 500}));
}

TEST_F(TailReaderFixture, EndsWhereThereIsNoPoint) {
  client.answers = {{400, R"({"detail":"line 1"})", {}}};
  TailOutcome outcome = follow(4);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_NE(outcome.failure.find("line 1"), std::string::npos);
  client.answers = {{200, "", Error(ErrorCode::unavailable, "refused")}};
  EXPECT_EQ(follow(4).exit_code, 1) << "there never was a server";
  client.answers = {{200, rows("5") + "event: end\ndata: {\"reason\":\"limit\"}\n\n", {}}};
  EXPECT_EQ(follow(4).exit_code, 0);
  client.answers = {{200, rows("5") + "event: end\ndata: {\"reason\":\"signed_out\"}\n\n", {}}};
  EXPECT_EQ(follow(4).exit_code, 1);
  EXPECT_TRUE(waits.empty());
}

}  // namespace
}  // namespace dendro
