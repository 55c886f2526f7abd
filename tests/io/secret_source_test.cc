#include "io/secret_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/io/temporary_folder.h"

namespace dendro {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct SecretReaderTest : testing::Test {
  std::string file(const std::string& text, mode_t mode = 0600) const {
    const std::string path = folder.write("secret", text);
    ::chmod(path.c_str(), mode);
    return "file:" + path;
  }
  std::string fault(const std::string& value) const {
    const auto read = reader.read(value);
    EXPECT_FALSE(read.has_value()) << value;
    return read ? std::string() : read.error().message();
  }

  TemporaryFolder folder;
  SecretReader reader{[](const std::string& name) -> std::optional<std::string> {
    if (name == "SET") return "of the variable";
    if (name == "EMPTY") return "";
    return std::nullopt;
  }};
};

TEST_F(SecretReaderTest, TextsOfNoSchemeAreTheSecret) {
  for (const char* text :
       {"", "plain", "dk_3fA9kQ2LmN7x_secret", "c:short", ":x", "Upper:x", "a/b:c", "eyJhbGciOi.x.y"}) {
    EXPECT_EQ(reader.read(text)->text, text);
  }
  EXPECT_EQ(reader.read("literal:with: blank")->text, "with: blank");
  EXPECT_EQ(reader.read("literal:file:x")->text, "file:x");
  EXPECT_EQ(reader.read("literal:")->text, "");
}

TEST_F(SecretReaderTest, FilesAreReadAnewAndWithoutTheirLastLineEnd) {
  const std::string reference = file("first secret\r\n");
  EXPECT_EQ(reader.read(reference)->text, "first secret");
  EXPECT_EQ(reader.read(reference)->warning, "");
  file("second\nof two lines\n");
  EXPECT_EQ(reader.read(reference)->text, "second\nof two lines");
}

TEST_F(SecretReaderTest, FilesThatOthersMayReadAreWarnedOf) {
  for (const mode_t mode : {0640U, 0604U, 0644U}) {
    const auto read = reader.read(file("secret text", mode));
    EXPECT_THAT(read->warning, AllOf(HasSubstr("chmod 600"), Not(HasSubstr("secret text")))) << mode;
  }
}

TEST_F(SecretReaderTest, FaultsNameThePlaceAndNothingOfTheSecret) {
  EXPECT_THAT(fault("file:" + folder.path("absent")), HasSubstr("absent"));
  EXPECT_THAT(fault("file:" + folder.path()), HasSubstr("directory"));
  EXPECT_THAT(fault(file("\n")), HasSubstr("is empty"));
  EXPECT_THAT(fault(file(std::string(70'000, 'x'))), HasSubstr("64 KiB"));
  EXPECT_THAT(fault("env:UNSET"), HasSubstr("UNSET is not set"));
  EXPECT_THAT(fault("env:EMPTY"), HasSubstr("EMPTY is not set"));
  EXPECT_EQ(reader.read("env:SET")->text, "of the variable");
  EXPECT_THAT(fault("hunter2:is-my-password"), AllOf(HasSubstr("literal:"), HasSubstr("env, file"),
                                                     Not(HasSubstr("hunter2")), Not(HasSubstr("password"))));
}

TEST_F(SecretReaderTest, ManagersOfSecretsHaveAPlaceToComeTo) {
  for (const char* value : {"aws-secretsmanager:arn:aws:secretsmanager:eu-central-1:1:secret:x", "ssm:/dendro/key"}) {
    const auto read = reader.read(value);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code(), ErrorCode::unimplemented);
    EXPECT_THAT(read.error().message(), HasSubstr("not built"));
  }
  class Manager final : public SecretSource {
   public:
    Result<SecretText> read(const std::string& place) override {
      return SecretText{place + " of call " + std::to_string(++calls_)};
    }

   private:
    int calls_ = 0;
  };
  reader.add("ssm", std::make_unique<Manager>());
  EXPECT_EQ(reader.read("ssm:/dendro/key")->text, "/dendro/key of call 1");
  EXPECT_EQ(reader.read("ssm:/dendro/key")->text, "/dendro/key of call 2");
}

}  // namespace
}  // namespace dendro
