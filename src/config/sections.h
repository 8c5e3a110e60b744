// One function for each part of the document. Each fills its part of the configuration and reports mistakes; the later
// ones resolve names that the earlier ones filled in, in this order.
#pragma once

#include "config/config.h"
#include "config/section_reader.h"

namespace sallyport::config {

void read_limits(SectionReader& root, Config& config);  // and what else is plain values: admin, audit, log
void read_listeners(SectionReader& root, Config& config);
void read_issuers(SectionReader& root, Config& config);
void read_connections(SectionReader& root, Config& config);
void read_service_accounts(SectionReader& root, Config& config);

// What the section does not give is as in `otherwise`.
identity::AccountLimits read_account_limits(SectionReader section, const identity::AccountLimits& otherwise);

// How much of an answer is recorded: `none`, `all` or a size, or the table's default.
std::uint64_t read_answers(SectionReader& section, std::string_view name);

// `log_directory`: the audit log's.
std::vector<sink::SinkSettings> read_sinks(SectionReader& audit, const std::filesystem::path& log_directory);

// The words of the document, for more than one of these.
inline constexpr std::array<Choice<session::Flavor>, 2> flavor_choices{
    {{"mysql", session::Flavor::mysql}, {"mariadb", session::Flavor::mariadb}}};

}  // namespace sallyport::config
