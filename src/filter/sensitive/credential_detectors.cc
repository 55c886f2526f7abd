#include <algorithm>
#include <array>

#include "base/base64.h"
#include "filter/sensitive/detectors.h"
#include "record/fold.h"

namespace dendro::sensitive {
namespace {

/// A value whose end is not found is taken so far, and on to the next blank.
constexpr std::size_t kValueMax = 4'096;
/// Blanks between a name, its sign and its value.
constexpr std::size_t kBlanksMax = 4;

bool is_base64url(char c) {
  return is_alnum(c) || c == '-' || c == '_';
}
bool is_token68(char c) {
  return is_alnum(c) || std::string_view("-._~+/=").find(c) != std::string_view::npos;
}
bool is_blank(char c) {
  return c == ' ' || c == '\t';
}
bool is_quote(char c) {
  return c == '"' || c == '\'' || c == '`';
}

/// `word` is lower case.
bool stands_at(std::string_view text, std::size_t place, std::string_view word) {
  if (place > text.size() || text.size() - place < word.size()) return false;
  return std::equal(word.begin(), word.end(), text.begin() + static_cast<std::ptrdiff_t>(place),
                    [](char wanted, char c) { return wanted == fold_ascii(c); });
}

template <typename Test>
std::size_t count_while(std::string_view text, std::size_t first, Test test) {
  std::size_t end = first;
  while (end < text.size() && test(text[end])) ++end;
  return end - first;
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  for (std::size_t i = 0; i < kBlanksMax && is_blank(byte_at(text, at)); ++i) ++at;
  return at;
}

// ---- tokens that begin with letters of their own

/// A prefix that is told apart by its case, then `min` to `max` characters, then none that goes on.
struct TokenForm {
  SensitiveKind kind;
  std::string_view prefix;
  std::size_t min, max;
  bool (*takes)(char c);
};
bool is_capital_or_digit(char c) {
  return is_upper(c) || is_digit(c);
}
bool is_alnum_or_underscore(char c) {
  return is_alnum(c) || c == '_';
}
bool is_alnum_or_hyphen(char c) {
  return is_alnum(c) || c == '-';
}
constexpr std::size_t kTokenMax = 512;
using enum SensitiveKind;
constexpr TokenForm kTokenForms[] = {
    {aws_key, "AKIA", 16, 16, is_capital_or_digit},
    {aws_key, "ASIA", 16, 16, is_capital_or_digit},
    {github_token, "ghp_", 30, kTokenMax, is_alnum},
    {github_token, "gho_", 30, kTokenMax, is_alnum},
    {github_token, "ghu_", 30, kTokenMax, is_alnum},
    {github_token, "ghs_", 30, kTokenMax, is_alnum},
    {github_token, "ghr_", 30, kTokenMax, is_alnum},
    {github_token, "github_pat_", 22, kTokenMax, is_alnum_or_underscore},
    {gitlab_token, "glpat-", 20, kTokenMax, is_base64url},
    {slack_token, "xoxa-", 10, kTokenMax, is_alnum_or_hyphen},
    {slack_token, "xoxb-", 10, kTokenMax, is_alnum_or_hyphen},
    {slack_token, "xoxe-", 10, kTokenMax, is_alnum_or_hyphen},
    {slack_token, "xoxo-", 10, kTokenMax, is_alnum_or_hyphen},
    {slack_token, "xoxp-", 10, kTokenMax, is_alnum_or_hyphen},
    {slack_token, "xoxr-", 10, kTokenMax, is_alnum_or_hyphen},
    {slack_token, "xoxs-", 10, kTokenMax, is_alnum_or_hyphen},
    {google_key, "AIza", 35, 35, is_base64url},
    {stripe_key, "sk_live_", 10, kTokenMax, is_alnum},
    {stripe_key, "sk_test_", 10, kTokenMax, is_alnum},
    {stripe_key, "rk_live_", 10, kTokenMax, is_alnum},
    {stripe_key, "rk_test_", 10, kTokenMax, is_alnum},
};

Found token_at(std::string_view text, std::size_t place) {
  if (is_alnum(byte_before(text, place))) return std::nullopt;
  for (const TokenForm& form : kTokenForms) {
    if (text.substr(place, form.prefix.size()) != form.prefix) continue;
    const std::size_t size = count_while(text, place + form.prefix.size(), form.takes);
    if (size < form.min || (form.min == form.max && size > form.max)) continue;
    return SensitiveSpan{place, form.prefix.size() + size, form.kind};
  }
  return std::nullopt;
}

/// `dk_`, 12 characters of id, `_`, 32 of secret (identity/api_keys.h).
Found dendro_key_at(std::string_view text, std::size_t place) {
  constexpr std::size_t kId = 3, kIdBytes = 12, kSecret = kId + kIdBytes + 1, kSecretBytes = 32;
  if (text.substr(place, kId) != "dk_" || is_alnum(byte_before(text, place))) return std::nullopt;
  if (count_while(text, place + kId, is_alnum) != kIdBytes || byte_at(text, place + kSecret - 1) != '_') {
    return std::nullopt;
  }
  if (count_while(text, place + kSecret, is_alnum) != kSecretBytes) return std::nullopt;
  return SensitiveSpan{place, kSecret + kSecretBytes, dendro_key};
}

/// Header and payload, signature if it is there, or the five parts of an encrypted one.
Found jwt_at(std::string_view text, std::size_t place) {
  constexpr std::size_t kPartMin = 8, kPartsMax = 5;
  const char before = byte_before(text, place);
  if (text.substr(place, 3) != "eyJ" || is_base64url(before)) return std::nullopt;
  std::size_t end = place + count_while(text, place, is_base64url);
  if (end - place < kPartMin) return std::nullopt;
  std::size_t parts = 1;
  while (parts < kPartsMax && byte_at(text, end) == '.') {
    const std::size_t size = count_while(text, end + 1, is_base64url);
    if (size == 0 && parts == 1) break;
    end += 1 + size;
    ++parts;
  }
  if (parts < 2) return std::nullopt;
  if (text[end - 1] == '.') --end;  // a sentence's end, or no signature
  return SensitiveSpan{place, end - place, jwt};
}

bool is_pem(char c) {
  return is_alnum(c) || std::string_view("+/= \t\r\n\\:,-").find(c) != std::string_view::npos;
}

/// `place`: of BEGIN.
Found private_key_at(std::string_view text, std::size_t place) {
  constexpr std::string_view kHyphens = "-----", kBegin = "BEGIN ", kEnd = "-----END ";
  constexpr std::size_t kLabelMax = 64, kBlockMax = std::size_t{16} << 10;
  if (place < kHyphens.size() || text.substr(place - kHyphens.size(), kHyphens.size()) != kHyphens) {
    return std::nullopt;
  }
  if (text.substr(place, kBegin.size()) != kBegin) return std::nullopt;
  const std::string_view label = text.substr(place + kBegin.size(), kLabelMax);
  const std::size_t label_end = label.find(kHyphens);
  if (label.substr(0, label_end).find("PRIVATE KEY") == std::string_view::npos) return std::nullopt;
  const std::size_t first = place - kHyphens.size();
  const std::string_view block = text.substr(first, kBlockMax);
  const std::size_t end = block.find(kEnd);
  if (end != std::string_view::npos) {
    const std::size_t behind = block.find(kHyphens, end + kEnd.size());
    const std::size_t size = behind == std::string_view::npos ? block.size() : behind + kHyphens.size();
    return SensitiveSpan{first, size, private_key};
  }
  return SensitiveSpan{first, count_while(text, first, is_pem), private_key};
}

// ---- values behind names

/// A value: [first, end).
struct ValuePlace {
  std::size_t first = 0, end = 0;
  bool is_quoted = false;
};

bool ends_bare_value(char c) {
  return c == '\0' || is_blank(c) || c == '\r' || c == '\n' || c == ',' || c == ';' || c == '&' || is_quote(c) ||
         c == '\\';
}

/// As far as the quote that opened it, else to a blank, a comma, a semicolon, an ampersand or a quote; closing brackets
/// at its end are not of it.
ValuePlace value_place(std::string_view text, std::size_t at) {
  std::size_t escapes = 0;
  while (byte_at(text, at + escapes) == '\\') ++escapes;
  const char quote = byte_at(text, at + escapes);
  ValuePlace value;
  if (is_quote(quote)) {
    value.is_quoted = true;
    value.first = value.end = at + escapes + 1;
    const std::size_t last = std::min(text.size(), value.first + kValueMax);
    // A quote ends it that is escaped as often as the one that began it.
    for (std::size_t before = 0; value.end < last; ++value.end) {
      const char c = text[value.end];
      if (c == '\\') {
        ++before;
      } else if (c == quote && before == escapes) {
        value.end -= escapes;
        return value;
      } else {
        before = 0;
      }
    }
    while (value.end < text.size() && !is_blank(text[value.end])) ++value.end;
    return value;
  }
  value.first = value.end = at;
  while (value.end < text.size() && !ends_bare_value(text[value.end])) ++value.end;
  constexpr std::string_view kClosing = ")]}>.";
  while (value.end > value.first && kClosing.find(text[value.end - 1]) != std::string_view::npos) --value.end;
  return value;
}

/// What comes between a name and its value.
enum class Sign : std::uint8_t { none, colon, equals, blank };
struct SignPlace {
  Sign sign = Sign::none;
  std::size_t behind = 0;
  bool is_name_quoted = false;
};

/// `name` is where the name begins, `at` where it ends.
SignPlace sign_place(std::string_view text, std::size_t name, std::size_t at) {
  SignPlace place;
  const std::size_t bare = at;
  while (byte_at(text, at) == '\\') ++at;
  if (is_quote(byte_at(text, at))) {
    place.is_name_quoted = true;
    ++at;
  } else {
    at = bare;
  }
  // `user["password"] = `
  if (place.is_name_quoted && byte_at(text, at) == ']') ++at;
  const std::size_t sign = skip_blanks(text, at);
  const char c = byte_at(text, sign);
  if (c == '=' || c == ':') {
    place.sign = c == '=' ? Sign::equals : Sign::colon;
    at = sign + 1;
    if ((c == '=' && byte_at(text, at) == '>') || (c == ':' && byte_at(text, at) == '=')) ++at;
    // `password= next=1` has no value.
    if (c == '=' && text[sign - 1] != ' ' && is_blank(byte_at(text, at))) place.sign = Sign::none;
  } else if (sign > at && name >= 2 && text.substr(name - 2, 2) == "--") {
    place.sign = Sign::blank;
    at = sign;
  } else {
    return place;
  }
  place.behind = skip_blanks(text, at);
  return place;
}

/// Where the word of which text[place] is a letter begins, hyphens and underscores included.
std::size_t name_begin(std::string_view text, std::size_t place) {
  constexpr std::size_t kNameMax = 64;
  std::size_t first = place;
  while (first > 0 && place - first < kNameMax &&
         (is_alnum(text[first - 1]) || text[first - 1] == '_' || text[first - 1] == '-')) {
    --first;
  }
  // The hyphens of an option are not of its name.
  while (first < place && text[first] == '-') ++first;
  return first;
}

/// Whose key it is, before `key`: `api_key`, `X-Api-Key`, `SecretAccessKey`.
bool is_secret_key_name(std::string_view before) {
  constexpr std::string_view kOwners[] = {"api",    "access", "secret",  "private",    "auth",
                                          "master", "client", "account", "encryption", "signing"};
  while (!before.empty() && (before.back() == '_' || before.back() == '-')) before.remove_suffix(1);
  return std::ranges::any_of(kOwners, [before](std::string_view owner) {
    return before.size() >= owner.size() && stands_at(before, before.size() - owner.size(), owner);
  });
}

/// Bytes of the name that ends with the word at `place`; 0: it is none.
std::size_t secret_word_bytes(std::string_view text, std::size_t place) {
  constexpr std::string_view kWords[] = {"password", "passwd", "passphrase", "passcode", "pwd", "secret", "token"};
  for (const std::string_view word : kWords) {
    if (stands_at(text, place, word)) return word.size();
  }
  if (!stands_at(text, place, "key")) return 0;
  const std::size_t first = name_begin(text, place);
  return is_secret_key_name(text.substr(first, place - first)) ? 3 : 0;
}

/// Words of no secret.
bool is_no_value(std::string_view value) {
  constexpr std::string_view kWords[] = {"null", "none", "nil", "true", "false", "undefined", "yes", "no"};
  if (std::ranges::all_of(value, [](char c) { return c == '*' || !(is_alnum(c) || is_beyond_ascii(c)); })) {
    // Signs alone may be a password where quotes say so; asterisks are a mask.
    return value.size() < 4 || std::ranges::all_of(value, [](char c) { return c == '*' || c == '='; });
  }
  return std::ranges::any_of(
      kWords, [value](std::string_view word) { return word.size() == value.size() && stands_at(value, 0, word); });
}

bool looks_random(std::string_view value) {
  constexpr std::size_t kRandomMin = 8;
  return value.size() >= kRandomMin && std::ranges::any_of(value, is_digit);
}

Found assigned_secret_at(std::string_view text, std::size_t place) {
  const std::size_t bytes = secret_word_bytes(text, place);
  if (bytes == 0) return std::nullopt;
  const std::size_t name = name_begin(text, place);
  const SignPlace sign = sign_place(text, name, place + bytes);
  if (sign.sign == Sign::none) return std::nullopt;
  const char begin = byte_at(text, sign.behind);
  if (begin == '{' || begin == '[' || (begin == '=' && sign.sign == Sign::equals)) return std::nullopt;
  const ValuePlace place_of_value = value_place(text, sign.behind);
  const std::string_view value = text.substr(place_of_value.first, place_of_value.end - place_of_value.first);
  if (value.empty() || is_no_value(value)) return std::nullopt;
  const bool is_password = fold_ascii(text[place]) == 'p';
  const bool is_working_directory = stands_at(text, place, "pwd") && value[0] == '/';
  if (is_working_directory) return std::nullopt;
  // `unexpected token: name` says no secret, `"token": "name"` does.
  const bool is_prose = sign.sign == Sign::colon && !sign.is_name_quoted && !place_of_value.is_quoted;
  if (!is_password && is_prose && !looks_random(value)) return std::nullopt;
  return SensitiveSpan{place_of_value.first, value.size(), password};
}

std::size_t behind_word_and_blanks(std::string_view text, std::size_t place, std::string_view word) {
  if (!stands_at(text, place, word) || !is_blank(byte_at(text, place + word.size()))) return 0;
  return skip_blanks(text, place + word.size());
}

/// `Bearer` and what could not be a word of prose.
Found bearer_at(std::string_view text, std::size_t place) {
  constexpr std::size_t kBearerMin = 16;
  const std::size_t first = behind_word_and_blanks(text, place, "bearer");
  if (first == 0 || is_alnum(byte_before(text, place))) return std::nullopt;
  const std::size_t size = count_while(text, first, is_token68);
  const std::string_view value = text.substr(first, size);
  if (size < kBearerMin || std::ranges::none_of(value, is_digit)) return std::nullopt;
  return SensitiveSpan{first, size, bearer};
}

/// `Basic` and the Base64 of `user:password`.
Found basic_at(std::string_view text, std::size_t place) {
  constexpr std::size_t kBasicMin = 4, kBasicMax = 1'024;
  const std::size_t first = behind_word_and_blanks(text, place, "basic");
  if (first == 0 || is_alnum(byte_before(text, place))) return std::nullopt;
  const std::size_t size = count_while(text, first, is_token68);
  if (size < kBasicMin || size > kBasicMax) return std::nullopt;
  std::string padded(text.substr(first, size));
  if (padded.find('=') == std::string::npos) padded.append((4 - padded.size() % 4) % 4, '=');
  const auto plain = decode_base64(padded);
  if (!plain || plain->find(':') == std::string::npos) return std::nullopt;
  return SensitiveSpan{first, size, bearer};
}

Found authorization_span(std::string_view text, std::size_t first, std::size_t end) {
  const std::string_view value = text.substr(first, end - first);
  if (value.empty() || is_no_value(value)) return std::nullopt;
  return SensitiveSpan{first, value.size(), bearer};
}

/// `Authorization: Scheme value`, also as a member of an object. Of a scheme whose value is one word that word, else
/// everything to the end of the line or the quote.
Found authorization_at(std::string_view text, std::size_t place) {
  constexpr std::string_view kName = "authorization";
  constexpr std::string_view kOneWord[] = {"bearer", "basic", "token", "apikey", "splunk", "negotiate"};
  if (!stands_at(text, place, kName)) return std::nullopt;
  const SignPlace sign = sign_place(text, name_begin(text, place), place + kName.size());
  if (sign.sign == Sign::none) return std::nullopt;
  std::size_t first = sign.behind;
  while (byte_at(text, first) == '\\') ++first;
  const bool is_quoted = is_quote(byte_at(text, first));
  if (is_quoted) ++first;
  const auto is_inside = [](char c) { return c != '\r' && c != '\n' && !is_quote(c) && c != '\\'; };
  const auto is_in_word = [&](char c) { return is_inside(c) && !is_blank(c) && c != ','; };
  for (const std::string_view scheme : kOneWord) {
    const std::size_t value = behind_word_and_blanks(text, first, scheme);
    if (value == 0) continue;
    first = value;
    return authorization_span(text, first, first + count_while(text, first, is_in_word));
  }
  // A word alone is the secret; of several the first names the scheme, and the rest of the line may have quotes.
  const std::string_view line = text.substr(0, std::min(text.size(), first + kValueMax));
  const std::size_t word = first + count_while(line, first, is_in_word);
  const bool has_scheme = (is_quoted || sign.sign == Sign::colon) && is_blank(byte_at(line, word)) &&
                          count_while(line, first, is_alnum_or_hyphen) == word - first;
  if (!has_scheme) return authorization_span(text, first, word);
  first = skip_blanks(text, word);
  const auto is_in_line = [](char c) { return c != '\r' && c != '\n'; };
  return authorization_span(
      text, first, first + (is_quoted ? count_while(line, first, is_inside) : count_while(line, first, is_in_line)));
}

// ---- any names

/// The name that ends at `end` (behind it stands the sign): [first, last), quotes left out.
ValuePlace name_place(std::string_view text, std::size_t end) {
  for (std::size_t i = 0; i < kBlanksMax && is_blank(byte_before(text, end)); ++i) --end;
  if (byte_before(text, end) == ']') --end;
  ValuePlace name{end, end, is_quote(byte_before(text, end))};
  if (name.is_quoted) {
    const char quote = text[--end];
    while (byte_before(text, end) == '\\') --end;
    name.end = end;
    const std::size_t begin = text.substr(0, end).rfind(quote);
    name.first = begin == std::string_view::npos ? end : begin + 1;
    return name;
  }
  const auto is_of_name = [](char c) { return is_base64url(c) || c == '.' || c == '@' || is_beyond_ascii(c); };
  while (name.first > 0 && is_of_name(text[name.first - 1])) --name.first;
  while (name.first < end && text[name.first] == '-') ++name.first;
  return name;
}

/// `\u0070` as `p`; other escapes lose their backslash.
std::string unescaped_name(std::string_view name) {
  constexpr std::size_t kUnitBytes = 6;
  std::string plain;
  while (!name.empty()) {
    if (name[0] != '\\' || name.size() < 2) {
      plain.push_back(name[0]);
      name.remove_prefix(1);
    } else if (name.starts_with("\\u00") && name.size() >= kUnitBytes && is_hex(name[4]) && is_hex(name[5])) {
      const auto half = [](char c) { return is_digit(c) ? c - '0' : fold_ascii(c) - 'a' + 10; };
      plain.push_back(static_cast<char>(half(name[4]) * 16 + half(name[5])));
      name.remove_prefix(kUnitBytes);
    } else {
      name.remove_prefix(1);
      plain.push_back(name[0]);
      name.remove_prefix(1);
    }
  }
  return plain;
}

/// Behind the bracket that closes the one at `first`, brackets in strings not counted; the text's end if there is none.
std::size_t container_end(std::string_view text, std::size_t first) {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t at = first; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\\') {
      ++at;
    } else if (c == '"') {
      in_string = !in_string;
    } else if (!in_string && (c == '{' || c == '[')) {
      ++depth;
    } else if (!in_string && (c == '}' || c == ']') && --depth == 0) {
      return at + 1;
    }
  }
  return text.size();
}

bool ends_with_word(std::string_view name, std::string_view word) {
  return name.size() >= word.size() && stands_at(name, name.size() - word.size(), word);
}

}  // namespace

void add_credentials_at(std::string_view text, std::size_t place, SensitiveKinds kinds,
                        std::vector<SensitiveSpan>& spans) {
  const auto add = [&](const Found& found) {
    if (found && kinds.has(found->kind)) spans.push_back(*found);
  };
  switch (fold_ascii(text[place])) {
    case 'p':
    case 't':
    case 'k':
      return add(assigned_secret_at(text, place));
    case 's':
      add(assigned_secret_at(text, place));
      return add(token_at(text, place));
    case 'a':
      add(authorization_at(text, place));
      return add(token_at(text, place));
    case 'b':
      add(private_key_at(text, place));
      add(bearer_at(text, place));
      return add(basic_at(text, place));
    case 'd':
      return add(dendro_key_at(text, place));
    case 'e':
      return add(jwt_at(text, place));
    default:
      return add(token_at(text, place));
  }
}

}  // namespace dendro::sensitive

namespace dendro {

std::optional<SensitiveKind> secret_kind_of_name(std::string_view name) {
  using namespace sensitive;
  if (ends_with_word(name, "authorization")) return SensitiveKind::bearer;
  constexpr std::string_view kWords[] = {"password", "passwd", "passphrase", "passcode",
                                         "pwd",      "secret", "token",      "cookie"};
  for (const std::string_view word : kWords) {
    if (ends_with_word(name, word)) return SensitiveKind::password;
  }
  constexpr std::string_view kKey = "key";
  if (!ends_with_word(name, kKey) || !is_secret_key_name(name.substr(0, name.size() - kKey.size()))) {
    return std::nullopt;
  }
  return SensitiveKind::password;
}

bool is_no_secret(std::string_view value) {
  return value.empty() || sensitive::is_no_value(value);
}

std::vector<ValueSpan> find_named_values(std::string_view text,
                                         const std::function<bool(std::string_view name)>& is_wanted) {
  using namespace sensitive;
  std::vector<ValueSpan> spans;
  std::size_t at = text.find_first_of(":=");
  for (; at != std::string_view::npos; at = text.find_first_of(":=", at)) {
    const ValuePlace name = name_place(text, at);
    const std::size_t behind = skip_blanks(text, at + 1);
    ++at;
    if (name.first == name.end || !is_wanted(unescaped_name(text.substr(name.first, name.end - name.first)))) continue;
    const char begin = byte_at(text, behind);
    ValuePlace value{behind, behind, false};
    if (begin == '{' || begin == '[') {
      value.end = container_end(text, behind);
    } else {
      value = value_place(text, behind);
    }
    if (value.end == value.first) continue;
    spans.push_back({value.first, value.end - value.first});
    at = value.end;
  }
  return spans;
}

}  // namespace dendro
