#include "identity/sign_in.h"

#include "identity/credential_error.h"
#include "tests/identity/identity_fixture.h"

namespace dendro {
namespace {

const std::string kPassword = "correct horse battery";

struct SignInTest : IdentityFixture {
  void SetUp() override {
    settings.sign_in.failures_max = 3;
    open();
    user = parts->users().create("sue@example.org", kPassword, {{"shop", {"reader"}}}).value();
  }
  Result<OpenedSession> sign_in(const std::string& email, const std::string& password) {
    return parts->sign_in().sign_in(email, password, "192.0.2.7");
  }
  /// "in", or the text of the refusal.
  std::string outcome(const std::string& email, const std::string& password) {
    const auto opened = sign_in(email, password);
    return opened ? "in" : opened.error().message();
  }
  UserRow user;
};

const std::string kLockedText =
    "too many failed sign-ins; try again after 2026-09-21T14:28:20Z, or ask an administrator to unlock the account";

TEST_F(SignInTest, OpensASession) {
  const OpenedSession opened = sign_in("Sue@Example.ORG", kPassword).value();
  EXPECT_EQ(opened.principal->name, "sue@example.org");
  EXPECT_EQ(opened.row.peer, "192.0.2.7");
  EXPECT_TRUE(parts->authenticator().authenticate({Credential::Kind::session, opened.secret}).has_value());
  EXPECT_EQ(parts->users().find(user.id).value()->last_sign_in, clock.now());
}

TEST_F(SignInTest, TellsNothingAboutAccounts) {
  for (const auto& [email, password] : {std::pair<std::string, std::string>{"sue@example.org", "wrong horse battery"},
                                        {"sue@example.org", ""},
                                        {"eve@example.org", kPassword},
                                        {"", ""},
                                        {"sue@example.org", std::string(1'025, 'p')},
                                        {std::string(255, 'e'), kPassword}}) {
    const auto answer = sign_in(email, password);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code(), ErrorCode::unauthenticated);
    EXPECT_EQ(answer.error().message(), kWrongPasswordText) << email;
    ASSERT_TRUE(parts->users().unlock(user.id).has_value());
  }
}

TEST_F(SignInTest, AnUnknownAddressTakesAsLongAsAWrongPassword) {
  constexpr int kRounds = 10;
  for (int i = 0; i < kRounds; ++i) {
    ASSERT_TRUE(parts->users().create("known" + std::to_string(i), kPassword, {{"shop", {"reader"}}}).has_value());
  }
  const auto timed = [&](const std::string& email) {
    const auto before = std::chrono::steady_clock::now();
    EXPECT_FALSE(sign_in(email, "wrong horse battery").has_value());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
  };
  double known = 1e9, nobody = 1e9;  // the fastest: a busy machine only adds
  for (int i = 0; i < kRounds; ++i) {
    known = std::min(known, timed("known" + std::to_string(i)));
    nobody = std::min(nobody, timed("nobody" + std::to_string(i)));
  }
  const double ratio = known / nobody;
  EXPECT_GT(ratio, 0.6);
  EXPECT_LT(ratio, 1.67);
}

TEST_F(SignInTest, LocksAfterFailuresInARowAndSaysUntilWhen) {
  for (const char* email : {"sue@example.org", "nobody@example.org"}) {
    EXPECT_EQ(outcome(email, "wrong horse battery"), kWrongPasswordText);
    EXPECT_EQ(outcome(email, "wrong horse battery"), kWrongPasswordText);
    EXPECT_EQ(outcome(email, "wrong horse battery"), kLockedText) << email;
    EXPECT_EQ(sign_in(email, kPassword).error().code(), ErrorCode::resource_exhausted) << "the right one too";
  }
  EXPECT_EQ(parts->users().locked_until(user).value(), Timestamp(kStart.number() + 900 * kNanosPerSecond));
  clock.advance(std::chrono::minutes(15) - std::chrono::nanoseconds(1));
  EXPECT_EQ(outcome("sue@example.org", kPassword), kLockedText);
  clock.advance(std::chrono::nanoseconds(1));
  EXPECT_EQ(parts->users().locked_until(user).value(), std::nullopt);
  EXPECT_EQ(outcome("sue@example.org", kPassword), "in");
}

TEST_F(SignInTest, ASuccessStartsTheCountAnew) {
  for (int round = 0; round < 3; ++round) {
    EXPECT_EQ(outcome("sue@example.org", "wrong horse battery"), kWrongPasswordText);
    EXPECT_EQ(outcome("sue@example.org", "wrong horse battery"), kWrongPasswordText);
    EXPECT_EQ(outcome("sue@example.org", kPassword), "in");
  }
}

TEST_F(SignInTest, AnAdministratorUnlocksOrResets) {
  const auto lock = [&] {
    for (int i = 0; i < 3; ++i) (void)sign_in("sue@example.org", "wrong horse battery");
    EXPECT_EQ(outcome("sue@example.org", kPassword), kLockedText);
  };
  lock();
  ASSERT_TRUE(parts->users().unlock(user.id).has_value());
  EXPECT_EQ(outcome("sue@example.org", kPassword), "in");
  lock();
  ASSERT_TRUE(parts->users().set_password(user.id, "another horse battery").has_value());
  EXPECT_EQ(outcome("sue@example.org", "another horse battery"), "in");
  EXPECT_EQ(outcome("sue@example.org", kPassword), kWrongPasswordText);
}

TEST_F(SignInTest, ADisabledAccountIsToldToItsOwnerOnly) {
  ASSERT_TRUE(parts->users().set_disabled(user.id, true).has_value());
  EXPECT_EQ(outcome("sue@example.org", "wrong horse battery"), kWrongPasswordText);
  EXPECT_EQ(sign_in("sue@example.org", kPassword).error().code(), ErrorCode::permission_denied);
}

TEST_F(SignInTest, OpenSessionsOutliveALock) {
  const OpenedSession opened = sign_in("sue@example.org", kPassword).value();
  for (int i = 0; i < 3; ++i) (void)sign_in("sue@example.org", "wrong horse battery");
  EXPECT_TRUE(parts->authenticator().authenticate({Credential::Kind::session, opened.secret}).has_value());
}

TEST_F(SignInTest, WithoutAPlaceForTheHashNothingIsCounted) {
  settings.sign_in.hashes_at_once_max = 0;
  reopen();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(outcome("sue@example.org", "wrong horse battery"), "too many sign-ins at once; try again in a moment");
    EXPECT_EQ(outcome("nobody", "wrong horse battery"), "too many sign-ins at once; try again in a moment");
  }
  EXPECT_EQ(parts->users().locked_until(user).value(), std::nullopt);
}

}  // namespace
}  // namespace dendro
