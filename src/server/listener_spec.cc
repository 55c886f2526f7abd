#include "server/listener_spec.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

namespace dendro {
namespace {

Error bad_spec(std::string_view text, std::string_view why) {
  return Error(ErrorCode::invalid_argument,
               "listen address \"" + std::string(text) + "\": " + std::string(why) +
                   "; the form is ADDR:PORT[=PROFILE][+tls], for example 127.0.0.1:8080=platform");
}

Result<std::uint16_t> parse_port(std::string_view spec, std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return bad_spec(spec, "the port is not a number from 0 to 65535");
  }
  return port;
}

/// The literal in its shortest form, so that two spellings of one address compare equal.
Result<std::string> normal_address(std::string_view spec, std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  std::array<char, INET6_ADDRSTRLEN> normal{};
  const bool is_v6 = text.starts_with('[') && text.ends_with(']');
  const std::string literal(is_v6 ? text.substr(1, text.size() - 2) : text == "localhost" ? "127.0.0.1" : text);
  const int family = is_v6 ? AF_INET6 : AF_INET;
  if (inet_pton(family, literal.c_str(), bytes.data()) != 1 ||
      inet_ntop(family, bytes.data(), normal.data(), normal.size()) == nullptr) {
    return bad_spec(spec, "ADDR is no IPv4 literal, no IPv6 literal in brackets and not localhost");
  }
  return std::string(normal.data());
}

/// What a listener says about TLS; nothing: what the certificate says.
using TlsWish = std::optional<bool>;

Status set_tls(ListenerSpec& spec, std::string_view text, TlsWish wish, const TlsSettings& tls) {
  if (spec.profile == Profile::redirect) {
    return wish.value_or(false) ? Status(bad_spec(text, "redirect leads callers without TLS to it, so it has none"))
                                : Status();
  }
  if (!wish.value_or(tls.has_certificate())) return {};
  if (const Status good = check_tls_settings(tls); !good) return bad_spec(text, good.error().message());
  spec.tls = tls;
  return {};
}

Status set_profile(ListenerSpec& spec, std::string_view text, std::string_view name) {
  const auto profile = parse_profile(name);
  if (!profile) {
    return bad_spec(
        text, "unknown profile \"" + std::string(name) + "\" (profiles: " + std::string(profile_names_text()) + ")");
  }
  spec.profile = *profile;
  return {};
}

Status set_address(ListenerSpec& spec, std::string_view text, std::string_view place) {
  const std::size_t colon = place.rfind(':');
  if (colon == std::string_view::npos) return bad_spec(text, "no port");
  DENDRO_TRY_ASSIGN(spec.port, parse_port(text, place.substr(colon + 1)));
  DENDRO_TRY_ASSIGN(spec.address, normal_address(text, place.substr(0, colon)));
  return {};
}

Result<ListenerSpec> parse_plain(std::string_view text, const TlsSettings& tls) {
  ListenerSpec spec;
  TlsWish wish;
  std::string_view rest = text;
  if (const std::size_t plus = rest.rfind('+'); plus != std::string_view::npos) {
    const std::string_view word = rest.substr(plus + 1);
    if (word != "tls" && word != "plain") return bad_spec(text, "behind + comes tls or plain");
    wish = word == "tls";
    rest = rest.substr(0, plus);
  }
  const std::size_t equals = rest.find('=');
  if (equals != std::string_view::npos) DENDRO_TRY(set_profile(spec, text, rest.substr(equals + 1)));
  DENDRO_TRY(set_address(spec, text, rest.substr(0, equals)));
  DENDRO_TRY(set_tls(spec, text, wish, tls));
  return spec;
}

Result<ListenerSpec> parse_block(std::string_view text, TlsSettings tls) {
  DENDRO_TRY_ASSIGN(const JsonValue block, parse_json_document(text));
  ListenerSpec spec;
  TlsWish wish;
  const JsonValue* const address = block.find("address");
  const std::string_view place = address == nullptr ? std::string_view() : address->as_string().value_or("");
  if (place.empty()) return bad_spec("", "a block needs an address");
  for (const auto& [name, value] : block.members()) {
    if (name == "address") {
      DENDRO_TRY(set_address(spec, place, place));
    } else if (name == "profile") {
      DENDRO_TRY(set_profile(spec, place, value.as_string().value_or("")));
    } else if (name == "tls") {
      wish = value.as_bool();
      if (!wish) return bad_spec(place, "tls is true or false");
    } else {
      const Result<bool> is_known = set_tls_member(tls, name, value);
      if (!is_known) return bad_spec(place, is_known.error().message());
      if (!*is_known) return bad_spec(place, "there is no setting \"" + name + "\" of a listener");
    }
  }
  DENDRO_TRY(set_tls(spec, place, wish, tls));
  return spec;
}

}  // namespace

std::string ListenerSpec::address_text() const {
  const bool is_v6 = address.find(':') != std::string::npos;
  return (is_v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

bool ListenerSpec::is_loopback() const {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

Result<ListenerSpec> parse_listener_spec(std::string_view text, const TlsSettings& tls) {
  return text.starts_with('{') ? parse_block(text, tls) : parse_plain(text, tls);
}

Result<std::vector<ListenerSpec>> parse_listener_specs(const std::vector<std::string>& texts, const TlsSettings& tls) {
  std::vector<ListenerSpec> specs;
  std::set<std::string> taken;
  for (const std::string& text : texts) {
    DENDRO_TRY_ASSIGN(ListenerSpec spec, parse_listener_spec(text, tls));
    if (spec.port != 0 && !taken.insert(spec.address_text()).second) {
      return Error(ErrorCode::invalid_argument, "listen address " + spec.address_text() +
                                                    " is named twice; one address serves one profile (profiles: " +
                                                    std::string(profile_names_text()) + ")");
    }
    specs.push_back(std::move(spec));
  }
  return specs;
}

std::string listening_text(const ListenerSpec& bound) {
  return "listening on " + bound.address_text() + " (" + std::string(profile_name(bound.profile)) +
         (bound.tls ? ", tls)" : ")");
}

Status check_listeners(const std::vector<ListenerSpec>& listeners, ListenerSafety safety) {
  const bool leads_somewhere =
      safety.public_url.starts_with("https://") ||
      std::ranges::any_of(listeners, [](const ListenerSpec& spec) { return spec.tls.has_value(); });
  for (const ListenerSpec& listener : listeners) {
    const std::string place = listener.address_text() + "=" + std::string(profile_name(listener.profile));
    if (!profile_is_built(listener.profile)) {
      return Error(ErrorCode::unimplemented, "listener " + place + ": this profile is not built yet");
    }
    if (listener.profile == Profile::redirect) {
      if (leads_somewhere) continue;
      return Error(ErrorCode::invalid_argument, "listener " + place +
                                                    ": there is nowhere to lead to: let a listener speak TLS, or set "
                                                    "server.public_url to an https:// address");
    }
    if (listener.is_loopback() || safety.has_auth || safety.insecure) continue;
    return Error(ErrorCode::invalid_argument,
                 "listener " + place +
                     " can be reached from other machines and nothing asks callers who they are: "
                     "listen on 127.0.0.1, configure SECRET_KEY, or pass --insecure if anyone may read and write");
  }
  return {};
}

}  // namespace dendro
