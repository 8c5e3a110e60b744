#include "catalog/names.h"

#include <gtest/gtest.h>

namespace sallyport::catalog {
namespace {

TEST(Names, compare_without_regard_to_case_in_ascii_only) {
  EXPECT_TRUE(same_name("SSN", "ssn"));
  EXPECT_FALSE(same_name("ssn", "ssn "));
  EXPECT_FALSE(same_name("\xE2\x84\xAA", "k")) << "the Kelvin sign, which MySQL takes for a k";
  EXPECT_TRUE(is_doubtful("\xE2\x84\xAA"));
  EXPECT_FALSE(is_doubtful("ssn"));
}

TEST(Names, of_tables_compare_as_the_server_is_set_up) {
  EXPECT_FALSE(same_table_name("T", "t", TableNames::sensitive));
  EXPECT_TRUE(same_table_name("T", "t", TableNames::lower_case));
  EXPECT_TRUE(same_table_name("T", "t", TableNames::insensitive));
}

}  // namespace
}  // namespace sallyport::catalog
