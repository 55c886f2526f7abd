#pragma once

#include <memory>
#include <string>

#include "services/alerts/receivers/mail_sender.h"

namespace dendro {

struct MailServer {
  std::string url;  ///< smtp://host:587, smtps://host:465
  std::string user, password;
  bool requires_tls = true;  ///< STARTTLS on smtp://; without it nothing is sent
  std::string ca_file;       ///< certificates that are trusted instead of the system's; empty: those
};

/// MailSender over libcurl: a connection a mail, 30 s at most. No text of an error holds user or password; one about a
/// certificate says what is wrong with it.
std::unique_ptr<MailSender> make_curl_mail_sender(MailServer server);

}  // namespace dendro
