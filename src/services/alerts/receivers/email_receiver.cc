#include "services/alerts/receivers/email_receiver.h"

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "services/alerts/receivers/alert_text.h"

namespace dendro {
namespace {

/// "Sat, 21 Nov 2026 23:59:59 +0000" (RFC 5322, 3.3).
std::string mail_date(Timestamp time) {
  constexpr std::array<const char*, 7> kDays = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const CivilTime civil = to_civil(time);
  const auto day = static_cast<std::size_t>(days_from_civil(civil.year, civil.month, civil.day) % 7);
  const auto two = [](unsigned number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  return std::string(kDays[day]) + ", " + two(civil.day) + " " + kMonths[civil.month - 1] + " " +
         std::to_string(civil.year) + " " + two(civil.hour) + ":" + two(civil.minute) + ":" + two(civil.second) +
         " +0000";
}

/// An encoded word (RFC 2047) of at most 75 characters, several where the text is longer.
std::string encoded_header(std::string_view text) {
  constexpr std::size_t kBytesOfAWord = 42;
  std::string out;
  while (!text.empty()) {
    std::size_t size = std::min(kBytesOfAWord, text.size());
    // Not within a character.
    while (size < text.size() && size > 1 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
    if (!out.empty()) out.append("\r\n ");
    out.append("=?UTF-8?B?");
    append_base64(out, text.substr(0, size));
    out.append("?=");
    text.remove_prefix(size);
  }
  return out;
}

std::string domain_of(const std::string& address) {
  const std::size_t at = address.rfind('@');
  return at == std::string::npos ? "dendro" : address.substr(at + 1);
}

/// Base64 in lines of 76 characters: any text is fit for any mail server.
std::string encoded_body(std::string_view text) {
  std::string encoded;
  append_base64(encoded, text);
  std::string out;
  for (std::size_t first = 0; first < encoded.size(); first += 76) {
    out.append(encoded, first, 76).append("\r\n");
  }
  return out;
}

class EmailReceiver final : public AlertReceiver {
 public:
  EmailReceiver(std::unique_ptr<MailSender> sender, std::string from, std::vector<std::string> to)
      : sender_(std::move(sender)), from_(std::move(from)), to_(std::move(to)) {}

  Status deliver(const AlertNotification& notification) override {
    return sender_->send(alert_mail(notification, from_, to_));
  }

 private:
  const std::unique_ptr<MailSender> sender_;
  const std::string from_;
  const std::vector<std::string> to_;
};

}  // namespace

MailMessage alert_mail(const AlertNotification& notification, const std::string& from,
                       const std::vector<std::string>& to) {
  MailMessage mail{from, to, {}};
  std::string all;
  for (const std::string& address : to) all.append(all.empty() ? "" : ",\r\n ").append("<" + address + ">");
  mail.text =
      "From: <" + from + ">\r\nTo: " + all + "\r\nSubject: " + encoded_header("[dendro] " + notification.title) +
      "\r\nDate: " + mail_date(notification.at) + "\r\nMessage-ID: <" + notification.dedupe_key + "@" +
      domain_of(from) +
      ">\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n"
      "Auto-Submitted: auto-generated\r\nX-Dendro-Dedupe-Key: " +
      notification.dedupe_key + "\r\n\r\n" + encoded_body(alert_plain_text(notification));
  return mail;
}

std::unique_ptr<AlertReceiver> make_email_receiver(std::unique_ptr<MailSender> sender, std::string from,
                                                   std::vector<std::string> to) {
  return std::make_unique<EmailReceiver>(std::move(sender), std::move(from), std::move(to));
}

}  // namespace dendro
