#pragma once

#include <string>

#include "services/alerts/alert_notification.h"

namespace dendro {

/// "FIRING checkout errors: service=pay (12)", in one line, whatever the labels hold.
std::string alert_line(const ToldAlert& alert);
/// Title, a line an alert, and their annotations, for people.
std::string alert_plain_text(const AlertNotification& notification);
/// The same in Slack's markup, in which `&`, `<` and `>` of labels are escaped.
std::string slack_text(const AlertNotification& notification);

}  // namespace dendro
