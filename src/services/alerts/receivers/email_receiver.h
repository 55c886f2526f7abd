#pragma once

#include <memory>
#include <string>
#include <vector>

#include "services/alerts/alert_receiver.h"
#include "services/alerts/receivers/mail_sender.h"

namespace dendro {

/// One mail a message, in plain text. `Message-ID` is made of the dedupe key, so that a repetition is one to mail
/// programs, too. `sender` is taken over.
std::unique_ptr<AlertReceiver> make_email_receiver(std::unique_ptr<MailSender> sender, std::string from,
                                                   std::vector<std::string> to);

/// Pure. No text of a label or title can add a header.
MailMessage alert_mail(const AlertNotification& notification, const std::string& from,
                       const std::vector<std::string>& to);

}  // namespace dendro
