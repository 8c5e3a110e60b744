// What the subcommands of `audit` share.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "cli.h"
#include "store/log_directory.h"

namespace sallyport {

inline constexpr std::size_t key_file_bytes_max = 64U << 10;

// The whole of a file that was named on the command line. The error is a sentence.
Result<std::string, std::string> read_given_file(const std::string& path, std::size_t bytes_max);

// How many records the log has, the deleted ones among them. The error is a sentence.
Result<std::uint64_t, std::string> count_records(const store::LogDirectory& log);

// A text of a log's files, which may be anybody's, as say() takes it: it makes no line of its own.
std::string shown(std::string_view text);

// On standard output, for a person: nothing of what a log's files say acts upon a terminal. The format is of printf.
[[gnu::format(printf, 1, 2)]] void say(const char* format, ...);
// A line of JSON, likewise.
void say_json(const boost::json::value& document);

// Says it on standard error.
ExitCode failed(const std::string& sentence);

}  // namespace sallyport
