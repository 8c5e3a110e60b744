#include "base/bytes.h"

#include <gtest/gtest.h>

#include <vector>

namespace sallyport {
namespace {

TEST(ByteReader, ReadsLittleEndianIntegers) {
  std::vector<std::uint8_t> raw{1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  ByteReader reader{raw};
  EXPECT_EQ(reader.u8(), 1);
  EXPECT_EQ(reader.u16(), 0x0302);
  EXPECT_EQ(reader.u24(), 0x060504U);
  EXPECT_EQ(reader.u32(), 0x0a090807U);
  EXPECT_TRUE(reader.exhausted());
}

TEST(ByteReader, StaysFailedAfterReadingBeyondTheEnd) {
  std::vector<std::uint8_t> raw{1, 2};
  ByteReader reader{raw};
  EXPECT_EQ(reader.u32(), 0U);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_FALSE(reader.exhausted());
}

TEST(ByteReader, TakesTextUpToItsNul) {
  std::string raw("ab\0cd", 5);
  ByteReader reader{bytes_of(raw)};
  EXPECT_EQ(text_of(reader.until_nul()), "ab");
  EXPECT_EQ(text_of(reader.rest()), "cd");
  reader.until_nul();
  EXPECT_FALSE(reader.ok());
}

}  // namespace
}  // namespace sallyport
