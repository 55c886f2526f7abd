#include "adapters/smtp/curl_mail_sender.h"

#include <curl/curl.h>

#include <algorithm>
#include <cstring>

#include "base/check.h"

namespace dendro {
namespace {

struct MailUpload {
  std::string_view rest;
};

std::size_t give_mail(char* buffer, std::size_t size, std::size_t count, void* user) {
  auto& upload = *static_cast<MailUpload*>(user);
  const std::size_t bytes = std::min(size * count, upload.rest.size());
  std::memcpy(buffer, upload.rest.data(), bytes);
  upload.rest.remove_prefix(bytes);
  return bytes;
}

ErrorCode mail_error_code(CURLcode code) {
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorCode::deadline_exceeded;
    case CURLE_LOGIN_DENIED:
      return ErrorCode::permission_denied;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return ErrorCode::unavailable;
    default:
      return ErrorCode::io_error;
  }
}

/// libcurl's own fixed sentence; what the server said may repeat what it was told. About a certificate there is more to
/// know, and OpenSSL says it.
std::string mail_error_text(CURLcode code, long reply, const char* detail) {
  std::string text = std::string("SMTP: ") + curl_easy_strerror(code);
  const bool is_about_trust = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE;
  if (is_about_trust && detail[0] != '\0') text += std::string(": ") + detail;
  if (is_about_trust) text += "; the receiver's ca_file names the authority to trust, if it is not one of the system's";
  if (code == CURLE_USE_SSL_FAILED) text += ": the server does not offer STARTTLS";
  if (reply != 0) text += ", reply " + std::to_string(reply);
  return text;
}

class CurlMailSender final : public MailSender {
 public:
  explicit CurlMailSender(MailServer server) : server_(std::move(server)) {}

  Status send(const MailMessage& message) override {
    CURL* const handle = curl_easy_init();
    if (handle == nullptr) return Error(ErrorCode::internal, "libcurl: out of memory");
    curl_slist* recipients = nullptr;
    for (const std::string& address : message.to) {
      recipients = curl_slist_append(recipients, ("<" + address + ">").c_str());
    }
    MailUpload upload{message.text};
    char detail[CURL_ERROR_SIZE] = "";
    const std::string from = "<" + message.from + ">";
    configure(handle);
    curl_easy_setopt(handle, CURLOPT_MAIL_FROM, from.c_str());
    curl_easy_setopt(handle, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(handle, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(handle, CURLOPT_READFUNCTION, &give_mail);
    curl_easy_setopt(handle, CURLOPT_READDATA, &upload);
    curl_easy_setopt(handle, CURLOPT_ERRORBUFFER, detail);
    const CURLcode code = curl_easy_perform(handle);
    long reply = 0;
    curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &reply);
    curl_slist_free_all(recipients);
    curl_easy_cleanup(handle);
    if (code == CURLE_OK) return {};
    return Error(mail_error_code(code), mail_error_text(code, reply, detail));
  }

 private:
  void configure(CURL* handle) const {
    curl_easy_setopt(handle, CURLOPT_URL, server_.url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(handle, CURLOPT_USE_SSL,
                     static_cast<long>(server_.requires_tls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
    if (!server_.ca_file.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, server_.ca_file.c_str());
    if (!server_.user.empty()) {
      curl_easy_setopt(handle, CURLOPT_USERNAME, server_.user.c_str());
      curl_easy_setopt(handle, CURLOPT_PASSWORD, server_.password.c_str());
    }
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_PROXY, "");  // the variables of a proxy are about HTTP
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, 10'000L);
    curl_easy_setopt(handle, CURLOPT_TIMEOUT_MS, 30'000L);
  }

  const MailServer server_;
};

}  // namespace

std::unique_ptr<MailSender> make_curl_mail_sender(MailServer server) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  DENDRO_CHECK(initialised == CURLE_OK);
  return std::make_unique<CurlMailSender>(std::move(server));
}

}  // namespace dendro
