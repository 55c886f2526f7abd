#include "identity/password_hasher.h"

#include "base/crypto_password.h"
#include "base/utf8.h"

namespace dendro {
namespace {

constexpr std::size_t kPasswordCharactersMin = 12;
constexpr std::size_t kPasswordCharactersMax = 128;

/// Of 24 random bytes that nobody kept, with today's parameters: what the password of no account is compared with.
const std::string kNobodysHash =
    "$argon2id$v=19$m=19456,t=2,p=1$0oT+YEuWyFmYx0jIQ/ushg$9VhHjih+lw8/sNxto1qYd3xR6ouOfdKT2D5F+vJNY+A";

/// One of the hashes that may be at work.
class HashPlace {
 public:
  HashPlace(std::atomic<std::size_t>& at_work, std::size_t at_once_max)
      : at_work_(at_work), is_taken_(at_work.fetch_add(1) < at_once_max) {}
  ~HashPlace() { at_work_.fetch_sub(1); }
  HashPlace(const HashPlace&) = delete;
  HashPlace& operator=(const HashPlace&) = delete;

  Status status() const {
    if (is_taken_) return {};
    return Error(ErrorCode::resource_exhausted, "too many sign-ins at once; try again in a moment");
  }

 private:
  std::atomic<std::size_t>& at_work_;
  const bool is_taken_;
};

}  // namespace

Result<std::string> PasswordHasher::hash(std::string_view password) {
  const HashPlace place(at_work_, at_once_max_);
  DENDRO_TRY(place.status());
  return hash_password(password);
}

Result<bool> PasswordHasher::is_password(std::string_view password, const std::string& hash) {
  const HashPlace place(at_work_, at_once_max_);
  DENDRO_TRY(place.status());
  return dendro::is_password(password, hash);
}

Result<bool> PasswordHasher::is_password_of_nobody(std::string_view password) {
  const HashPlace place(at_work_, at_once_max_);
  DENDRO_TRY(place.status());
  DENDRO_TRY(dendro::is_password(password, kNobodysHash));
  return false;
}

Status check_new_password(std::string_view password, std::string_view email) {
  const auto fault = [](const std::string& what) { return Error(ErrorCode::invalid_argument, "password: " + what); };
  if (!is_valid_utf8(password)) return fault("must be UTF-8");
  const std::size_t characters = count_code_points(password);
  if (characters < kPasswordCharactersMin || characters > kPasswordCharactersMax) {
    return fault("must have " + std::to_string(kPasswordCharactersMin) + " to " +
                 std::to_string(kPasswordCharactersMax) + " characters, not " + std::to_string(characters));
  }
  if (password == email) return fault("must not be the e-mail address");
  return {};
}

}  // namespace dendro
