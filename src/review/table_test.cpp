#include "review/table.h"

#include <gtest/gtest.h>

namespace sallyport::review {
namespace {

using Align = TableColumn::Align;

TEST(Table, ColumnsAreAlignedByWidthOnTheTerminal) {
  EXPECT_EQ(
      aligned_table({{.heading = "NAME"}, {.heading = "N", .align = Align::right}, {.heading = "TEXT", .width_max = 5}},
                    {{"日本", "7", "short"}, {"ü", "1234", "longer"}}),
      "NAME     N  TEXT\n日本     7  short\nü     1234  long…\n");
}

TEST(Table, ACellCannotLeaveItsPlace) {
  EXPECT_EQ(framed_table({{.heading = "a\n|"}, {.heading = "b", .align = Align::right}},
                         {{"x\x1b[2J", "\u202E1"}, {"NULL", ""}}),
            "+----------+-----------+\n"
            "| a\\n|     | b         |\n"
            "+----------+-----------+\n"
            "| x\\x1B[2J | \\u{202E}1 |\n"
            "| NULL     |           |\n"
            "+----------+-----------+\n");
}

}  // namespace
}  // namespace sallyport::review
