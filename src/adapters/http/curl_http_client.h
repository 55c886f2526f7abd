#pragma once

#include <memory>

#include "io/http_client.h"

namespace dendro {

/// HttpClient over libcurl: proxies of the environment, TLS with the system's certificates or those of SSL_CERT_FILE,
/// kept-alive connections per thread.
std::unique_ptr<HttpClient> make_curl_http_client();

}  // namespace dendro
