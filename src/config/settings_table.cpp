#include "config/settings_table.h"

#include <array>

#include "config/settings_sinks.h"

namespace sallyport::config {

namespace {

using enum FieldKind;
using enum Presence;
using Names = std::string_view;

constexpr std::int64_t second = 1000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;
constexpr std::int64_t kib = 1024;
constexpr std::int64_t mib = 1024 * kib;
constexpr std::int64_t gib = 1024 * mib;

constexpr std::array<Names, 2> flavors{"mysql", "mariadb"};
constexpr std::array<Names, 4> auth_methods{"caching_sha2_password", "mysql_clear_password", "openid_connect",
                                            "dialog"};
constexpr std::array<Names, 2> compression_offers{"zlib", "zstd"};
constexpr std::array<Names, 3> compressions{"none", "zlib", "zstd"};
constexpr std::array<Names, 2> protected_literals{"redacted", "sealed"};
constexpr std::array<Names, 2> issuer_kinds{"oidc", "spiffe"};
constexpr std::array<Names, 10> algorithms{"RS256", "RS384", "RS512", "PS256", "PS384",
                                           "PS512", "ES256", "ES384", "ES512", "EdDSA"};
constexpr std::array<Names, 2> subjects{"machine", "any"};
constexpr std::array<Names, 4> tls_modes{"verify-full", "verify-ca", "required", "disabled"};
constexpr std::array<Names, 2> pool_modes{"pooled", "dedicated"};
constexpr std::array<Names, 2> server_roles{"primary", "replica"};
constexpr std::array<Names, 3> server_choices{"primary", "replica", "prefer_replica"};
constexpr std::array<Names, 2> durabilities{"normal", "strict"};
constexpr std::array<Names, 4> log_levels{"debug", "info", "warning", "error"};
constexpr std::array<Names, 2> log_formats{"json", "text"};

constexpr std::array<Field, 2> listener_tls_fields{{
    {.name = "certificate",
     .kind = path,
     .presence = required,
     .meaning = "PEM file with the certificate and its chain. Read again when it or the key changes; a bad pair leaves "
                "the one "
                "before in use."},
    {.name = "key",
     .kind = path,
     .presence = required,
     .meaning = "PEM file with the private key; others than its owner and group must not be able to read it."},
}};
constexpr Section listener_tls{"listener_tls", "The certificate that clients are shown.", listener_tls_fields};

constexpr std::array<Field, 10> listener_fields{{
    {.name = "name",
     .kind = name,
     .presence = required,
     .meaning = "How logs and records call it.",
     .least = 1,
     .most = 64},
    {.name = "address",
     .kind = address,
     .meaning = "Numeric IPv4 or IPv6 address to listen on; `0.0.0.0` or `\"::\"` for all. Either this or `socket`."},
    {.name = "socket",
     .kind = path,
     .meaning = "Path of a Unix socket to listen on; there clients may log in without TLS. Either this or `address`."},
    {.name = "port",
     .kind = integer,
     .default_value = "3307",
     .meaning = "TCP port, with `address` only; 0 takes any free one and logs it.",
     .least = 0,
     .most = 65535},
    {.name = "flavor",
     .kind = choice,
     .default_value = "mysql",
     .meaning = "Which server the greeting speaks for. Drivers behave after it, so it must be that of the connections "
                "used through this listener.",
     .choices = flavors},
    {.name = "server_version",
     .kind = text,
     .meaning = "The version that the greeting states. By default one of the flavor.",
     .least = 1,
     .most = 64},
    {.name = "auth_method",
     .kind = choice,
     .default_value = "caching_sha2_password",
     .meaning = "How a client whose first answer carries no token is asked for it.",
     .choices = auth_methods},
    {.name = "compression",
     .kind = FieldKind::choices,
     .meaning = "Which algorithms clients may choose for the compressed protocol; `[]` for none. By default what a "
                "server of the flavor offers: `[zlib, zstd]` with `mysql`, `[zlib]` with `mariadb`. A client that does "
                "not ask for it is not compressed.",
     .least = 0,
     .most = 2,
     .choices = compression_offers},
    {.name = "proxy_protocol_from",
     .kind = texts,
     .meaning =
         "Addresses or ranges (`10.0.0.0/8`) of load balancers: each of their connections must begin with a PROXY "
         "protocol version 2 header, which names the client. From elsewhere such a header is refused.",
     .least = 1,
     .most = 64},
    {.name = "tls",
     .kind = section,
     .meaning = "Without it, a development certificate is made in `state_directory` at the first start.",
     .section = &listener_tls},
}};
constexpr std::array<Names, 2> listener_exactly_one{"address", "socket"};
constexpr Section listener{"listener", "An address on which database clients connect.", listener_fields,
                           listener_exactly_one};

constexpr std::array<Field, 2> admin_fields{{
    {.name = "address", .kind = address, .default_value = "127.0.0.1", .meaning = "A loopback address."},
    {.name = "port",
     .kind = integer,
     .default_value = "9307",
     .meaning = "TCP port; 0 takes any free one and logs it.",
     .least = 0,
     .most = 65535},
}};
constexpr Section admin{"admin", "Where `/healthz`, `/readyz` and `/metrics` are served, in plain HTTP.", admin_fields};

constexpr std::array<Field, 4> keys_fields{{
    {.name = "discovery",
     .kind = url,
     .meaning = "URL of the issuer's OpenID configuration document, which names its JWK set."},
    {.name = "jwks_url", .kind = url, .meaning = "URL of the JWK set itself."},
    {.name = "jwks_file", .kind = path, .meaning = "File with the JWK set. Read again when it changes."},
    {.name = "jwks", .kind = jwks, .meaning = "The JWK set, as JSON text or as a mapping."},
}};
constexpr std::array<Names, 4> keys_exactly_one{"discovery", "jwks_url", "jwks_file", "jwks"};
constexpr Section issuer_keys{"issuer_keys",
                              "Where the keys that sign an issuer's tokens come from: exactly one of these.",
                              keys_fields, keys_exactly_one};

constexpr std::array<Field, 13> issuer_fields{{
    {.name = "name",
     .kind = name,
     .presence = required,
     .meaning = "How the rest of the configuration, logs and records call it.",
     .least = 1,
     .most = 64},
    {.name = "kind",
     .kind = choice,
     .default_value = "oidc",
     .meaning = "`oidc`: JWT access tokens. `spiffe`: SPIFFE JWT-SVIDs.",
     .choices = issuer_kinds},
    {.name = "issuer",
     .kind = text,
     .presence = required,
     .meaning =
         "`oidc`: the value of `iss`, byte for byte. `spiffe`: the trust domain, e.g. `spiffe://prod.example.org`.",
     .least = 1,
     .most = 1024},
    {.name = "audiences",
     .kind = texts,
     .presence = required,
     .meaning = "A token must name at least one of these in `aud`.",
     .least = 1,
     .most = 64},
    {.name = "keys",
     .kind = section,
     .presence = required,
     .meaning = "Where its signing keys come from.",
     .section = &issuer_keys},
    {.name = "ca",
     .kind = path,
     .meaning = "PEM file with the authorities that fetches of keys trust. By default those of the system."},
    {.name = "algorithms",
     .kind = FieldKind::choices,
     .default_value = "[RS256, PS256, ES256, EdDSA]",
     .meaning = "Signature algorithms that its tokens may use.",
     .least = 1,
     .most = 10,
     .choices = algorithms},
    {.name = "token_types",
     .kind = texts,
     .default_value = "[at+jwt]",
     .meaning = "Values of the header's `typ` that are taken. The default of a `spiffe` issuer is `[JWT, JOSE]`, and a "
                "JWT-SVID may also leave it out.",
     .least = 1,
     .most = 16},
    {.name = "subjects",
     .kind = choice,
     .default_value = "machine",
     .meaning = "`machine`: only tokens that were issued to a client for itself, none on behalf of a human.",
     .choices = subjects},
    {.name = "lifetime_max",
     .kind = duration,
     .default_value = "1h",
     .meaning = "Longest time between `iat` and `exp`. Whole seconds.",
     .least = second,
     .most = 30 * day},
    {.name = "clock_skew",
     .kind = duration,
     .default_value = "30s",
     .meaning =
         "Tolerance on `nbf` and `iat`, for an issuer whose clock is ahead; `exp` is never put off. Whole seconds.",
     .least = 0,
     .most = 10 * minute},
    {.name = "refresh_every",
     .kind = duration,
     .default_value = "5m",
     .meaning = "How often fetched keys are fetched anew in the background. Whole seconds.",
     .least = 10 * second,
     .most = day},
    {.name = "stale_keys_max",
     .kind = duration,
     .default_value = "1h",
     .meaning = "How long keys fetched earlier serve while the issuer can't be reached. Whole seconds.",
     .least = 0,
     .most = 7 * day},
}};
constexpr Section issuer{"issuer", "An identity provider whose tokens are taken.", issuer_fields};

constexpr std::array<Field, 5> backend_tls_fields{{
    {.name = "mode",
     .kind = choice,
     .default_value = "verify-full",
     .meaning = "`verify-full`: certificate and host name are verified. `verify-ca`: the certificate only. `required`: "
                "encrypted, not verified. `disabled`: in clear, which is the default on a Unix socket.",
     .choices = tls_modes},
    {.name = "ca", .kind = path, .meaning = "PEM file with the authorities to trust. By default those of the system."},
    {.name = "server_name",
     .kind = text,
     .meaning = "Name that the certificate must have. By default the host. A server of `servers` can have its own.",
     .least = 1,
     .most = 253},
    {.name = "certificate", .kind = path, .meaning = "PEM file with the certificate of the gateway as a client."},
    {.name = "key", .kind = path, .meaning = "PEM file with the key of that certificate."},
}};
constexpr Section backend_tls{"backend_tls", "TLS to the database server.", backend_tls_fields};

constexpr std::array<Field, 3> secret_fields{{
    {.name = "file",
     .kind = path,
     .meaning = "File that holds the secret. One line break at its end is not part of it. Others than its owner and "
                "group must not be able to read it."},
    {.name = "env", .kind = text, .meaning = "Name of an environment variable.", .least = 1, .most = 256},
    {.name = "systemd_credential",
     .kind = text,
     .meaning = "Name of a credential that systemd passes (`LoadCredential=`).",
     .least = 1,
     .most = 255},
}};
constexpr std::array<Names, 3> secret_exactly_one{"file", "env", "systemd_credential"};

constexpr std::array<Field, 3> login_fields{{
    {.name = "name",
     .kind = name,
     .meaning = "How grants call it. By default the same as `user`.",
     .least = 1,
     .most = 128},
    {.name = "user",
     .kind = text,
     .presence = required,
     .meaning = "User name of the database account.",
     .least = 1,
     .most = 128},
    {.name = "password", .kind = section, .presence = required, .meaning = "Its password.", .section = &secret_section},
}};
constexpr Section login{"login", "A database account whose password only the gateway holds.", login_fields};

constexpr std::array<Field, 9> pool_fields{{
    {.name = "mode",
     .kind = choice,
     .default_value = "pooled",
     .meaning = "`pooled`: a session takes a connection that is open and was reset, if there is one. `dedicated`: each "
                "session opens its own and closes it; the other settings then mean nothing.",
     .choices = pool_modes},
    {.name = "connections_max",
     .kind = integer,
     .default_value = "1000",
     .meaning =
         "Connections of one login to one server that are open at a time, in use or not. Logins beyond it wait in the "
         "order of their arrival.",
     .least = 1,
     .most = 100'000},
    {.name = "connections_min",
     .kind = integer,
     .default_value = "0",
     .meaning = "Connections of one login to one server that are kept open. They are opened once a session has shown "
                "which protocol features its clients use.",
     .least = 0,
     .most = 100'000},
    {.name = "idle_max",
     .kind = integer,
     .default_value = "100",
     .meaning = "Connections of one login to one server that are kept although no session needs them.",
     .least = 0,
     .most = 100'000},
    {.name = "waiting_max",
     .kind = integer,
     .default_value = "1000",
     .meaning = "Logins that wait for a connection at a time; one more is refused.",
     .least = 0,
     .most = 100'000},
    {.name = "wait_timeout",
     .kind = duration,
     .default_value = "5s",
     .meaning = "How long a login waits for a connection.",
     .least = 0,
     .most = 10 * minute},
    {.name = "idle_timeout",
     .kind = duration,
     .default_value = "5m",
     .meaning = "A connection unused for so long is closed, down to `connections_min`. Keep it below the server's "
                "`wait_timeout`.",
     .least = second,
     .most = day},
    {.name = "age_max",
     .kind = duration,
     .default_value = "1h",
     .meaning = "A connection older than this, give or take a tenth, is not used again.",
     .least = second,
     .most = 30 * day},
    {.name = "check_interval",
     .kind = duration,
     .default_value = "30s",
     .meaning = "How often an idle connection is checked.",
     .least = second,
     .most = day},
}};
constexpr Section pool{"pool", "How server connections are shared by sessions, one after the other.", pool_fields};

constexpr std::array<Field, 3> catalogue_fields{{
    {.name = "login",
     .kind = name,
     .presence = required,
     .meaning =
         "Which of the connection's `logins` reads it. Only what that account may see is known: give it `SELECT`, "
         "`SHOW VIEW` and `TRIGGER` on `*.*`.",
     .least = 1,
     .most = 128},
    {.name = "refresh",
     .kind = duration,
     .default_value = "60s",
     .meaning = "How often it is read; a reading that takes long is followed by a rest as long.",
     .least = second,
     .most = day},
    {.name = "timeout",
     .kind = duration,
     .default_value = "10s",
     .meaning = "How long one reading may take, from the connection on.",
     .least = second / 10,
     .most = 10 * minute},
}};
constexpr Section catalogue{"catalogue",
                            "The schemas of a connection's servers, as they are kept for the analysis of statements.",
                            catalogue_fields};

constexpr std::array<Field, 7> server_fields{{
    {.name = "name",
     .kind = name,
     .presence = required,
     .meaning = "How logs, records and metrics call it.",
     .least = 1,
     .most = 64},
    {.name = "role",
     .kind = choice,
     .presence = required,
     .meaning = "`primary` or `replica`: what grants ask for. Primaries are used one after the other: a later one only "
                "while the earlier ones can't be reached. Sessions are spread evenly over replicas.",
     .choices = server_roles},
    {.name = "host",
     .kind = text,
     .meaning = "Host name or address; of several addresses the first that answers. Either this or `socket`.",
     .least = 1,
     .most = 253},
    {.name = "port",
     .kind = integer,
     .default_value = "3306",
     .meaning = "TCP port, with `host` only.",
     .least = 1,
     .most = 65535},
    {.name = "socket", .kind = path, .meaning = "Path of the server's Unix socket. Either this or `host`."},
    {.name = "server_name",
     .kind = text,
     .meaning = "Name that its certificate must have. By default that of `tls`, or else the host.",
     .least = 1,
     .most = 253},
    {.name = "server_public_key",
     .kind = path,
     .meaning = "PEM file with its RSA key, with which passwords are encrypted where there is no TLS."},
}};
constexpr std::array<Names, 2> server_exactly_one{"host", "socket"};
constexpr Section server{"server", "One of several servers that hold the same data.", server_fields,
                         server_exactly_one};

constexpr std::array<Field, 16> connection_fields{{
    {.name = "name",
     .kind = name,
     .presence = required,
     .meaning = "What clients give as user name: `name`, or `name.role`.",
     .least = 1,
     .most = 64},
    {.name = "flavor",
     .kind = choice,
     .default_value = "mysql",
     .meaning = "Which server it leads to.",
     .choices = flavors},
    {.name = "host",
     .kind = text,
     .meaning = "Host name or address of the only server; of several addresses the first that answers. One of this, "
                "`socket` and "
                "`servers`.",
     .least = 1,
     .most = 253},
    {.name = "port",
     .kind = integer,
     .default_value = "3306",
     .meaning = "TCP port, with `host` only.",
     .least = 1,
     .most = 65535},
    {.name = "socket",
     .kind = path,
     .meaning = "Path of the only server's Unix socket. One of this, `host` and `servers`."},
    {.name = "servers",
     .kind = sections,
     .meaning =
         "Several servers with the same data and logins, in the order in which primaries are tried. One of this, "
         "`host` and `socket`.",
     .least = 1,
     .most = 16,
     .section = &server},
    {.name = "tls", .kind = section, .meaning = "TLS to the server.", .section = &backend_tls},
    {.name = "server_public_key",
     .kind = path,
     .meaning = "PEM file with the only server's RSA key, with which passwords are encrypted where there is no TLS."},
    {.name = "trust_server_public_key",
     .kind = boolean,
     .default_value = "false",
     .meaning = "Ask the server for that key instead. An attacker between gateway and server could answer."},
    {.name = "default_schema",
     .kind = text,
     .meaning = "Schema of sessions whose client names none.",
     .least = 1,
     .most = 64},
    {.name = "compression",
     .kind = choice,
     .default_value = "none",
     .meaning = "Of the traffic with the server: worth its processor time where the network between is slow or paid "
                "for. `zstd` is MySQL's only. Logins fail with `backend_incompatible` where the server lacks it.",
     .choices = compressions},
    {.name = "pool", .kind = section, .meaning = "The pool of each login's connections.", .section = &pool},
    {.name = "logins",
     .kind = sections,
     .presence = required,
     .meaning = "Accounts on the server.",
     .least = 1,
     .most = 1000,
     .section = &login},
    {.name = "catalogue",
     .kind = section,
     .meaning = "How its catalogue is read. Without this none is.",
     .section = &catalogue},
    {.name = "protected_columns",
     .kind = texts,
     .meaning =
         "Columns of base tables, as `schema.table.column`; `*` in place of one of the three is any. Literals and "
         "parameters that may tell of their values stay out of the audit log "
         "([audit records](audit-records.md)). It takes a `catalogue`.",
     .least = 1,
     .most = 1000},
    {.name = "protected_literals",
     .kind = choice,
     .default_value = "redacted",
     .meaning = "What becomes of these literals: `redacted`, they are nowhere; `sealed`, they are in the record "
                "encrypted under `audit.answers_key`, for those who have it (`--unseal`).",
     .choices = protected_literals},
}};
constexpr std::array<Names, 3> connection_exactly_one{"host", "socket", "servers"};
constexpr Section connection{"connection",
                             "A database server, or several, that service accounts can be given access to.",
                             connection_fields, connection_exactly_one};

constexpr std::array<Field, 2> match_fields{{
    {.name = "issuer",
     .kind = name,
     .presence = required,
     .meaning = "Name of the issuer that the token must come from.",
     .least = 1,
     .most = 64},
    {.name = "claims",
     .kind = claims,
     .presence = required,
     .meaning = "Claim to condition; all must hold. A text means equality; see [conditions](#conditions-on-claims).",
     .least = 1,
     .most = 64},
}};
constexpr Section match{"match", "A rule that says which tokens an account is for; any of an account's rules suffices.",
                        match_fields};

constexpr std::array<Field, 6> grant_fields{{
    {.name = "connection",
     .kind = name,
     .presence = required,
     .meaning = "Name of the connection.",
     .least = 1,
     .most = 64},
    {.name = "role",
     .kind = name,
     .meaning = "What a client writes after the dot to ask for this grant. The first grant "
                "of a connection is also taken when the client writes no role.",
     .least = 1,
     .most = 64},
    {.name = "login",
     .kind = text,
     .meaning = "Name of the connection's login to use. May be left out where the connection has only one.",
     .least = 1,
     .most = 128},
    {.name = "set_role",
     .kind = text,
     .meaning = "Role of the database that is set after the login. By default the login's own default roles apply.",
     .least = 1,
     .most = 128},
    {.name = "local_infile",
     .kind = boolean,
     .default_value = "false",
     .meaning =
         "`true` lets LOAD DATA LOCAL read files of the client. The server has to allow it too (its `local_infile`)."},
    {.name = "servers",
     .kind = choice,
     .default_value = "primary",
     .meaning = "Which of the connection's servers its sessions may be on. `primary`: the first primary that can be "
                "reached. `replica`: any replica. `prefer_replica`: any replica, and a primary while none can be "
                "reached. See [several servers](#several-servers).",
     .choices = server_choices},
}};
constexpr Section grant{"grant", "What a service account may open.", grant_fields};

constexpr std::array<Field, 6> account_limits_fields{{
    {.name = "sessions_max",
     .kind = integer,
     .default_value = "1000",
     .meaning =
         "Sessions at a time; 0: as many as `limits.connections_max`. One that ended counts until the server was "
         "told to end what it left running.",
     .least = 0,
     .most = 1'000'000},
    {.name = "logins_per_second_max",
     .kind = integer,
     .default_value = "0",
     .meaning = "Logins a second on average, and at most so many at once; 0: no bound.",
     .least = 0,
     .most = 1'000'000},
    {.name = "statement_timeout",
     .kind = duration,
     .default_value = "0s",
     .meaning = "From a command's forwarding to the end of its answer, of a text of several statements for each of "
                "them; then the server is told to stop it, the client gets "
                "an error and the session goes on. 0s: until the token expires.",
     .least = 0,
     .most = 365 * day},
    {.name = "transaction_timeout",
     .kind = duration,
     .default_value = "0s",
     .meaning =
         "How long a transaction may stay open; then the session ends and it is rolled back. A statement that runs is "
         "one too, unless `statement_timeout` stops it first. XA PREPARE is refused, as "
         "what it prepares outlives the session; a stored procedure that is there already may do it. 0s: until the "
         "token expires.",
     .least = 0,
     .most = 365 * day},
    {.name = "result_rows_max",
     .kind = integer,
     .default_value = "0",
     .meaning =
         "Rows in the answer to one command; to each fetch of a cursor, and to each statement of a text of several. An "
         "error stands in the place of the next. 0: no bound.",
     .least = 0,
     .most = 1'000'000'000'000},
    {.name = "result_bytes_max",
     .kind = size,
     .default_value = "0B",
     .meaning = "The same in bytes, counted before each row. 0B: no bound.",
     .least = 0,
     .most = 1024 * gib},
}};
constexpr Section account_limits{"account_limits", "What the sessions of a service account may use.",
                                 account_limits_fields};

constexpr std::array<Field, 6> account_fields{{
    {.name = "name",
     .kind = name,
     .presence = required,
     .meaning = "How logs and records call it.",
     .least = 1,
     .most = 64},
    {.name = "disabled",
     .kind = boolean,
     .default_value = "false",
     .meaning = "`true` refuses its logins, and a reload with it ends its sessions."},
    {.name = "match",
     .kind = sections,
     .presence = required,
     .meaning = "Which tokens it is for.",
     .least = 1,
     .most = 100,
     .section = &match},
    {.name = "grants",
     .kind = sections,
     .presence = required,
     .meaning = "What it may open.",
     .least = 1,
     .most = 1000,
     .section = &grant},
    {.name = "limits",
     .kind = section,
     .meaning = "What is not given here is as in `limits.account`.",
     .section = &account_limits},
    {.name = "answers",
     .kind = text,
     .meaning = "How much of each answer is recorded, as in `audit.answers`, whose value is the default.",
     .least = 1,
     .most = 32},
}};
constexpr Section account{"service_account", "An identity of the gateway's own, to which tokens are mapped.",
                          account_fields};

constexpr std::array<Field, 21> limits_fields{{
    {.name = "packet_bytes_max",
     .kind = size,
     .default_value = "64MiB",
     .meaning = "Longest command of a client.",
     .least = kib,
     .most = gib},
    {.name = "digested_answer_bytes_max",
     .kind = size,
     .default_value = "1024GiB",
     .meaning = "Of an answer that is longer the audit log has no digest.",
     .least = kib,
     .most = 1024 * gib},
    {.name = "token_bytes_max",
     .kind = size,
     .default_value = "16KiB",
     .meaning = "Longest token; a longer one is refused unread.",
     .least = kib,
     .most = mib},
    {.name = "verified_signatures_max",
     .kind = integer,
     .default_value = "4096",
     .meaning = "Signatures of tokens that each event loop remembers as valid, so that a token that comes again is not "
                "verified again; its key and its claims always are. 0: none.",
     .most = 1'000'000},
    {.name = "statement_tree_bytes_max",
     .kind = size,
     .default_value = "256MiB",
     .meaning =
         "Memory that the syntax tree of one statement may take, some 4 to 16 times its text; one that needs more "
         "is refused. Each event loop has one at a time.",
     .least = mib,
     .most = 16 * gib},
    {.name = "prepared_statements_max",
     .kind = integer,
     .default_value = "4096",
     .meaning = "Prepared statements of one session.",
     .least = 1,
     .most = 1'000'000},
    {.name = "bulk_values_max",
     .kind = integer,
     .default_value = "4194304",
     .meaning = "Rows times parameters of one bulk execution (MariaDB's COM_STMT_BULK_EXECUTE).",
     .least = 1,
     .most = 1'000'000'000},
    {.name = "local_file_bytes_max",
     .kind = size,
     .default_value = "1GiB",
     .meaning = "Largest file of a LOAD DATA LOCAL; a larger one ends the session.",
     .least = kib,
     .most = 1024 * gib},
    {.name = "handshake_timeout",
     .kind = duration,
     .default_value = "10s",
     .meaning = "From the greeting until the client is authenticated, the login at the server not counted.",
     .least = 100,
     .most = 10 * minute},
    {.name = "backend_login_timeout",
     .kind = duration,
     .default_value = "10s",
     .meaning = "Connecting, TLS and login at the server, together; at all the servers that are tried.",
     .least = 100,
     .most = 10 * minute},
    {.name = "backend_attempt_timeout",
     .kind = duration,
     .default_value = "3s",
     .meaning = "How much of that one server may take while the connection has another that can be tried.",
     .least = 100,
     .most = 10 * minute},
    {.name = "idle_timeout",
     .kind = duration,
     .default_value = "8h",
     .meaning = "How long a session may wait for a command.",
     .least = second,
     .most = 365 * day},
    {.name = "receive_timeout",
     .kind = duration,
     .default_value = "60s",
     .meaning =
         "How long nothing may come of a command that has begun, counted from its last byte. Longer, and the session "
         "ends.",
     .least = second,
     .most = hour},
    {.name = "write_timeout",
     .kind = duration,
     .default_value = "60s",
     .meaning = "How long a peer may take nothing of what is due to it.",
     .least = second,
     .most = hour},
    {.name = "kill_timeout",
     .kind = duration,
     .default_value = "5s",
     .meaning =
         "How long the gateway may take to have a server stop a statement, from the need for it to the answer to "
         "its `KILL`, and how long the statement may then take to end. Longer, and the session ends.",
     .least = 100,
     .most = hour},
    {.name = "side_connections_max",
     .kind = integer,
     .default_value = "16",
     .meaning =
         "Side connections for such a `KILL` at a time, to all servers together. They come on top of the pools'.",
     .least = 1,
     .most = 10'000},
    {.name = "kills_waiting_max",
     .kind = integer,
     .default_value = "1000",
     .meaning =
         "How many such `KILL`s may wait for a side connection. Beyond it, what a session leaves running is only "
         "cut off, and a statement that is to be stopped ends its session.",
     .least = 0,
     .most = 1'000'000},
    {.name = "connections_max",
     .kind = integer,
     .default_value = "10000",
     .meaning = "Client connections at a time. Where the limit of open files is too low for two each and 256 besides, "
                "fewer, and the log says so.",
     .least = 1,
     .most = 1'000'000},
    {.name = "connections_per_second_max",
     .kind = integer,
     .default_value = "0",
     .meaning = "Client connections accepted a second on average, and at most so many at once; 0: no bound.",
     .least = 0,
     .most = 1'000'000},
    {.name = "drain_timeout",
     .kind = duration,
     .default_value = "30s",
     .meaning = "How long sessions may go on after SIGTERM: until their transaction, and the command at hand with all "
                "its statements, has ended.",
     .least = 0,
     .most = day},
    {.name = "account",
     .kind = section,
     .meaning = "Of each service account, where its own `limits` don't say otherwise.",
     .section = &account_limits},
}};
constexpr Section limits{"limits", "Bounds on what peers can make the gateway hold or wait for.", limits_fields};

constexpr std::array<Field, 4> tcp_fields{{
    {.name = "keep_alive_idle",
     .kind = duration,
     .default_value = "60s",
     .meaning = "How long a connection may be silent before it is probed (TCP_KEEPIDLE). Whole seconds.",
     .least = second,
     .most = 9 * hour},
    {.name = "keep_alive_interval",
     .kind = duration,
     .default_value = "10s",
     .meaning = "Between probes (TCP_KEEPINTVL). Whole seconds.",
     .least = second,
     .most = 9 * hour},
    {.name = "keep_alive_probes",
     .kind = integer,
     .default_value = "6",
     .meaning = "Unanswered probes that end a connection (TCP_KEEPCNT).",
     .least = 1,
     .most = 127},
    {.name = "user_timeout",
     .kind = duration,
     .default_value = "60s",
     .meaning = "How long what was sent may stay unacknowledged (TCP_USER_TIMEOUT).",
     .least = second,
     .most = hour},
}};
constexpr Section tcp{"tcp", "How clients and servers that are gone without a word are found. For new connections.",
                      tcp_fields};

constexpr std::array<Field, 2> retention_fields{{
    {.name = "age",
     .kind = duration,
     .meaning = "Deleted is what is older, by a segment's last record. By default nothing is for its age.",
     .least = second,
     .most = 36'500 * day},
    {.name = "bytes",
     .kind = size,
     .meaning = "Deleted is what is beyond, of all segments together. By default nothing is for its size.",
     .least = mib,
     .most = 1024 * 1024 * gib},
}};
constexpr Section retention{"retention",
                            "When closed segments of the audit log are deleted, oldest first. That they were is on "
                            "record, and what remains can still be verified.",
                            retention_fields};

constexpr std::array<Field, 5> witness_fields{{
    {.name = "file",
     .kind = path,
     .meaning = "A file, best on another host's disk, to which checkpoints are appended as they are in `checkpoints`."},
    {.name = "url",
     .kind = url,
     .meaning = "Where a witness takes checkpoints by C2SP's tlog-witness protocol: `/add-checkpoint` is added."},
    {.name = "key",
     .kind = text,
     .meaning = "Of a `url`, which must have one: the witness' verifier key, `NAME+KEYID+KEY`.",
     .least = 1,
     .most = 1024},
    {.name = "ca",
     .kind = path,
     .meaning = "Of a `url`: PEM file with the authorities to trust; default: the system's."},
    {.name = "every",
     .kind = duration,
     .default_value = "60s",
     .meaning = "Checkpoints are not sent more often. The last one at the end of the gateway is sent at once.",
     .least = second,
     .most = day},
}};
constexpr std::array<Names, 2> witness_exactly_one{"file", "url"};
constexpr Section witness{
    "witness",
    "Whom the audit log's checkpoints are sent to, so that history can't be rewritten by those who "
    "run the gateway ([evidence](evidence.md#witnesses)). What is sent has no record in it.",
    witness_fields, witness_exactly_one};

constexpr std::array<Field, 3> served_witness_fields{{
    {.name = "name",
     .kind = text,
     .presence = required,
     .meaning = "This witness' name, best a host's name and a path: no spaces, no `+`.",
     .least = 1,
     .most = 255},
    {.name = "signing_key",
     .kind = path,
     .meaning = "PEM file with the Ed25519 key that cosigns, and nothing else. By default `witness.key` in "
                "`state_directory`. It is made when it isn't there, with the verifier key beside it (`.pub`)."},
    {.name = "logs",
     .kind = texts,
     .presence = required,
     .meaning =
         "Verifier keys of the logs whose checkpoints are cosigned: of each log the line of its `audit.key.pub`.",
     .least = 1,
     .most = 1000},
}};
constexpr Section served_witness{"served_witness",
                                 "This gateway is a witness of other gateways' audit logs: its admin listener serves "
                                 "`POST /witness/add-checkpoint` ([evidence](evidence.md#witnesses)).",
                                 served_witness_fields};

constexpr std::array<Field, 17> audit_fields{{
    {.name = "directory",
     .kind = path,
     .default_value = "/var/log/sallyport",
     .meaning = "Holds the log and nothing else; [its format](audit-format.md). It is made at the first start."},
    {.name = "origin",
     .kind = text,
     .meaning =
         "The log's name, which checkpoints state: no spaces, no `+`. By default the host's. A log keeps its name.",
     .least = 1,
     .most = 255},
    {.name = "signing_key",
     .kind = path,
     .meaning =
         "PEM file with the Ed25519 key that signs checkpoints. By default `audit.key` in `state_directory`. It is "
         "made when it isn't there, with the verifier key beside it (`.pub`). After a reload that finds another "
         "key in it the log is handed over to that."},
    {.name = "previous_signing_key",
     .kind = path,
     .meaning = "The key that signed so far, where `signing_key` is another one at a start: the log is handed over."},
    {.name = "durability",
     .kind = choice,
     .default_value = "normal",
     .meaning =
         "What a statement's record survives before the statement is forwarded: `normal` the end of the process, "
         "`strict` the loss of power. In `normal` it is on the disk 100 ms later.",
     .choices = durabilities},
    {.name = "segment_bytes",
     .kind = size,
     .default_value = "64MiB",
     .meaning = "A segment that has as much is closed and compressed.",
     .least = 64 * kib,
     .most = 4 * gib},
    {.name = "segment_age",
     .kind = duration,
     .default_value = "1h",
     .meaning = "A segment whose first record is as old, likewise.",
     .least = second,
     .most = 30 * day},
    {.name = "checkpoint_records",
     .kind = integer,
     .default_value = "100000",
     .meaning = "A checkpoint is signed after as many records, and otherwise each second that has new ones.",
     .least = 1,
     .most = 100'000'000},
    {.name = "stall_limit",
     .kind = duration,
     .default_value = "2s",
     .meaning = "Longer than this the disk may not take for one request, of 4 MiB at most: then statements are "
                "refused until it has answered. As long as it answers, they wait.",
     .least = 100,
     .most = minute},
    {.name = "retention", .kind = section, .meaning = "How long closed segments are kept.", .section = &retention},
    {.name = "journal_bytes",
     .kind = size,
     .default_value = "16MiB",
     .meaning =
         "Of each event loop's journal, which holds what is not on the disk yet. It is allocated at the start. "
         "What it has no room for waits in memory, of each loop up to 8 MiB, and besides up to 64 MiB of records "
         "of 64 KiB and more, and one of them beyond.",
     .least = 64 * kib,
     .most = 4 * gib},
    {.name = "answers",
     .kind = text,
     .default_value = "none",
     .meaning = "How much of the answer to each command is recorded: `none`, `all`, or so many bytes of its beginning, "
                "e.g. `64KiB`.",
     .least = 1,
     .most = 32},
    {.name = "answers_key",
     .kind = section,
     .meaning = "The key that encrypts recorded answers, and literals where `protected_literals` has them sealed: 32 "
                "random bytes as 64 hexadecimal digits or base64 (`openssl rand -base64 32`). Without it answers are "
                "in the clear. It may change at a reload.",
     .section = &secret_section},
    {.name = "previous_answers_keys",
     .kind = sections,
     .meaning = "Keys that encrypted answers before: `sallyport sessions replay --config` reads with these, too.",
     .least = 1,
     .most = 100,
     .section = &secret_section},
    {.name = "witnesses",
     .kind = sections,
     .meaning = "Who gets the log's checkpoints.",
     .least = 1,
     .most = 16,
     .section = &witness},
    {.name = "claims",
     .kind = texts,
     .meaning = "Claims of the token that are on record at each login, by name, or by names with dots between them; "
                "besides those that the record has anyway.",
     .least = 1,
     .most = 32},
    {.name = "sinks",
     .kind = sections,
     .meaning = "Where records go besides.",
     .least = 1,
     .most = 16,
     .section = &sink_section},
}};
constexpr Section audit{"audit", "The record of who did what. Where it can't be written, nothing is forwarded.",
                        audit_fields};

constexpr std::array<Field, 2> log_fields{{
    {.name = "level",
     .kind = choice,
     .default_value = "info",
     .meaning = "Least severity that is logged.",
     .choices = log_levels},
    {.name = "format",
     .kind = choice,
     .default_value = "json",
     .meaning = "One JSON object a line, or text to read.",
     .choices = log_formats},
}};
constexpr Section log{"log",
                      "The program's own log, on standard error. Where that has no room for a line, the line is lost, "
                      "and a later one says so: nothing waits for what reads it.",
                      log_fields};

constexpr std::array<Field, 12> root_fields{{
    {.name = "listeners",
     .kind = sections,
     .presence = required,
     .meaning = "Where clients connect.",
     .least = 1,
     .most = 64,
     .section = &listener},
    {.name = "admin", .kind = section, .meaning = "Where health and metrics are served.", .section = &admin},
    {.name = "worker_threads",
     .kind = integer,
     .default_value = "0",
     .meaning = "Event loops; 0 means one for each core.",
     .least = 0,
     .most = 1024},
    {.name = "state_directory",
     .kind = path,
     .default_value = "/var/lib/sallyport",
     .meaning = "Holds what can be made anew, such as the development certificate. It is made at the first start."},
    {.name = "issuers",
     .kind = sections,
     .presence = required,
     .meaning = "Whose tokens are taken.",
     .least = 1,
     .most = 100,
     .section = &issuer},
    {.name = "connections",
     .kind = sections,
     .presence = required,
     .meaning = "Which servers there are.",
     .least = 1,
     .most = 1000,
     .section = &connection},
    {.name = "service_accounts",
     .kind = sections,
     .presence = required,
     .meaning = "Who may do what.",
     .least = 1,
     .most = 10000,
     .section = &account},
    {.name = "limits", .kind = section, .meaning = "Bounds.", .section = &limits},
    {.name = "tcp", .kind = section, .meaning = "How peers that are gone are found.", .section = &tcp},
    {.name = "audit", .kind = section, .meaning = "The audit log.", .section = &audit},
    {.name = "witness",
     .kind = section,
     .meaning = "Of which other audit logs this gateway is a witness. By default of none.",
     .section = &served_witness},
    {.name = "log", .kind = section, .meaning = "What the program logs.", .section = &log},
}};
constexpr Section root{"configuration", "The document.", root_fields};

constexpr std::array<const Section*, 32> sections_in_order{&root,
                                                           &listener,
                                                           &listener_tls,
                                                           &admin,
                                                           &issuer,
                                                           &issuer_keys,
                                                           &connection,
                                                           &server,
                                                           &backend_tls,
                                                           &pool,
                                                           &catalogue,
                                                           &login,
                                                           &secret_section,
                                                           &account,
                                                           &match,
                                                           &grant,
                                                           &limits,
                                                           &account_limits,
                                                           &tcp,
                                                           &audit,
                                                           &retention,
                                                           &witness,
                                                           &served_witness,
                                                           &log,
                                                           &sink_section,
                                                           &sink_file_section,
                                                           &sink_syslog_section,
                                                           &sink_http_section,
                                                           &sink_http_header_section,
                                                           &sink_kafka_section,
                                                           &sink_sasl_section,
                                                           &sink_tls_section};

}  // namespace

constexpr Section secret_section{
    "secret", "Where a secret comes from: exactly one of these. A secret is never written in the document.",
    secret_fields, secret_exactly_one};

const Section& root_section() {
  return root;
}

std::span<const Section* const> all_sections() {
  return sections_in_order;
}

}  // namespace sallyport::config
