// The suite against S3 servers that the environment names (tests/system/s3_test.py starts one), and by a script what
// those never do.
#include "adapters/aws/s3_object_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "adapters/http/curl_http_client.h"
#include "tests/adapters/aws/scripted_http_client.h"
#include "tests/conformance/object_store_suite.h"

namespace dendro {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string test_variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// A bucket of its own on a server that DENDRO_TEST_MOTO or DENDRO_TEST_VERSITYGW names.
class S3UnderTest final : public StoreUnderTest {
 public:
  S3UnderTest(const std::string& url, AwsCredentials keys)
      : keys_(std::move(keys)), client_({*http_, clock_, random_, &keys_}) {
    settings_.region = "us-east-1";
    settings_.endpoint_override = [url](std::string_view) { return url; };
    S3Options options;
    options.page_objects_max = 3;
    options.range_bytes = 5;
    store_ = make_s3_object_store(client_, settings_, options);
    bucket_ = "dendro-" + lower_base36();
    AwsCall create;
    create.scope = {"us-east-1", "s3"};
    create.endpoint = *parse_aws_endpoint(url);
    create.method = "PUT";
    create.path = "/" + bucket_;
    EXPECT_TRUE(client_.call_or_error(create).has_value());
  }
  ObjectStore& store() override { return *store_; }
  std::string bucket() const override { return bucket_; }
  std::string missing_bucket() const override { return bucket_ + "-missing"; }
  AwsClient& client() { return client_; }
  const AwsSettings& settings() { return settings_; }

 private:
  std::string lower_base36() {
    std::string text = random_base62(random_, 16);
    for (char& c : text) c = static_cast<char>(std::tolower(c));
    return text;
  }
  std::unique_ptr<HttpClient> http_ = make_curl_http_client();
  SystemClock clock_;
  SystemRandom random_;
  FixedCredentials keys_;
  AwsSettings settings_;
  AwsClient client_;
  std::unique_ptr<ObjectStore> store_;
  std::string bucket_;
};

/// Null where the environment names no such server.
std::unique_ptr<S3UnderTest> make_moto_under_test() {
  const std::string url = test_variable("DENDRO_TEST_MOTO");
  if (url.empty()) return nullptr;
  const std::string key = test_variable("DENDRO_TEST_MOTO_ACCESS_KEY"),
                    secret = test_variable("DENDRO_TEST_MOTO_SECRET_KEY");
  return std::make_unique<S3UnderTest>(
      url, AwsCredentials{key.empty() ? "test" : key, secret.empty() ? "test" : secret, "", {}});
}
/// DENDRO_TEST_VERSITYGW: http://127.0.0.1:PORT; its root key beside it, "k" and "s" as deploy.md 10.6 has them.
std::unique_ptr<S3UnderTest> make_versitygw_under_test() {
  const std::string url = test_variable("DENDRO_TEST_VERSITYGW");
  if (url.empty()) return nullptr;
  const std::string key = test_variable("DENDRO_TEST_VERSITYGW_ACCESS_KEY");
  const std::string secret = test_variable("DENDRO_TEST_VERSITYGW_SECRET_KEY");
  return std::make_unique<S3UnderTest>(url,
                                       AwsCredentials{key.empty() ? "k" : key, secret.empty() ? "s" : secret, "", {}});
}
std::unique_ptr<StoreUnderTest> make_moto() {
  return make_moto_under_test();
}
std::unique_ptr<StoreUnderTest> make_versitygw() {
  return make_versitygw_under_test();
}

INSTANTIATE_TEST_SUITE_P(Moto, ObjectStoreSuite, testing::Values(&make_moto));
INSTANTIATE_TEST_SUITE_P(Versitygw, ObjectStoreSuite, testing::Values(&make_versitygw));

using MakeS3UnderTest = std::unique_ptr<S3UnderTest> (*)();

/// What of S3 goes beyond the suite, on real servers.
class S3Servers : public testing::TestWithParam<MakeS3UnderTest> {
 protected:
  void SetUp() override {
    subject_ = GetParam()();
    if (subject_ == nullptr) GTEST_SKIP() << "no such server: its variable DENDRO_TEST_... is not set";
  }
  Result<std::string> get(ObjectStore& store, const std::string& key) {
    DENDRO_TRY_ASSIGN(const auto source, store.get(subject_->bucket(), key, std::nullopt));
    return read_front(*source, std::size_t{1} << 25);
  }
  std::unique_ptr<S3UnderTest> subject_;
};

TEST_P(S3Servers, KeysMayHoldWhatUrlsHoldOtherwise) {
  std::vector<std::string> keys = {"a b+c%41&=?#;:@$,!'()*~", "\xC3\xA4\xE2\x82\xAC/\xF0\x9F\x98\x80", "x=1/y%2Fz",
                                   "<&>\"'"};
  std::sort(keys.begin(), keys.end());
  for (const std::string& key : keys) {
    const Status put = subject_->store().put(subject_->bucket(), key, key);
    ASSERT_TRUE(put.has_value()) << put.error().message();
  }
  std::vector<std::string> listed;
  std::optional<std::string> token;
  do {
    const auto page = subject_->store().list(subject_->bucket(), "", token);
    ASSERT_TRUE(page.has_value()) << page.error().message();
    for (const ObjectInfo& object : page->objects) listed.push_back(object.key);
    token = page->continuation_token;
  } while (token);
  EXPECT_EQ(listed, keys);
  for (const std::string& key : keys) EXPECT_EQ(*get(subject_->store(), key), key);
}

TEST_P(S3Servers, LargeObjectsAreSentInParts) {
  S3Options options;
  options.put_bytes_max = std::size_t{6} << 20;
  options.part_bytes_min = std::size_t{5} << 20;
  const auto store = make_s3_object_store(subject_->client(), subject_->settings(), options);
  std::string bytes((std::size_t{11} << 20) + 17, 'x');
  for (std::size_t i = 0; i < bytes.size(); i += 4'096) bytes[i] = static_cast<char>('a' + i / 4'096 % 26);
  const Status put = store->put(subject_->bucket(), "large", bytes);
  ASSERT_TRUE(put.has_value()) << put.error().message();
  const auto page = store->list(subject_->bucket(), "large", std::nullopt);
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].size_bytes, bytes.size());
  EXPECT_THAT(page->objects[0].etag, testing::EndsWith("-3"));  // of three parts
  EXPECT_TRUE(*get(*store, "large") == bytes);
}

TEST_P(S3Servers, AnObjectThatChangesWhileItIsReadIsAnError) {
  ASSERT_TRUE(subject_->store().put(subject_->bucket(), "k", "0123456789").has_value());
  const auto source = subject_->store().get(subject_->bucket(), "k", std::nullopt);
  ASSERT_TRUE(source.has_value());
  std::string piece(5, '\0');
  EXPECT_EQ(*(*source)->read(piece), 5u);
  ASSERT_TRUE(subject_->store().put(subject_->bucket(), "k", "9876543210").has_value());
  const auto rest = (*source)->read(piece);
  ASSERT_FALSE(rest.has_value());
  EXPECT_EQ(rest.error().code(), ErrorCode::already_exists);
  EXPECT_THAT(rest.error().message(), HasSubstr("PreconditionFailed: "));
}

INSTANTIATE_TEST_SUITE_P(Moto, S3Servers, testing::Values(&make_moto_under_test));
INSTANTIATE_TEST_SUITE_P(Versitygw, S3Servers, testing::Values(&make_versitygw_under_test));

class S3ObjectStoreTest : public testing::Test {
 protected:
  S3ObjectStoreTest() {
    client_options_.attempts_max = 1;
    settings_.region = "us-east-1";
  }
  ObjectStore& store() {
    if (store_ == nullptr) {
      client_ = std::make_unique<AwsClient>(AwsClient::Parts{http_, clock_, random_, &keys_}, client_options_);
      store_ = make_s3_object_store(*client_, settings_, options_);
    }
    return *store_;
  }
  void answer(int status, std::string body, std::vector<std::pair<std::string, std::string>> headers = {}) {
    http_.answers.push_back(HttpClientReply{status, std::move(headers), std::move(body)});
  }
  void answer_range(const std::string& range, const std::string& body) {
    answer(206, body, {{"content-range", "bytes " + range}, {"etag", "\"e1\""}});
  }
  std::vector<std::string> urls() {
    std::vector<std::string> all;
    for (const HttpClientRequest& request : http_.seen) all.push_back(request.method + " " + request.url);
    return all;
  }
  /// All of it, or the error.
  std::string read_all(const std::optional<std::string>& etag = std::nullopt) {
    auto source = store().get("bucket", "k", etag);
    if (!source) return "error: " + source.error().message();
    const auto text = read_front(**source, 1'000);
    return text ? *text : "error: " + text.error().message();
  }

  ManualClock clock_{*parse_rfc3339("2026-01-01T00:00:00Z")};
  SystemRandom random_;
  ScriptedHttpClient http_;
  FixedCredentials keys_{AwsCredentials{"K", "S", "", {}}};
  AwsClientOptions client_options_;
  AwsSettings settings_;
  S3Options options_;
  std::unique_ptr<AwsClient> client_;
  std::unique_ptr<ObjectStore> store_;
};

TEST_F(S3ObjectStoreTest, ReadsInRangesPinnedToTheFirst) {
  options_.range_bytes = 4;
  answer_range("0-3/10", "0123");
  answer_range("4-7/10", "4567");
  answer_range("8-9/10", "89");
  EXPECT_EQ(read_all(), "0123456789");
  EXPECT_EQ(http_.header_of(0, "Range"), "bytes=0-3");
  EXPECT_EQ(http_.header_of(0, "If-Match"), "");
  EXPECT_EQ(http_.header_of(2, "Range"), "bytes=8-11");
  EXPECT_EQ(http_.header_of(2, "If-Match"), "\"e1\"");
}

TEST_F(S3ObjectStoreTest, AnEmptyObjectAndAServerWithoutRangesAreRead) {
  answer(416, "<Error><Code>InvalidRange</Code></Error>");
  EXPECT_EQ(read_all("e"), "");
  EXPECT_EQ(http_.header_of(0, "If-Match"), "\"e\"");
  answer(200, "all of it", {{"etag", "\"e\""}});
  EXPECT_EQ(read_all(), "all of it");
}

TEST_F(S3ObjectStoreTest, ARangeThatIsNotTheOneAskedForIsAnErrorNotHalfAnObject) {
  options_.range_bytes = 4;
  const std::pair<const char*, const char*> first[] = {
      {"4-7/10", "4567"}, {"0-3/x", "0123"}, {"0-3/10", "012"}, {"0-3", "0123"}};
  for (const auto& [range, body] : first) {
    answer_range(range, body);
    EXPECT_THAT(read_all(), HasSubstr("error: IncompleteBody: ")) << range << body;
  }
  answer_range("0-3/10", "0123");
  answer_range("4-7/11", "4567");
  EXPECT_THAT(read_all(), HasSubstr("its size changed"));
  answer_range("0-3/10", "0123");
  answer(200, "0123456789");
  EXPECT_THAT(read_all(), HasSubstr("all of it came"));
  answer_range("0-3/10", "0123");
  http_.answers.push_back(Error(ErrorCode::io_error, "cut"));
  EXPECT_EQ(read_all(), "error: cut");
}

TEST_F(S3ObjectStoreTest, AFailedSourceStaysFailed) {
  options_.range_bytes = 4;
  answer_range("0-3/10", "0123");
  answer(500, "<Error><Code>InternalError</Code></Error>");
  auto source = store().get("bucket", "k", std::nullopt);
  ASSERT_TRUE(source.has_value());
  std::string piece(16, '\0');
  EXPECT_EQ(*(*source)->read(piece), 4u);
  EXPECT_FALSE((*source)->read(piece).has_value());
  EXPECT_FALSE((*source)->read(piece).has_value());
  EXPECT_EQ(http_.seen.size(), 2u);
}

TEST_F(S3ObjectStoreTest, AddressesBucketsAsTheirNamesAllow) {
  const auto url_of = [&](const std::string& bucket) {
    http_.seen.clear();
    http_.otherwise = HttpClientReply{200, {}, ""};
    EXPECT_TRUE(store().put(bucket, "a b", "x").has_value());
    return urls().at(0);
  };
  EXPECT_EQ(url_of("logs"), "PUT https://logs.s3.us-east-1.amazonaws.com/a%20b");
  EXPECT_EQ(url_of("my.logs"), "PUT https://s3.us-east-1.amazonaws.com/my.logs/a%20b");
  store_.reset();
  settings_.s3_addressing = "path";
  EXPECT_EQ(url_of("logs"), "PUT https://s3.us-east-1.amazonaws.com/logs/a%20b");
  settings_.s3_addressing.clear();
  settings_.endpoint_override = [](std::string_view) { return "http://localhost:9000"; };
  EXPECT_EQ(url_of("logs"), "PUT http://localhost:9000/logs/a%20b");
  options_.addressing = S3Options::Addressing::virtual_host;
  store_.reset();
  EXPECT_EQ(url_of("logs"), "PUT http://logs.localhost:9000/a%20b");
}

TEST_F(S3ObjectStoreTest, BucketNamesCannotChangeTheAddress) {
  for (const std::string bucket : {"", ".", "..", "a/b", "a@b.c", "a?b", "a#b", "a b", "a:1", "a\r\nb"}) {
    const auto page = store().list(bucket, "", std::nullopt);
    ASSERT_FALSE(page.has_value()) << bucket;
    EXPECT_EQ(page.error().code(), ErrorCode::not_found);
  }
  EXPECT_EQ(store().get("b", "", std::nullopt).error().code(), ErrorCode::invalid_argument);
  EXPECT_EQ(store().put("b", std::string(1'025, 'k'), "").error().code(), ErrorCode::invalid_argument);
  EXPECT_TRUE(http_.seen.empty());
}

TEST_F(S3ObjectStoreTest, FollowsABucketToItsRegionOnce) {
  const std::string empty = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
  answer(301, "<Error><Code>PermanentRedirect</Code></Error>", {{"x-amz-bucket-region", "eu-west-1"}});
  answer(200, empty);
  answer(200, empty);
  EXPECT_TRUE(store().list("logs", "", std::nullopt).has_value());
  EXPECT_TRUE(store().list("logs", "", std::nullopt).has_value());
  ASSERT_EQ(http_.seen.size(), 3u);
  EXPECT_THAT(urls()[1], HasSubstr("https://logs.s3.eu-west-1.amazonaws.com/?"));
  EXPECT_THAT(urls()[2], HasSubstr("https://logs.s3.eu-west-1.amazonaws.com/?"));
  EXPECT_THAT(http_.header_of(1, "Authorization"), HasSubstr("/eu-west-1/s3/"));
  // The body names it as well; a name that is none is not followed.
  answer(400, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>ap-south-1</Region></Error>");
  answer(200, empty);
  EXPECT_TRUE(store().list("other", "", std::nullopt).has_value());
  answer(400, "<Error><Code>AuthorizationHeaderMalformed</Code><Region>evil.example.org/</Region></Error>");
  EXPECT_FALSE(store().list("third", "", std::nullopt).has_value());
}

TEST_F(S3ObjectStoreTest, AListingThatIsNoneIsAnErrorNotAnEmptyOne) {
  for (const char* body :
       {"", "{}", "<html/>", "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key></Contents></ListBucketResult>",
        "<ListBucketResult><Contents><Key>k</Key><Size>x</Size><LastModified>2026-01-01T00:00:00Z</LastModified>"
        "</Contents></ListBucketResult>"}) {
    answer(200, body);
    const auto page = store().list("logs", "", std::nullopt);
    ASSERT_FALSE(page.has_value()) << body;
    EXPECT_EQ(page.error().code(), ErrorCode::io_error) << body;
  }
}

TEST_F(S3ObjectStoreTest, AsksForEncodedKeysAndDecodesThem) {
  answer(
      200,
      "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated><NextContinuationToken>t="
      "</NextContinuationToken><Contents><Key>a+b%2Bc/%01</Key><Size>7</Size><ETag>&quot;e&quot;</ETag><LastModified>"
      "2026-01-01T00:00:00.000Z</LastModified><StorageClass>GLACIER</StorageClass></Contents></ListBucketResult>");
  const auto page = store().list("logs", "p q", std::nullopt);
  ASSERT_TRUE(page.has_value()) << page.error().message();
  ASSERT_EQ(page->objects.size(), 1u);
  EXPECT_EQ(page->objects[0].key, "a b+c/\x01");
  EXPECT_EQ(page->objects[0].etag, "e");
  EXPECT_EQ(page->objects[0].size_bytes, 7u);
  EXPECT_EQ(page->objects[0].storage_class, "GLACIER");
  EXPECT_EQ(page->continuation_token, "t=");
  EXPECT_THAT(urls()[0], HasSubstr("encoding-type=url&list-type=2&max-keys=1000&prefix=p%20q"));
}

class S3Parts : public S3ObjectStoreTest {
 protected:
  S3Parts() {
    options_.put_bytes_max = 8;
    options_.part_bytes_min = 5;
    answer(200, "<InitiateMultipartUploadResult><UploadId>u/1</UploadId></InitiateMultipartUploadResult>");
  }
  Status put() { return store().put("logs", "k", "0123456789ab"); }
};

TEST_F(S3Parts, AreSentInOrderAndCompleted) {
  for (const char* etag : {"\"1\"", "\"2\"", "\"3\""}) answer(200, "", {{"etag", etag}});
  answer(200, "<CompleteMultipartUploadResult/>");
  EXPECT_TRUE(put().has_value());
  ASSERT_EQ(http_.seen.size(), 5u);
  EXPECT_EQ(http_.seen[2].body, "56789");
  EXPECT_EQ(http_.seen[3].body, "ab");
  EXPECT_THAT(urls()[3], HasSubstr("?partNumber=3&uploadId=u%2F1"));
  EXPECT_THAT(http_.seen[4].body, HasSubstr("<Part><PartNumber>3</PartNumber><ETag>\"3\"</ETag></Part>"));
}

TEST_F(S3Parts, AreTakenBackWhenOneFails) {
  answer(200, "", {{"etag", "\"1\""}});
  answer(403, "<Error><Code>AccessDenied</Code></Error>");
  answer(204, "");
  const Status failed = put();
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code(), ErrorCode::permission_denied);
  EXPECT_EQ(urls().back(), "DELETE https://logs.s3.us-east-1.amazonaws.com/k?uploadId=u%2F1");
}

TEST_F(S3Parts, ACompletionThatFailsBehind200IsAFailure) {
  for (const char* body : {"<Error><Code>InternalError</Code><Message>x</Message></Error>", "  ", "<Comp"}) {
    if (http_.answers.empty()) {
      answer(200, "<InitiateMultipartUploadResult><UploadId>u/1</UploadId></InitiateMultipartUploadResult>");
    }
    for (int i = 0; i < 3; ++i) answer(200, "", {{"etag", "\"1\""}});
    answer(200, body);
    answer(204, "");
    const Status failed = put();
    ASSERT_FALSE(failed.has_value()) << body;
    EXPECT_EQ(failed.error().code(), ErrorCode::io_error) << failed.error().message();
    EXPECT_TRUE(http_.answers.empty());
  }
}

TEST_F(S3ObjectStoreTest, ErrorsBeginWithTheWordOfS3) {
  answer(403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>");
  const auto denied = store().list("logs", "", std::nullopt);
  EXPECT_EQ(store_error_word(denied.error()), "AccessDenied");
  EXPECT_EQ(denied.error().message(), "AccessDenied: Access Denied");
  for (const char* text : {"no word", "lower: x", "Two words: x", ": x", "X"}) {
    EXPECT_EQ(store_error_word(Error(ErrorCode::io_error, text)), "") << text;
  }
}

}  // namespace
}  // namespace dendro
