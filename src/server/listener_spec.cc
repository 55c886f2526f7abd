#include "server/listener_spec.h"

#include <arpa/inet.h>

#include <array>
#include <charconv>
#include <set>

namespace dendro {
namespace {

Error bad_spec(std::string_view text, std::string_view why) {
  return Error(ErrorCode::invalid_argument,
               "listen address \"" + std::string(text) + "\": " + std::string(why) +
                   "; the form is ADDR:PORT[=PROFILE], for example 127.0.0.1:8080=platform");
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

}  // namespace

std::string ListenerSpec::address_text() const {
  const bool is_v6 = address.find(':') != std::string::npos;
  return (is_v6 ? "[" + address + "]" : address) + ":" + std::to_string(port);
}

bool ListenerSpec::is_loopback() const {
  return address.starts_with("127.") || address == "::1" || address.starts_with("::ffff:127.");
}

Result<ListenerSpec> parse_listener_spec(std::string_view text) {
  ListenerSpec spec;
  const std::size_t equals = text.find('=');
  const std::string_view place = text.substr(0, equals);
  if (equals != std::string_view::npos) {
    const auto profile = parse_profile(text.substr(equals + 1));
    if (!profile) {
      return bad_spec(text, "unknown profile \"" + std::string(text.substr(equals + 1)) +
                                "\" (profiles: " + std::string(profile_names_text()) + ")");
    }
    spec.profile = *profile;
  }
  const std::size_t colon = place.rfind(':');
  if (colon == std::string_view::npos) return bad_spec(text, "no port");
  DENDRO_TRY_ASSIGN(spec.port, parse_port(text, place.substr(colon + 1)));
  DENDRO_TRY_ASSIGN(spec.address, normal_address(text, place.substr(0, colon)));
  return spec;
}

Result<std::vector<ListenerSpec>> parse_listener_specs(const std::vector<std::string>& texts) {
  std::vector<ListenerSpec> specs;
  std::set<std::string> taken;
  for (const std::string& text : texts) {
    DENDRO_TRY_ASSIGN(ListenerSpec spec, parse_listener_spec(text));
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
  return "listening on " + bound.address_text() + " (" + std::string(profile_name(bound.profile)) + ")";
}

Status check_listeners(const std::vector<ListenerSpec>& listeners, ListenerSafety safety) {
  for (const ListenerSpec& listener : listeners) {
    const std::string place = listener.address_text() + "=" + std::string(profile_name(listener.profile));
    if (!profile_is_built(listener.profile)) {
      return Error(ErrorCode::unimplemented, "listener " + place + ": this profile is not built yet");
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
