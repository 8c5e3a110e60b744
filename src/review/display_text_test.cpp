#include "review/display_text.h"

#include <gtest/gtest.h>

#include <random>

namespace sallyport::review {
namespace {

TEST(DisplayText, WhatATerminalActsUponIsEscaped) {
  struct Case {
    std::string_view text, shown;
  };
  for (const Case& one :
       {Case{"plain ü € 😀 日本", "plain ü € 😀 日本"}, Case{"\x1b]0;title\x07", "\\x1B]0;title\\x07"},
        Case{"\x1b[2J\x1b[1;1H", "\\x1B[2J\\x1B[1;1H"}, Case{"a\nb\r\tc", "a\\nb\\r\\tc"},
        Case{"a\x7f\x08", "a\\x7F\\x08"},
        Case{"C1: \xC2\x9B"
             "31m",
             "C1: \\u{9B}31m"},
        Case{"raw C1: \x9B"
             "31m",
             "raw C1: \\x9B31m"},
        Case{"\u202Egnp.exe", "\\u{202E}gnp.exe"},
        Case{"\u2066x\u2069\u061C\u200F", "\\u{2066}x\\u{2069}\\u{61C}\\u{200F}"},
        Case{"a\u200Bb\uFEFF\u2028", "a\\u{200B}b\\u{FEFF}\\u{2028}"}, Case{"\U000E0041", "\\u{E0041}"},
        Case{"\xC0\x9B overlong \xED\xA0\x80 surrogate", "\\xC0\\x9B overlong \\xED\\xA0\\x80 surrogate"},
        Case{"cut \xE2\x80", "cut \\xE2\\x80"}, Case{std::string_view("nul \0.", 6), "nul \\x00."}}) {
    EXPECT_EQ(for_terminal(one.text, Lines::escaped), one.shown);
  }
  EXPECT_EQ(for_terminal("a\nb\x1b\n", Lines::kept), "a\nb\\x1B\n");
}

TEST(DisplayText, OfAnyBytesNothingHiddenIsLeft) {
  std::mt19937 random{3};
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (std::size_t i = random() % 12; i > 0; --i) {
      constexpr std::string_view likely = "\x1b\x9b\xc2\xe2\x80\xae\xf3\xa0\x81[";
      text.push_back(random() % 2 == 0 ? static_cast<char>(random()) : likely[random() % likely.size()]);
    }
    std::string shown = for_terminal(text, Lines::escaped);
    for (char c : shown) {
      EXPECT_TRUE(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    }
    EXPECT_EQ(for_terminal(shown, Lines::escaped), shown) << "nothing is left to escape";
    for (std::string_view bad : {"\xC2\x9B", "\u202E", "\u200B"}) {
      EXPECT_EQ(shown.find(bad), std::string::npos);
    }
  }
}

TEST(DisplayText, JsonSaysTheSameOnceEscaped) {
  EXPECT_EQ(json_for_terminal("{\"a\":\"\u202Ex\x7F\xC2\x9B\U000E0041ü\"}"),
            R"({"a":"\u202ex\u007f\u009b\udb40\udc41ü"})");
}

TEST(DisplayText, WidthsAreThoseOfATerminal) {
  EXPECT_EQ(display_width("abc"), 3U);
  EXPECT_EQ(display_width("ü"), 1U);
  EXPECT_EQ(display_width("e\u0301"), 1U);
  EXPECT_EQ(display_width("日本"), 4U);
  EXPECT_EQ(display_width("😀"), 2U);
  EXPECT_EQ(shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(shortened("abcdefg", 6), "abcde…");
  EXPECT_EQ(shortened("日本語", 5), "日本…");
}

}  // namespace
}  // namespace sallyport::review
