#include "filter/sensitive/sensitive_finder.h"

#include <algorithm>
#include <array>

#include "filter/sensitive/detectors.h"
#include "filter/sensitive/trigger_scan.h"

namespace dendro {
namespace {

using enum SensitiveKind;
constexpr SensitiveKinds kLetterKinds = {jwt,          bearer,      password,   private_key, aws_key,   github_token,
                                         gitlab_token, slack_token, google_key, stripe_key,  dendro_key};

TriggerSet triggers_of(SensitiveKinds kinds) {
  TriggerSet triggers = 0;
  const auto want = [&](SensitiveKinds of, Trigger trigger) {
    if (kinds.has_any(of)) triggers |= trigger_bit(trigger);
  };
  want({card}, Trigger::card);
  want({phone}, Trigger::phone);
  want({ssn}, Trigger::ssn);
  want({ipv4}, Trigger::dot);
  want({ipv6}, Trigger::colons);
  want({mac}, Trigger::pairs);
  want({email, url_password}, Trigger::at);
  want({iban}, Trigger::iban);
  want({uuid}, Trigger::uuid);
  want(kLetterKinds, Trigger::letters);
  want({email}, Trigger::letters);
  return triggers;
}

/// The shortest of all: a letter, `::1`, a password of one character behind `pwd=`.
constexpr std::size_t kShortest = 3;

}  // namespace

SensitiveFinder::SensitiveFinder(SensitiveKinds kinds) : kinds_(kinds), triggers_(triggers_of(kinds)) {}

void SensitiveFinder::find(std::string_view text, std::vector<SensitiveSpan>& spans) const {
  if (text.size() < kShortest || kinds_.empty()) return;
  static thread_local std::vector<TriggerHit> hits;
  hits.clear();
  find_triggers(text, triggers_, hits);
  if (hits.empty()) return;
  const std::size_t known = spans.size();
  const auto add = [&](SensitiveKind kind, const sensitive::Found& found) {
    if (found && kinds_.has(kind)) spans.push_back(*found);
  };
  for (const TriggerHit& hit : hits) {
    switch (hit.trigger) {
      case Trigger::card:
        add(card, sensitive::card_at(text, hit.offset));
        break;
      case Trigger::phone:
        add(phone, sensitive::phone_at(text, hit.offset));
        break;
      case Trigger::ssn:
        add(ssn, sensitive::ssn_at(text, hit.offset));
        break;
      case Trigger::dot:
        add(ipv4, sensitive::ipv4_at(text, hit.offset));
        break;
      case Trigger::colons:
        add(ipv6, sensitive::ipv6_at(text, hit.offset));
        break;
      case Trigger::pairs:
        add(mac, sensitive::mac_at(text, hit.offset));
        break;
      case Trigger::at:
        if (kinds_.has(email)) add(email, sensitive::email_at(text, hit.offset, 1));
        if (kinds_.has(url_password)) add(url_password, sensitive::url_password_at(text, hit.offset));
        break;
      case Trigger::iban:
        add(iban, sensitive::iban_at(text, hit.offset));
        break;
      case Trigger::uuid:
        add(uuid, sensitive::uuid_at(text, hit.offset));
        break;
      case Trigger::letters:
        if (text[hit.offset] == '%') {
          add(email, sensitive::email_at(text, hit.offset, 3));
        } else {
          sensitive::add_credentials_at(text, hit.offset, kinds_, spans);
        }
        break;
    }
  }
  const auto order = [](const SensitiveSpan& a, const SensitiveSpan& b) {
    if (a.first != b.first) return a.first < b.first;
    return a.size != b.size ? a.size > b.size : a.kind < b.kind;
  };
  const auto begin = spans.begin() + static_cast<std::ptrdiff_t>(known);
  std::sort(begin, spans.end(), order);
  // A part of what was found already is not told again: the second part of a token, the area in a number.
  std::array<std::size_t, kSensitiveKindCount> found_to{};
  const auto is_part = [&found_to](const SensitiveSpan& span) {
    std::size_t& to = found_to[static_cast<std::size_t>(span.kind)];
    if (span.end() <= to) return true;
    to = span.end();
    return false;
  };
  spans.erase(std::remove_if(begin, spans.end(), is_part), spans.end());
}

}  // namespace dendro
