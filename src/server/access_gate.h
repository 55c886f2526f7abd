#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "identity/authenticator.h"
#include "server/gate_refusal.h"
#include "server/options.h"
#include "server/peer.h"
#include "server/request_reader.h"
#include "server/route.h"
#include "server/shown_credential.h"

namespace dendro {

/// Errors: permission_denied, resource_exhausted, with the caller's text.
struct TenantAnswer {
  Status status;
  std::chrono::seconds retry_after{0};  ///< of resource_exhausted
};

/// A caller that was turned away before any handler; borrowed.
struct RefusedUse {
  const Route& route;
  const RequestHead& head;
  const Principal* principal;  ///< null: nobody known
  const GateRefusal& refusal;
  std::string_view request_id;
  std::string_view peer_address;
  std::string client_address;
};

/// What decides who may pass; fixed after start, outlives the server. The functions are called on loop threads, so they
/// must not wait.
struct AccessParts {
  Authenticator* authenticator = nullptr;  ///< null: open mode
  /// Whether callers must show a credential (five-systems.md 1.4): the first user or key turns it on while the server
  /// runs. Absent: as soon as there is an authenticator.
  std::function<bool()> is_on;
  /// Names of the roles that hold a permission, in the order of their names: for the text of a 403.
  std::function<std::vector<std::string>(Permission)> roles_with;
  /// Whether a tenant takes this now; not if it is suspended or over a quota. Absent: every tenant does.
  std::function<TenantAnswer(const TenantId&, Permission)> tenant_admits;
  /// Hears of each body that was read, decompressed; may be absent.
  std::function<void(const TenantId&, Permission, std::uint64_t bytes)> count_body;
  /// Hears of callers that are turned away with 401 or 403; may be absent.
  std::function<void(const RefusedUse&)> hear_refusal;

  bool asks() const { return authenticator != nullptr && (!is_on || is_on()); }
};

/// Why a change that a cookie authenticates is not taken: a page of another site may have caused it. A browser's own
/// page sends X-Dendro-UI: 1, says where it is from (Sec-Fetch-Site or Origin, whose value the request gate judged
/// before) and sends JSON or plain bytes.
std::optional<GateRefusal> refuse_forged_change(std::string_view method, const HttpHeaders& headers, bool has_body);

/// What a request that needs a right shows about its caller: what its headers say, else the TLS client's certificate.
/// Never both, so that two credentials grant no more than one of them.
/// Refusals: 401 without or with an unreadable credential; 403 where it came readable and `tokens_over_http` is refuse,
/// or by a cookie or certificate that another site's page could have caused to be sent.
std::variant<GateRefusal, Credential> demand_credential(const ServerOptions& options, const Peer& peer,
                                                        const RequestHead& head);

/// What a known caller gets at a route.
struct Passage {
  TenantId tenant = TenantId::default_tenant();
  std::shared_ptr<const Access> access;  ///< in that tenant; of TenantRule::none: in any tenant where it has the right
};

/// Chooses the tenant and looks at the right, in the order of five-systems.md 4.1: the tenant's name (422, 400), the
/// tenant (403), the right (403), the tenant's own state. Pure but for `tenant_admits`.
std::variant<GateRefusal, Passage> admit(const AccessParts& access, Profile profile, const RequestHead& head,
                                         const Route& route, const PrincipalPtr& principal);

/// The refusal that an Error of the Authenticator becomes: 401, 429, 503; texts of inner faults stay inside.
/// What was shown as a cookie, and what has expired, is told so by its code: `signed_out`, `expired` (ui.md 11.7).
GateRefusal refusal_of_authentication(const Error& error, std::string_view request_id, Credential::Kind kind);

/// The tenant that the request names: X-Tenant-ID, or `?tenant=` on platform listeners.
/// Refusals: 400 (no name, two different names).
std::variant<GateRefusal, std::optional<TenantId>> named_tenant(Profile profile, const RequestHead& head);

/// Open mode has the tenant `default` and no other (five-systems.md 1.4).
std::optional<GateRefusal> refuse_open_tenant(Profile profile, const RequestHead& head);

/// The body and headers of a refusal in a shape.
HttpResponse refusal_response(ErrorShape shape, const GateRefusal& refusal, std::string_view request_id);

}  // namespace dendro
